import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { VirtualClock } from '../sim/clock.ts'
import { runs } from '../sim/runs.ts'
import { inClusterCredentials, namespaceOfPod, readNamespace } from './in-cluster.ts'

const bytes = fc.oneof(
  fc
    .constantFrom('token', 'a.b.c\n', '', ' \n', '\u0000', 'a\nb', 'é', '-----BEGIN CERTIFICATE-----')
    .map((text) => Buffer.from(text)),
  fc.string().map((text) => Buffer.from(text)),
  fc.uint8Array({ maxLength: 20 }).map((array) => Buffer.from(array)),
)

describe('the files of a service account, whatever is in them', () => {
  let directory: string
  before(() => (directory = mkdtempSync(join(tmpdir(), 'account-'))))
  after(() => rmSync(directory, { recursive: true }))

  it('are headers that can be sent, or an error that names the file', async () => {
    let good = 0
    await fc.assert(
      fc.asyncProperty(bytes, bytes, bytes, async (token, ca, namespace) => {
        for (const [name, content] of Object.entries({ token, 'ca.crt': ca, namespace })) {
          writeFileSync(join(directory, name), content)
        }
        const credentials = inClusterCredentials({
          host: '10.96.0.1',
          port: '443',
          clock: new VirtualClock(),
          directory,
        })
        try {
          const { headers } = await credentials.load()
          assert.doesNotThrow(() => new Headers(headers))
          good++
        } catch (error) {
          assert.match(String(error), /\/(token|ca\.crt)/)
        }
        const found = namespaceOfPod(directory)
        if (found === undefined) await assert.rejects(readNamespace(directory), /namespace is empty/)
        else assert.equal(await readNamespace(directory), found)
      }),
      runs(200),
    )
    assert.ok(good > 0, 'no account was ever good, so nothing was shown')
  })
})
