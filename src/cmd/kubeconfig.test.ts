import { strict as assert } from 'node:assert'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { loadKubeConfig } from './kubeconfig.ts'
import { UsageError } from './usage-error.ts'

interface Contents {
  readonly contexts?: Readonly<Record<string, { cluster: string; user?: string; namespace?: string }>>
  readonly clusters?: Readonly<Record<string, object>>
  readonly users?: Readonly<Record<string, object>>
  readonly current?: string
}

/** A kubeconfig, which is YAML, so JSON will do. */
function kubeconfig({ contexts = {}, clusters = {}, users = {}, current }: Contents): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    contexts: Object.entries(contexts).map(([name, context]) => ({ name, context })),
    clusters: Object.entries(clusters).map(([name, cluster]) => ({ name, cluster })),
    users: Object.entries(users).map(([name, user]) => ({ name, user })),
    'current-context': current,
  })
}

const work = kubeconfig({
  contexts: { work: { cluster: 'one', user: 'me', namespace: 'shop' }, spare: { cluster: 'one', user: 'me' } },
  clusters: { one: { server: 'https://one' } },
  users: { me: { token: 'first' } },
  current: 'work',
})
const home = kubeconfig({
  contexts: {
    home: { cluster: 'two', user: 'me' },
    broken: { cluster: 'gone' },
    nobody: { cluster: 'two', user: 'x' },
  },
  clusters: { one: { server: 'https://shadowed' }, two: { server: 'https://two', 'certificate-authority': 'ca.crt' } },
  users: { me: { token: 'second' } },
  current: 'home',
})

describe('loadKubeConfig', () => {
  const directory = mkdtempSync(join(tmpdir(), 'leadergroup-'))
  after(() => rmSync(directory, { recursive: true }))
  const file = (name: string): string => join(directory, name)

  before(() => {
    writeFileSync(file('work'), work)
    writeFileSync(file('home'), home)
    writeFileSync(file('empty'), '\n')
    writeFileSync(file('contextless'), kubeconfig({ clusters: { one: { server: 'https://one' } } }))
    writeFileSync(file('bad'), 'clusters: [')
    mkdirSync(join(directory, '.kube'))
    writeFileSync(join(directory, '.kube', 'config'), home)
  })

  const env = (...names: string[]) => ({ KUBECONFIG: names.map(file).join(delimiter), HOME: '/nonexistent' })
  const flags = { kubeconfig: undefined, context: undefined }

  /** [what, flags, environment, expected: context, server, token] */
  const rows: readonly [string, () => ReturnType<typeof loadKubeConfig>, string | undefined][] = [
    ['KUBECONFIG', () => loadKubeConfig(flags, env('work')), 'work https://one first'],
    [
      'several files: the first that says something wins',
      () => loadKubeConfig(flags, env('work', 'home')),
      'work https://one first',
    ],
    ['… in the other order', () => loadKubeConfig(flags, env('home', 'work')), 'home https://two second'],
    [
      'a context of the second file',
      () => loadKubeConfig({ ...flags, context: 'home' }, env('work', 'home')),
      'home https://two first',
    ],
    [
      'files that are missing or empty',
      () => loadKubeConfig(flags, env('missing', 'empty', 'work')),
      'work https://one first',
    ],
    [
      'a context other than the current one',
      () => loadKubeConfig({ ...flags, context: 'spare' }, env('work')),
      'spare https://one first',
    ],
    [
      '--kubeconfig before KUBECONFIG',
      () => loadKubeConfig({ ...flags, kubeconfig: file('work') }, env('home')),
      'work https://one first',
    ],
    ['~/.kube/config', () => loadKubeConfig(flags, { HOME: directory }), 'home https://two second'],
    [
      'KUBECONFIG before ~/.kube/config',
      () => loadKubeConfig(flags, { ...env('work'), HOME: directory }),
      'work https://one first',
    ],
    ['nothing', () => loadKubeConfig(flags, { HOME: '/nonexistent' }), undefined],
    ['nothing but missing files', () => loadKubeConfig(flags, env('missing')), undefined],
  ]
  for (const [what, load, expected] of rows) {
    it(`takes ${what}`, () => {
      const config = load()
      const found =
        config &&
        `${config.getCurrentContext()} ${config.getCurrentCluster()?.server} ${config.getCurrentUser()?.token}`
      assert.equal(found, expected)
    })
  }

  it('takes relative paths from where their file is', () => {
    assert.equal(loadKubeConfig(flags, env('work', 'home'))?.getCluster('two')?.caFile, file('ca.crt'))
  })

  it('takes plain HTTP, as kubectl does', async () => {
    const contexts = { proxy: { cluster: 'proxy' } }
    const clusters = { proxy: { server: 'http://127.0.0.1:8001' } }
    writeFileSync(file('proxy'), kubeconfig({ contexts, clusters, current: 'proxy' }))
    const config = loadKubeConfig(flags, env('proxy'))
    await config!.applyToHTTPSOptions({})
    assert.equal(config!.getCurrentCluster()?.server, 'http://127.0.0.1:8001')
  })

  const refused: readonly [string, () => unknown, RegExp][] = [
    [
      'a --kubeconfig that is missing',
      () => loadKubeConfig({ ...flags, kubeconfig: file('missing') }, {}),
      /missing: there is no such file$/,
    ],
    [
      'a context that is missing',
      () => loadKubeConfig({ ...flags, context: 'x' }, env('work')),
      /^the kubeconfig has no context "x"; there are: work, spare$/,
    ],
    [
      'no current context',
      () => loadKubeConfig(flags, env('contextless')),
      /^the kubeconfig has no current-context: choose one with --context/,
    ],
    [
      'a context without its cluster',
      () => loadKubeConfig({ ...flags, context: 'broken' }, env('home')),
      /^context "broken" names cluster "gone", which/,
    ],
    [
      'a context without its user',
      () => loadKubeConfig({ ...flags, context: 'nobody' }, env('home')),
      /^context "nobody" names user "x", which/,
    ],
    ['what is no YAML', () => loadKubeConfig(flags, env('bad')), /^kubeconfig .*bad cannot be read: /],
  ]
  for (const [what, load, message] of refused) {
    it(`refuses ${what}`, () =>
      assert.throws(load, (error) => error instanceof UsageError && message.test(error.message)))
  }
})
