import assert from 'node:assert/strict'
import { DeadlineExceeded, deadline, sleepUntil, systemClock } from './clock.ts'
import { VirtualClock } from './sim/clock.ts'

describe('clock', () => {
  describe('of the system', () => {
    it('does not fire a timer early, nor within the call that sets it', async () => {
      const at = systemClock.now() + 5
      const firedAt = await new Promise<number>((resolve) => {
        let set = false
        systemClock.timer(at, () => resolve(set ? systemClock.now() : -1))
        set = true
      })
      assert.ok(firedAt >= at, `${firedAt} is before ${at}`)
    })

    it('waits out more than setTimeout can, which would fire at once', async () => {
      let fired = false
      let isWarned = false
      // What else warns in these milliseconds is of another test.
      const listen = ({ name }: Error): void => void (isWarned ||= name === 'TimeoutOverflowWarning')
      process.on('warning', listen)
      const cancel = systemClock.timer(systemClock.now() + 2 ** 40, () => (fired = true))
      await new Promise((resolve) => systemClock.timer(systemClock.now() + 5, () => resolve(undefined)))
      cancel()
      process.off('warning', listen)
      assert.deepEqual([fired, isWarned], [false, false])
    })

    it('fires what is due already', async () => {
      await new Promise((resolve) => systemClock.timer(systemClock.now() - 1000, () => resolve(undefined)))
    })
  })

  describe('sleepUntil', () => {
    it('resolves at its time', async () => {
      const clock = new VirtualClock()
      let woken = false
      const sleeping = sleepUntil(clock, 100, new AbortController().signal).then(() => (woken = true))
      await clock.advance(99)
      assert.equal(woken, false)
      await clock.advance(1)
      await sleeping
    })

    it('rejects with the reason of an abort, and leaves no timer', async () => {
      const clock = new VirtualClock()
      const controller = new AbortController()
      const sleeping = assert.rejects(sleepUntil(clock, 100, controller.signal), { message: 'enough' })
      controller.abort(new Error('enough'))
      await sleeping
      assert.equal(clock.nextTimerAt(), undefined)
      await assert.rejects(sleepUntil(clock, 100, controller.signal), { message: 'enough' })
    })
  })

  describe('deadline', () => {
    it('aborts after its time, and says what did not come', async () => {
      const clock = new VirtualClock()
      using limit = deadline(clock, 'GET /pods', 5000)
      await clock.advance(4999)
      assert.equal(limit.signal.aborted, false)
      await clock.advance(1)
      assert.ok(limit.signal.reason instanceof DeadlineExceeded)
      assert.equal(limit.signal.reason.message, 'GET /pods: no answer within 5000 ms')
    })

    it('aborts with its parent, also with one that has aborted already', () => {
      const clock = new VirtualClock()
      const parent = new AbortController()
      using before = deadline(clock, 'x', 5000, parent.signal)
      parent.abort(new Error('stopping'))
      using after = deadline(clock, 'x', 5000, parent.signal)
      assert.deepEqual(
        [before, after].map(({ signal }) => (signal.reason as Error).message),
        ['stopping', 'stopping'],
      )
    })

    it('moves when it is extended', async () => {
      const clock = new VirtualClock()
      using limit = deadline(clock, 'x', 100)
      await clock.advance(90)
      limit.extend(100)
      await clock.advance(99)
      assert.equal(limit.signal.aborted, false)
      await clock.advance(1)
      assert.equal(limit.signal.aborted, true)
    })

    it('leaves neither timer nor listener when it is disposed of', async () => {
      const clock = new VirtualClock()
      const parent = new AbortController()
      const limit = deadline(clock, 'x', 100, parent.signal)
      limit[Symbol.dispose]()
      parent.abort(new Error('stopping'))
      assert.equal(limit.signal.aborted, false)
      assert.equal(clock.nextTimerAt(), undefined)
    })
  })
})
