import { strict as assert } from 'node:assert'
import { HealthzAdaptor } from './healthz-adaptor.ts'
import { LeaderMetrics } from './metrics.ts'

describe('client-go’s HealthzAdaptor', () => {
  it('is good without an elector, and says what its elector says within its time', () => {
    const health = new HealthzAdaptor(20)
    assert.deepEqual([health.name(), health.check()], ['leaderElection', undefined])
    health.setLeaderElection({ check: (seconds) => new Error(`after ${seconds} s`) })
    assert.equal(health.check()?.message, 'after 20 s')
  })
})

describe('the metrics provider', () => {
  it('is the one that was set first, and makes a metric for each elector', () => {
    const metrics = new LeaderMetrics()
    assert.equal(metrics.newLeaderMetric().on('db'), undefined, 'nobody wants to know')
    const made: string[] = []
    for (const name of ['first', 'second']) {
      metrics.setProvider({ newLeaderMetric: () => ({ on: () => made.push(name), off: () => undefined }) })
    }
    metrics.newLeaderMetric().on('db')
    assert.deepEqual(made, ['first'])
  })
})
