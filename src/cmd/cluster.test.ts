import { strict as assert } from 'node:assert'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { VirtualClock } from '../sim/clock.ts'
import { findCluster } from './cluster.ts'
import { UsageError } from './usage-error.ts'

describe('findCluster', () => {
  const directory = mkdtempSync(join(tmpdir(), 'leadergroup-'))
  after(() => rmSync(directory, { recursive: true }))

  const kubeconfig = join(directory, 'config')
  before(() => {
    const contexts = [
      { name: 'work', context: { cluster: 'one', namespace: 'shop' } },
      { name: 'plain', context: { cluster: 'one' } },
    ]
    const clusters = [{ name: 'one', cluster: { server: 'https://one' } }]
    writeFileSync(kubeconfig, JSON.stringify({ contexts, clusters, users: [], 'current-context': 'work' }))
  })

  const clock = new VirtualClock()
  /** As in a pod. */
  const pod = { KUBERNETES_SERVICE_HOST: '10.0.0.1', KUBERNETES_SERVICE_PORT: '443', HOME: '/nonexistent' }

  for (const [context, namespace] of [
    ['work', 'shop'],
    ['plain', 'default'],
  ] as const) {
    it(`takes the kubeconfig before the pod, and the namespace of context ${context}`, async () => {
      const found = await findCluster({ kubeconfig, context }, pod, clock)
      assert.deepEqual(
        [found.credentials.server, found.namespace, found.source],
        ['https://one', namespace, `context ${context}`],
      )
    })
  }

  it('says that --context needs a kubeconfig, in a pod too', async () => {
    await assert.rejects(findCluster({ kubeconfig: undefined, context: 'work' }, pod, clock), UsageError)
  })

  it('says what to do where there is neither a kubeconfig nor a pod', async () => {
    const env = { HOME: '/nonexistent' }
    await assert.rejects(findCluster({ kubeconfig: undefined, context: undefined }, env, clock), {
      message: /^no cluster to work on: /,
    })
  })
})
