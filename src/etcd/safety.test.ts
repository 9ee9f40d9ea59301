import { strict as assert } from 'node:assert'
import * as fc from 'fast-check'
import type { Clock } from '../clock.ts'
import { VirtualClock } from '../sim/clock.ts'
import { SimEtcd, type EtcdFate } from '../sim/etcd.ts'
import { runs } from '../sim/runs.ts'
import { EtcdLeaser } from './etcd-leaser.ts'

const TTL_SECONDS = 10
const DRIFT = 0.2
const VALUES = ['a', 'b', 'c'] as const

/** A clock that runs faster than ours. */
function faster(clock: Clock, rate: number): Clock {
  return {
    now: () => clock.now() * rate,
    wallNow: () => clock.wallNow(),
    timer: (at, fire) => clock.timer(at / rate, fire),
  }
}

interface Step {
  readonly who: number
  readonly what: 'contend' | 'cancel' | 'release' | EtcdFate
  readonly millis: number
}

const step: fc.Arbitrary<Step> = fc.record({
  who: fc.nat(VALUES.length - 1),
  what: fc.constantFrom(
    'contend',
    'contend',
    'pass',
    'pass',
    'hang',
    'mute',
    'slow',
    'slow',
    'refuse',
    'cancel',
    'release',
  ),
  millis: fc.integer({ min: 0, max: 9_000 }),
})

describe('etcd leasers', () => {
  it('never hold one key together, whatever becomes of their requests, with an etcd as fast as drift allows', async () => {
    let acquired = 0
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
        acquired += await play(steps)
      }),
      runs(300),
    )
    // About 350 are usual (of 17 runs 314 to 391).
    assert.ok(acquired > 100, `only ${acquired} terms were held`)
  }).timeout(60_000)
})

/** Resolves to the number of terms. */
async function play(steps: readonly Step[]): Promise<number> {
  const clock = new VirtualClock()
  const etcd = new SimEtcd(faster(clock, 1 + DRIFT))
  const tokens: bigint[] = []
  const members = VALUES.map((value) => {
    const member = {
      fate: 'pass' as EtcdFate,
      abort: new AbortController(),
      isContending: false,
      leaser: leaser(value),
    }
    function leaser(name: string): EtcdLeaser {
      return new EtcdLeaser({
        etcd: etcd.transport(() => member.fate),
        key: 'k',
        value: name,
        ttlSeconds: TTL_SECONDS,
        clockDrift: DRIFT,
        clock,
        random: () => 0.5,
        onError: () => undefined,
      })
    }
    return member
  })
  const check = (): void => {
    const held = VALUES.filter((_value, index) => members[index]!.leaser.isHeld())
    assert.ok(held.length <= 1, `${held.join(' and ')} hold at ${clock.now()}`)
  }
  for (const { who, what, millis } of steps) {
    const member = members[who]!
    if (what === 'contend') {
      if (member.isContending) continue
      member.isContending = true
      member.abort = new AbortController()
      const acquired = (): void => {
        check()
        tokens.push(member.leaser.token!)
      }
      void member.leaser
        .acquireAndHold(acquired, { signal: member.abort.signal })
        // Lost: that is what is played here.
        .catch((error: Error) => assert.equal(error.name, 'LeaseLostError'))
        .finally(() => (member.isContending = false))
    } else if (what === 'cancel') member.abort.abort()
    else if (what === 'release') void member.leaser.release()
    else member.fate = what
    for (let passed = 0; passed < millis; passed += 500) {
      await clock.advance(Math.min(500, millis - passed))
      check()
    }
  }
  assert.deepEqual(
    tokens,
    tokens.toSorted((a, b) => Number(a - b)),
    'tokens grow',
  )
  assert.equal(new Set(tokens).size, tokens.length, 'no token comes back')
  return tokens.length
}
