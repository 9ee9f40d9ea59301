import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { stringify } from 'yaml'
import { kubeConfigCredentials } from '../kube/kubeconfig.ts'
import { VirtualClock } from '../sim/clock.ts'
import { runs } from '../sim/runs.ts'
import { loadKubeConfig } from './kubeconfig.ts'
import { UsageError } from './usage-error.ts'

const orAny = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<unknown> =>
  fc.oneof(
    { weight: 200, arbitrary },
    { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 2 }) },
    { weight: 1, arbitrary: fc.constantFrom(null, '', '__proto__') },
  )
const name = orAny(fc.constantFrom('a', 'a', 'a', 'b'))
const entry = (key: string, fields: Record<string, fc.Arbitrary<unknown>>): fc.Arbitrary<unknown> =>
  orAny(
    fc.array(
      orAny(
        fc.record({ name, [key]: orAny(fc.record(fields, { requiredKeys: [] })) }, { requiredKeys: ['name', key] }),
      ),
      { minLength: 1, maxLength: 2 },
    ),
  )
const text = orAny(fc.constantFrom('x', 'LS0t', '/no/such/file'))
const config = orAny(
  fc.record(
    {
      apiVersion: orAny(fc.constant('v1')),
      kind: orAny(fc.constant('Config')),
      'current-context': name,
      contexts: entry('context', { cluster: name, user: name, namespace: name }),
      clusters: entry('cluster', {
        server: orAny(fc.constantFrom('https://one', 'http://one', 'one', '')),
        'certificate-authority': text,
        'certificate-authority-data': text,
        'insecure-skip-tls-verify': orAny(fc.boolean()),
        'proxy-url': text,
        'tls-server-name': text,
      }),
      users: entry('user', {
        token: text,
        tokenFile: text,
        username: text,
        password: text,
        'client-certificate-data': text,
        'client-key-data': text,
        'client-certificate': text,
        'auth-provider': orAny(
          fc.record({ name: text, config: orAny(fc.record({ path: text })) }, { requiredKeys: [] }),
        ),
      }),
    },
    { requiredKeys: ['current-context', 'contexts', 'clusters', 'users'] },
  ),
)
/** As JSON, as YAML, cut off, or anything. */
const file = fc.oneof(
  { weight: 4, arbitrary: config.map((value) => JSON.stringify(value)) },
  { weight: 3, arbitrary: config.map((value) => stringify(value)) },
  fc.tuple(config, fc.nat(300)).map(([value, at]) => stringify(value).slice(0, at)),
  fc.string(),
)

/** So that one is loaded in every run. */
const WHOLE = JSON.stringify({
  clusters: [{ name: 'a', cluster: { server: 'https://127.0.0.1:6443' } }],
  users: [{ name: 'a', user: { token: 't' } }],
  contexts: [{ name: 'a', context: { cluster: 'a', user: 'a' } }],
  'current-context': 'a',
})

describe('a kubeconfig, whatever is in it', () => {
  let directory: string
  before(() => (directory = mkdtempSync(join(tmpdir(), 'kubeconfig-'))))
  after(() => rmSync(directory, { recursive: true }))

  it('is one, is none, or is refused in words that name the file', async () => {
    const path = join(directory, 'config')
    let loaded = 0
    await fc.assert(
      fc.asyncProperty(file, fc.option(fc.constantFrom('a', 'b', ''), { nil: undefined }), async (content, context) => {
        writeFileSync(path, content)
        try {
          const found = loadKubeConfig({ kubeconfig: path, context }, {})
          if (!found) return
          loaded++
          const credentials = kubeConfigCredentials(found, new VirtualClock())
          assert.match(new URL(credentials.server).protocol, /^https?:$/)
          await credentials.load().catch(assertClear)
        } catch (error) {
          assert.ok(error instanceof UsageError, error instanceof Error ? error.stack! : String(error))
          assertClear(error)
        }
      }),
      { ...runs(150), examples: [[WHOLE, undefined]] },
    )
    assert.ok(loaded > 0, 'nothing was ever loaded, so nothing was shown')
  })
})

/** What a program trips over says nothing to a person. */
function assertClear(error: unknown): void {
  const said = error instanceof Error ? error.message : String(error)
  assert.doesNotMatch(said, /Cannot (read|set) propert|is not (a function|iterable)|undefined \(|\[object/)
}
