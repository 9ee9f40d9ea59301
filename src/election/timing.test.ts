import { strict as assert } from 'node:assert'
import { DEFAULT_TIMING, inMillis, standBackMillis, timingViolations, type TimingSeconds } from './timing.ts'

const RULES = {
  whole: 'leaseDuration must be a whole number of seconds',
  lease: 'leaseDuration must be greater than renewDeadline',
  drift: 'leaseDuration must be at least (1 + clockDrift) * renewDeadline',
  jitter: 'renewDeadline must be greater than retryPeriod*JitterFactor',
}

describe('timing', () => {
  for (const [lease, renew, retry, clockDrift, ...violated] of [
    [15, 10, 2, 0.2],
    [5, 3, 1, 0.2],
    [3, 2, 0.5, 0.2],
    [137, 107, 26, 0.2],
    [12, 10, 2, 0.2],
    // 1.2 × 3.3333… and 1.2 × 2.5: met exactly.
    [4, 10 / 3, 1, 0.2],
    [3, 2.5, 2, 0.2],
    [11, 10, 2, 0.2, RULES.drift],
    [11, 10, 2, 0.1],
    [15, 10, 2, 0.51, RULES.drift],
    [10, 10, 2, 0.2, RULES.lease],
    [10, 11, 2, 0, RULES.lease],
    [15, 2.4, 2, 0.2, RULES.jitter],
    [15, 2.41, 2, 0.2],
    [1, 0.5, 0.1, 0.2, RULES.whole],
    [2.5, 2, 0.1, 0.2, RULES.whole],
    [2 ** 31, 10, 2, 0.2, RULES.whole],
    [2 ** 31 - 1, 10, 2, 0.2],
    [2, 1, 0.5, 0.2],
    [1.5, 2, 2, 0.2, RULES.whole, RULES.lease, RULES.jitter],
    [0, -1, Number.NaN, 0.2, 'leaseDuration must be greater', 'renewDeadline must be', 'retryPeriod must be greater'],
    [Infinity, 10, 2, -1, 'leaseDuration must be greater than zero: it is Infinity s', 'clockDrift must be 0 or more'],
  ] as readonly (readonly [number, number, number, number, ...string[]])[]) {
    const verdict = violated.length === 0 ? 'valid' : violated.join('; ')
    it(`${lease}/${renew}/${retry} s, drift ${clockDrift}: ${verdict}`, () => {
      const timing: TimingSeconds = {
        leaseDurationSeconds: lease,
        renewDeadlineSeconds: renew,
        retryPeriodSeconds: retry,
        clockDrift,
      }
      const found = timingViolations(timing)
      assert.equal(found.length, violated.length, found.join('; '))
      for (const [index, start] of violated.entries()) assert.equal(found[index]?.slice(0, start.length), start)
    })
  }

  it('names the values', () => {
    assert.deepEqual(timingViolations({ ...DEFAULT_TIMING, leaseDurationSeconds: 11, retryPeriodSeconds: 9 }), [
      'leaseDuration must be at least (1 + clockDrift) * renewDeadline, or two may lead at once: 11 s is less than 1.2 * 10 s',
      'renewDeadline must be greater than retryPeriod*JitterFactor: 10 s is not greater than 9 s * 1.2',
    ])
  })

  it('stands back for as long as a client-go elector may wait between two tries', () => {
    assert.equal(standBackMillis({ retryPeriodMillis: 2_000 }), 4_400)
  })

  it('is 15/10/2 s unless told otherwise', () => {
    assert.deepEqual(inMillis(DEFAULT_TIMING), {
      leaseDurationMillis: 15_000,
      renewDeadlineMillis: 10_000,
      retryPeriodMillis: 2_000,
      clockDrift: 0.2,
    })
  })
})
