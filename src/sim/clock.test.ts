import { strict as assert } from 'node:assert'
import { sleepUntil } from '../clock.ts'
import { VirtualClock } from './clock.ts'

const never = new AbortController().signal

describe('virtual clock', () => {
  it('stands still until it is advanced', async () => {
    const clock = new VirtualClock()
    const fired: number[] = []
    clock.timer(10, () => fired.push(clock.now()))
    await clock.settle()
    assert.deepEqual([clock.now(), fired], [0, []])
    await clock.advance(9)
    assert.deepEqual([clock.now(), fired], [9, []])
    await clock.advance(1)
    assert.deepEqual([clock.now(), fired], [10, [10]])
  })

  it('fires by time, then by creation', async () => {
    const clock = new VirtualClock()
    const fired: string[] = []
    for (const [at, name] of [
      [20, 'c'],
      [10, 'a'],
      [20, 'd'],
      [10, 'b'],
    ] as const) {
      clock.timer(at, () => fired.push(`${name}@${clock.now()}`))
    }
    await clock.advance(100)
    assert.deepEqual(fired, ['a@10', 'b@10', 'c@20', 'd@20'])
    assert.equal(clock.now(), 100)
  })

  it('completes what a timer sets off before the next one, however long the chain of promises', async () => {
    const clock = new VirtualClock()
    const log: string[] = []
    clock.timer(5, () => void chain(50).then(() => log.push('chain done')))
    clock.timer(5, () => log.push('next timer'))
    await clock.advance(5)
    assert.deepEqual(log, ['chain done', 'next timer'])
  })

  it('fires timers that are made on the way', async () => {
    const clock = new VirtualClock()
    const wokenAt: number[] = []
    const loop = async (): Promise<void> => {
      while (wokenAt.length < 3) {
        await sleepUntil(clock, clock.now() + 7, never)
        wokenAt.push(clock.now())
      }
    }
    const done = loop()
    await clock.advance(20)
    assert.deepEqual(wokenAt, [7, 14])
    await clock.advance(1)
    assert.deepEqual(wokenAt, [7, 14, 21])
    await done
  })

  it('never fires synchronously, and fires what is due without moving time', async () => {
    const clock = new VirtualClock()
    await clock.advance(50)
    const fired: number[] = []
    clock.timer(20, () => fired.push(clock.now()))
    assert.deepEqual(fired, [])
    await clock.settle()
    assert.deepEqual([fired, clock.now()], [[50], 50])
  })

  it('does not fire a cancelled timer, and cancelling twice harms no other', async () => {
    const clock = new VirtualClock()
    const fired: string[] = []
    clock.timer(10, () => fired.push('first'))
    const cancel = clock.timer(10, () => fired.push('cancelled'))
    clock.timer(10, () => fired.push('last'))
    cancel()
    cancel()
    await clock.advance(10)
    cancel()
    assert.deepEqual(fired, ['first', 'last'])
  })

  it('a timer can cancel another of the same instant', async () => {
    const clock = new VirtualClock()
    const fired: string[] = []
    clock.timer(10, () => cancel())
    const cancel = clock.timer(10, () => fired.push('too late'))
    await clock.advance(10)
    assert.deepEqual(fired, [])
  })

  it('tells when the next timer is due', async () => {
    const clock = new VirtualClock()
    assert.equal(clock.nextTimerAt(), undefined)
    const cancel = clock.timer(10, () => undefined)
    clock.timer(30, () => undefined)
    assert.equal(clock.nextTimerAt(), 10)
    cancel()
    assert.equal(clock.nextTimerAt(), 30)
    await clock.advance(30)
    assert.equal(clock.nextTimerAt(), undefined)
  })

  it('wall time runs along, and can be stepped alone', async () => {
    const clock = new VirtualClock()
    assert.equal(new Date(clock.wallNow()).toISOString(), '2026-01-01T00:00:00.000Z')
    await clock.advance(1500)
    clock.stepWall(-3_600_000)
    assert.equal(new Date(clock.wallNow()).toISOString(), '2025-12-31T23:00:01.500Z')
    assert.equal(clock.now(), 1500)
  })

  it('refuses to go back, to be driven by two, and to spin', async () => {
    const clock = new VirtualClock()
    await assert.rejects(clock.advance(-1), RangeError)
    await assert.rejects(clock.advance(Number.NaN), RangeError)
    const first = clock.advance(1)
    await assert.rejects(clock.advance(1), /advanced already/)
    await first
    const spin = (): void => void clock.timer(clock.now(), spin)
    spin()
    await assert.rejects(clock.advance(1), /waits for no time/)
  })

  it('rejects with what a timer throws, and can go on', async () => {
    const clock = new VirtualClock()
    clock.timer(10, () => {
      throw new Error('boom')
    })
    await assert.rejects(clock.advance(20), /boom/)
    assert.equal(clock.now(), 10)
    await clock.advance(10)
    assert.equal(clock.now(), 20)
  })
})

async function chain(length: number): Promise<void> {
  for (let link = 0; link < length; link++) await Promise.resolve()
}
