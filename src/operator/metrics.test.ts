import { strict as assert } from 'node:assert'
import type { Freshness } from '../kube/watch.ts'
import { VirtualClock } from '../sim/clock.ts'
import { Metrics } from './metrics.ts'

/** What a scrape says about a metric, without help and buckets. */
async function samples(metrics: Metrics, name: string): Promise<string[]> {
  const lines = (await metrics.text()).split('\n')
  return lines.filter((line) => line.startsWith(name) && !line.startsWith(`${name}_bucket`))
}

const watched = (connected: boolean, lastHeardAt: number | undefined, lists: number): (() => Freshness) => {
  return () => ({ synced: true, connected, lastHeardAt, lists, lastError: undefined })
}

describe('Metrics', () => {
  const rows: readonly [string, (metrics: Metrics) => void, string, string[]][] = [
    [
      'reconciles by result',
      (metrics) => (['success', 'success', 'requeue'] as const).forEach((result) => metrics.reconciled(result, 0.1)),
      'controller_runtime_reconcile_total',
      [
        'controller_runtime_reconcile_total{controller="leadergroup",result="success"} 2',
        'controller_runtime_reconcile_total{controller="leadergroup",result="requeue"} 1',
      ],
    ],
    [
      'errors',
      (metrics) => (['error', 'success'] as const).forEach((result) => metrics.reconciled(result, 0.1)),
      'controller_runtime_reconcile_errors_total',
      ['controller_runtime_reconcile_errors_total{controller="leadergroup"} 1'],
    ],
    [
      'the time they took',
      (metrics) => metrics.reconciled('success', 0.25),
      'controller_runtime_reconcile_time_seconds',
      [
        'controller_runtime_reconcile_time_seconds_sum{controller="leadergroup"} 0.25',
        'controller_runtime_reconcile_time_seconds_count{controller="leadergroup"} 1',
      ],
    ],
    [
      'who waits',
      (metrics) => metrics.queueDepth(3),
      'workqueue_depth',
      ['workqueue_depth{name="leadergroup",controller="leadergroup"} 3'],
    ],
    [
      'who was put off',
      (metrics) => metrics.retried(),
      'workqueue_retries_total',
      ['workqueue_retries_total{name="leadergroup",controller="leadergroup"} 1'],
    ],
    [
      'who acts',
      (metrics) => [true, false].forEach((leading) => metrics.master('leadergroup-operator', leading)),
      'leader_election_master_status',
      ['leader_election_master_status{name="leadergroup-operator"} 0'],
    ],
    [
      'requests',
      (metrics) => metrics.request({ method: 'PUT', host: 'api:6443', status: 409, seconds: 0.02 }),
      'rest_client_requests_total',
      ['rest_client_requests_total{code="409",method="PUT",host="api:6443"} 1'],
    ],
    [
      'requests without a response as client-go does',
      (metrics) => metrics.request({ method: 'GET', host: 'api:6443', status: undefined, seconds: 5 }),
      'rest_client_requests_total',
      ['rest_client_requests_total{code="<error>",method="GET",host="api:6443"} 1'],
    ],
    [
      'groups',
      (metrics) => metrics.groups(5, 4),
      'leadergroup_groups',
      ['leadergroup_groups 5', 'leadergroup_groups_ready 4'],
    ],
    ['transitions', (metrics) => metrics.transition(), 'leadergroup_transitions', ['leadergroup_transitions_total 1']],
    ['conflicts', (metrics) => metrics.conflict(), 'leadergroup_conflicts', ['leadergroup_conflicts_total 1']],
    ['lost events', (metrics) => metrics.eventDropped(), 'leadergroup_events', ['leadergroup_events_dropped_total 1']],
    [
      'failovers',
      (metrics) => metrics.failover(0.04),
      'leadergroup_failover_seconds',
      ['leadergroup_failover_seconds_sum 0.04', 'leadergroup_failover_seconds_count 1'],
    ],
  ]
  for (const [what, feed, name, expected] of rows) {
    it(`counts ${what}`, async () => {
      const metrics = new Metrics(new VirtualClock())
      feed(metrics)
      assert.deepEqual(await samples(metrics, name), expected)
    })
  }

  it('has controller-runtime’s 40 buckets', async () => {
    const metrics = new Metrics(new VirtualClock())
    metrics.reconciled('success', 0.1)
    const bounds = [...(await metrics.text()).matchAll(/reconcile_time_seconds_bucket\{le="([^"]+)"/g)].map(
      ([, le]) => le,
    )
    assert.equal(bounds.length, 41)
    assert.deepEqual([bounds[0], bounds[13], bounds[39], bounds[40]], ['0.005', '0.6', '60', '+Inf'])
  })

  it('reports the age of a watch at the time of the scrape, and again at the next', async () => {
    const clock = new VirtualClock()
    const metrics = new Metrics(clock)
    metrics.watch('pods', watched(true, 0, 1))
    await clock.advance(1500)
    assert.deepEqual(await samples(metrics, 'leadergroup_watch'), [
      'leadergroup_watch_connected{resource="pods"} 1',
      'leadergroup_watch_last_heard_seconds{resource="pods"} 1.5',
      'leadergroup_watch_lists_total{resource="pods"} 1',
    ])
    await clock.advance(1000)
    assert.deepEqual((await samples(metrics, 'leadergroup_watch')).slice(1), [
      'leadergroup_watch_last_heard_seconds{resource="pods"} 2.5',
      'leadergroup_watch_lists_total{resource="pods"} 1',
    ])
  })

  it('reports the watches of several namespaces as the worst of them', async () => {
    const clock = new VirtualClock()
    const metrics = new Metrics(clock)
    await clock.advance(5000)
    metrics.watch('pods', watched(true, 4000, 1))
    metrics.watch('pods', watched(false, 1000, 2))
    metrics.watch('leases', watched(true, undefined, 0))
    assert.deepEqual(await samples(metrics, 'leadergroup_watch'), [
      'leadergroup_watch_connected{resource="pods"} 0',
      'leadergroup_watch_connected{resource="leases"} 1',
      'leadergroup_watch_last_heard_seconds{resource="pods"} 4',
      'leadergroup_watch_lists_total{resource="pods"} 3',
      'leadergroup_watch_lists_total{resource="leases"} 0',
    ])
  })

  it('asks at each scrape for what is at hand', async () => {
    const metrics = new Metrics(new VirtualClock())
    let waiting = 2
    metrics.onScrape(() => metrics.queueDepth(waiting))
    assert.deepEqual(await samples(metrics, 'workqueue_depth{'), [
      'workqueue_depth{name="leadergroup",controller="leadergroup"} 2',
    ])
    waiting = 0
    assert.deepEqual(await samples(metrics, 'workqueue_depth{'), [
      'workqueue_depth{name="leadergroup",controller="leadergroup"} 0',
    ])
  })

  it('keeps nothing outside itself', async () => {
    const [one, other] = [new Metrics(new VirtualClock()), new Metrics(new VirtualClock())]
    one.conflict()
    assert.deepEqual(await samples(other, 'leadergroup_conflicts'), ['leadergroup_conflicts_total 0'])
  })
})
