import { strict as assert } from 'node:assert'
import { HealthzAdaptor } from '../client-go/healthz-adaptor.ts'
import { LeaseLock } from '../client-go/lease-lock.ts'
import { Stage } from '../sim/election-stage.ts'
import { LeaderElector, runOrDie } from './leader-elector.ts'

const TIMING = { leaseDurationSeconds: 15, renewDeadlineSeconds: 10, retryPeriodSeconds: 2 }

describe('runOrDie', () => {
  it('runs one term, whose health the watch dog shows', async () => {
    const stage = new Stage()
    const { lock, process } = stage.candidate('a')
    const watchDog = new HealthzAdaptor(0)
    const stop = new AbortController()
    const hung = Promise.withResolvers<void>()
    const run = runOrDie(
      {
        ...TIMING,
        lock: { identity: 'a', lock, describe: () => 'default/db' },
        callbacks: { onStartedLeading: () => hung.promise, onStoppedLeading: () => undefined },
        clock: process,
        name: 'controllers',
        watchDog,
      },
      { signal: stop.signal },
    )
    await stage.clock.settle()
    stop.abort()
    await stage.clock.advance(15_001)
    assert.equal(watchDog.check()?.message, 'failed election to renew leadership on lease controllers')
    hung.resolve()
    await stage.clock.settle()
    await run
    assert.equal(watchDog.check(), undefined)
  })

  it('rejects where client-go panics', async () => {
    const lock = new LeaseLock({ leaseMeta: { namespace: 'shop', name: 'db' }, lockConfig: { identity: '' } })
    const callbacks = { onStartedLeading: () => undefined, onStoppedLeading: () => undefined }
    const empty = { name: 'InvalidOptionsError', message: 'Lock identity is empty' }
    await assert.rejects(runOrDie({ ...TIMING, lock, callbacks }), empty)
    assert.throws(() => new LeaderElector({ ...TIMING, lock, callbacks }), empty)
  })
})
