import { strict as assert } from 'node:assert'
import { EtcdLeaser } from '../etcd/etcd-leaser.ts'
import { LeaseLostError } from '../etcd/lease-lost-error.ts'
import type { ElectionError } from '../lock/errors.ts'
import { VirtualClock } from '../sim/clock.ts'
import { SimEtcd, type EtcdFate } from '../sim/etcd.ts'
import { Leased } from './leased.ts'

const KEY = 'leases/controllers'
/** Of a ttl of 30 s: when it counts as lost, and when somebody else may hold it. */
const LOST = 22_400
const FREE = 25_000

describe('leased', () => {
  let clock: VirtualClock
  let etcd: SimEtcd
  let fate: EtcdFate
  beforeEach(() => {
    clock = new VirtualClock()
    etcd = new SimEtcd(clock)
    fate = 'pass'
  })

  function leased(value = 'a') {
    const log: string[] = []
    const errors: ElectionError[] = []
    const onError = (error: ElectionError): void => void errors.push(error)
    const leaser = new EtcdLeaser({
      etcd: etcd.transport(() => (value === 'a' ? fate : 'pass')),
      key: KEY,
      value,
      ttlSeconds: 30,
      clock,
      random: () => 0.5,
      onError,
    })
    const plug = new Leased(leaser, { onOverrun: () => void log.push(`${clock.now()} overrun`), onError })
    const abort = new AbortController()
    const run = (): void => {
      plug.run({ signal: abort.signal }).then(
        () => log.push(`${clock.now()} over`),
        (error: Error) => log.push(`${clock.now()} ${error.name}`),
      )
    }
    /** Works until it is told to stop, and `millis` longer. */
    const work = (millis = 0): void => {
      void plug.whileStarted(async (signal) => {
        log.push(`${clock.now()} working`)
        await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
        await new Promise<void>((resolve) => (millis === 0 ? resolve() : clock.timer(clock.now() + millis, resolve)))
        log.push(`${clock.now()} idle`)
      })
    }
    return { plug, leaser, log, errors, abort, run, work }
  }

  it('is on while the lease is held, and released when its run is aborted', async () => {
    const [a, b] = [leased('a'), leased('b')]
    for (const each of [a, b]) each.work()
    a.run()
    await clock.settle()
    b.run()
    await clock.advance(100_000)
    assert.deepEqual([a.plug.isStarted(), b.plug.isStarted()], [true, false])
    a.abort.abort()
    await clock.settle()
    assert.deepEqual([a.log, b.log], [['0 working', '100000 idle', '100000 over'], ['100000 working']])
    assert.deepEqual([a.plug.isStarted(), b.plug.isStarted(), a.errors], [false, true, []])
  })

  it('releases only when the work has returned', async () => {
    const [a, b] = [leased('a'), leased('b')]
    for (const each of [a, b]) each.work(5_000)
    a.run()
    await clock.settle()
    b.run()
    await clock.advance(10_000)
    void a.plug.stop()
    await clock.advance(4_999)
    assert.deepEqual([a.plug.isStarted(), etcd.get(KEY)?.value], [false, 'a'])
    await clock.advance(1)
    assert.deepEqual([a.log.slice(1), b.log], [['15000 idle', '15000 over'], ['15000 working']])
  })

  it('tells the run and all that wait the same error when the lease is lost', async () => {
    const a = leased()
    a.work()
    a.run()
    const told = assert.rejects(a.plug.waitForStop(), LeaseLostError)
    await clock.advance(1_000)
    etcd.put(KEY, 'x')
    await clock.settle()
    assert.deepEqual(a.log, ['0 working', '1000 idle', '1000 LeaseLostError'])
    await Promise.all([told, assert.rejects(a.plug.waitForStop(), LeaseLostError)])
  })

  it('is off at the end of the lease by the clock, though nothing had time to stop it', async () => {
    const a = leased()
    a.run()
    await clock.advance(1_000)
    clock.stepWall(LOST - 1_000)
    assert.equal(a.plug.isStarted(), false)
  })

  it('reports work that outlives what is exclusive, and releases nothing under it', async () => {
    const a = leased()
    a.work(30_000)
    a.run()
    await clock.settle()
    fate = 'hang'
    await clock.advance(LOST)
    fate = 'pass'
    await clock.advance(FREE - LOST - 1)
    assert.deepEqual(a.log, ['0 working'])
    await clock.advance(1)
    assert.deepEqual(a.log, ['0 working', `${FREE} overrun`, `${FREE} LeaseLostError`])
    assert.equal(etcd.get(KEY)?.value, 'a')
  })

  it('does not call it overrun when the time is over already, and the work stops as soon as it is told to', async () => {
    const a = leased()
    a.work()
    a.run()
    await clock.settle()
    clock.stepWall(3_600_000)
    assert.equal(a.plug.isStarted(), false)
    await clock.settle()
    assert.deepEqual(a.log, ['0 working', '0 idle', '0 LeaseLostError'])
  })

  it('never starts when it was stopped before it ran, with the reason for the run too', async () => {
    const a = leased()
    void a.plug.stop(new Error('no'))
    await assert.rejects(a.plug.run(), /no/)
    assert.equal(etcd.get(KEY), undefined)
    await assert.rejects(a.plug.waitForStart(), /no/)
  })

  it('can be stopped while it waits for the lease, and leaves nothing there', async () => {
    etcd.put(KEY, 'x')
    const a = leased()
    a.run()
    await clock.advance(5_000)
    void a.plug.stop()
    await clock.settle()
    etcd.delete(KEY)
    await clock.advance(100_000)
    assert.deepEqual([a.log, etcd.leases, clock.nextTimerAt()], [['5000 over'], [], undefined])
  })

  it('cannot be started by hand without the lease', async () => {
    etcd.put(KEY, 'x')
    const a = leased()
    a.plug.start()
    a.run()
    await clock.settle()
    a.plug.start()
    assert.equal(a.plug.isStarted(), false)
  })
})
