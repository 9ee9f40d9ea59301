import assert from 'node:assert/strict'
import { systemClock } from '../src/clock.ts'
import type { GroupEvent } from '../src/group/events.ts'
import type { LeaderGroup } from '../src/group/leadergroup.ts'
import { Events, type Event } from '../src/operator/event.ts'
import { EventRecorder } from '../src/operator/events.ts'
import type { Log } from '../src/operator/log.ts'
import { Metrics } from '../src/operator/metrics.ts'
import { LeaderGroups } from '../src/operator/resources.ts'
import { must } from './controlplane/must.ts'
import { adminApi, controlPlane, createNamespace, leaderGroupCrd } from './controlplane/shared.ts'

const unready: GroupEvent = {
  type: 'Warning',
  reason: 'NoEligiblePod',
  action: 'Wait',
  note: 'db-0 leads no more (PodDeleted): no pod can lead',
  relatedPod: { name: 'db-0', uid: '6f0c' },
}

describe('events on the real API server', () => {
  let group: LeaderGroup
  let namespace: string
  const lost: string[] = []
  const ignore = (): void => {}
  const log: Log = {
    debug: (message, fields) => void lost.push(`${message}: ${String(fields?.['error'])}`),
    info: ignore,
    warn: ignore,
    error: ignore,
    isEnabled: () => true,
  }

  before(async () => {
    await leaderGroupCrd()
    namespace = await createNamespace('events')
    const manifest = {
      apiVersion: 'leadergroup.io/v1alpha1',
      kind: 'LeaderGroup',
      metadata: { name: 'db' },
      spec: { selector: { matchLabels: { app: 'db' } } },
    }
    group = must(await (await adminApi()).create(LeaderGroups, namespace, manifest))
  })

  async function recorder(): Promise<EventRecorder> {
    const metrics = new Metrics(systemClock)
    const api = await adminApi()
    return new EventRecorder({ api, clock: systemClock, log, metrics, instance: 'operator-1', dryRun: false })
  }

  async function stored(): Promise<readonly Event[]> {
    return must(await (await adminApi()).list(Events, { namespace })).items
  }

  it('are accepted, counted in a series, and shown by kubectl', async () => {
    const events = await recorder()
    for (let times = 0; times < 4; times++) events.record(group, unready)
    events.record(group, { ...unready, type: 'Normal', reason: 'LeaderElected', note: 'ö'.repeat(2000) })
    await events.stop()
    assert.deepEqual(lost, [])
    const written = await stored()
    const counts = Object.fromEntries(written.map(({ reason, series }) => [reason, series?.count]))
    assert.deepEqual([written.length, counts], [2, { NoEligiblePod: 4, LeaderElected: undefined }])
    const { stdout } = await (await controlPlane()).kubectl('describe', '-n', namespace, 'leadergroup', 'db')
    assert.match(stdout, /Warning +NoEligiblePod .*leadergroup\.io\/operator +db-0 leads no more \(PodDeleted\)/)
  })

  it('that cannot be written are lost without harm', async () => {
    const events = await recorder()
    const elsewhere = { ...group, metadata: { ...group.metadata, namespace: 'no-such-namespace' } }
    events.record(elsewhere, unready)
    await events.stop()
    assert.match(lost.join('\n'), /^a Kubernetes event was lost: .*no-such-namespace/)
  })
})
