import { strict as assert } from 'node:assert'
import { VirtualClock } from '../../sim/clock.ts'
import { repeat } from './repeat.ts'

describe('repeat', () => {
  it('acts once in each period until it is disposed of, also from within', async () => {
    const clock = new VirtualClock()
    const times: number[] = []
    const repeated = repeat(clock, 100, () => {
      times.push(clock.now())
      if (times.length === 3) repeated[Symbol.dispose]()
    })
    await clock.advance(99)
    assert.deepEqual(times, [])
    await clock.advance(1_000)
    assert.deepEqual(times, [100, 200, 300])
    assert.equal(clock.nextTimerAt(), undefined)
  })
})
