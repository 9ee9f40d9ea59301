import assert from 'node:assert/strict'
import { Loop, type Acted, type Brain, type Decision } from './loop.ts'
import { VirtualClock } from './sim/clock.ts'

const DONE: Acted = { kind: 'done' }
const STALE: Acted = { kind: 'stale' }
const failed = (retryAfterMillis?: number): Acted => ({
  kind: 'failed',
  error: new Error('refused'),
  ...(retryAfterMillis === undefined ? {} : { retryAfterMillis }),
})

/** A brain whose work is a number of actions left by key; what acting comes to is told by the test. */
class Rig implements Brain<number, string> {
  readonly clock = new VirtualClock()
  readonly work = new Map<string, number>()
  /** When each act began, as `key@millis`. */
  readonly acts: string[] = []
  readonly decisions: string[] = []
  readonly faults: string[] = []
  readonly acting = new Set<string>()
  mostAtOnce = 0
  /** So much of what each key has to do, the last, is chores. */
  chores = 0
  may = true
  wakeAt: number | undefined
  outcome: (key: string) => Acted | Promise<Acted> = (key) => this.finish(key)
  readonly loop: Loop<number, string>

  /** `random` 0.999… makes each back-off its full step. */
  constructor({ concurrency = 32, random = 1 - Number.EPSILON }: { concurrency?: number; random?: number } = {}) {
    this.loop = new Loop(this, { clock: this.clock, random: () => random, concurrency })
  }

  observe(key: string): number {
    this.decisions.push(`${key}@${this.clock.now()}`)
    return this.work.get(key) ?? 0
  }

  decide(left: number): Decision<string> {
    return {
      actions: left > 0 ? ['work'] : [],
      urgent: left > this.chores ? 1 : 0,
      reason: `${left} left`,
      ...(this.wakeAt === undefined ? {} : { wakeAt: this.wakeAt }),
    }
  }

  async act(key: string): Promise<Acted> {
    assert.ok(!this.acting.has(key), `${key} acts twice at once`)
    this.acting.add(key)
    this.mostAtOnce = Math.max(this.mostAtOnce, this.acting.size)
    this.acts.push(`${key}@${Math.round(this.clock.now())}`)
    try {
      return await this.outcome(key)
    } finally {
      this.acting.delete(key)
    }
  }

  mayAct(): boolean {
    return this.may
  }

  failed(key: string, error: unknown, retryMillis: number): void {
    this.faults.push(`${key}: ${(error as Error).message}, again in ${Math.round(retryMillis)}`)
  }

  finish(key: string): Acted {
    this.work.set(key, (this.work.get(key) ?? 0) - 1)
    return DONE
  }

  /** Each act takes so long, and then ends as `outcome` says. */
  taking(millis: number, outcome = (key: string): Acted => this.finish(key)): void {
    this.outcome = (key) =>
      new Promise((resolve) => this.clock.timer(this.clock.now() + millis, () => resolve(outcome(key))))
  }

  give(key: string, work = 1): void {
    this.work.set(key, work)
    this.loop.wake(key)
  }

  timesOf(key: string): readonly number[] {
    return this.acts.filter((act) => act.startsWith(`${key}@`)).map((act) => Number(act.slice(key.length + 1)))
  }
}

describe('loop', () => {
  it('acts until nothing is left to do', async () => {
    const rig = new Rig()
    rig.give('a', 3)
    await rig.clock.settle()
    assert.deepEqual(rig.acts, ['a@0', 'a@0', 'a@0'])
    assert.equal(rig.decisions.length, 4)
  })

  it('runs nothing synchronously, and once for many wakes', async () => {
    const rig = new Rig()
    for (let wakes = 0; wakes < 100; wakes++) rig.loop.wake('a')
    assert.deepEqual([rig.decisions, rig.loop.depth], [[], 1])
    await rig.clock.settle()
    assert.deepEqual([rig.decisions, rig.loop.depth], [['a@0'], 0])
  })

  it('decides again when it is woken while it acts, however often', async () => {
    const rig = new Rig()
    rig.taking(10)
    rig.give('a')
    await rig.clock.advance(5)
    for (let wakes = 0; wakes < 5; wakes++) rig.loop.wake('a')
    await rig.clock.advance(50)
    // Once after the act, which the wake is part of.
    assert.deepEqual(rig.decisions, ['a@0', 'a@10'])
  })

  it('sees what came while it acted', async () => {
    const rig = new Rig()
    rig.taking(10, (key) => {
      rig.finish(key)
      return DONE
    })
    rig.give('a')
    await rig.clock.advance(5)
    rig.give('a', 2)
    await rig.clock.advance(50)
    assert.deepEqual(rig.timesOf('a'), [0, 10])
  })

  it('runs each key serially and different keys side by side, up to its bound', async () => {
    const rig = new Rig({ concurrency: 3 })
    rig.taking(10)
    for (const key of ['a', 'b', 'c', 'd', 'e', 'f', 'g']) rig.give(key, 2)
    await rig.clock.advance(5)
    assert.deepEqual([rig.acting.size, rig.loop.depth], [3, 4])
    await rig.clock.advance(100)
    assert.equal(rig.mostAtOnce, 3)
    assert.equal(rig.acts.length, 14)
  })

  it('serves keys in the order of their first wake: none is starved by one that is woken all the time', async () => {
    const rig = new Rig({ concurrency: 1 })
    rig.taking(1)
    for (const key of ['a', 'b', 'c']) rig.give(key)
    for (let step = 0; step < 10; step++) {
      rig.give('a')
      await rig.clock.advance(1)
    }
    const first = ['b', 'c'].map((key) => rig.timesOf(key)[0])
    assert.deepEqual(
      first.map((at) => at !== undefined && at <= 10),
      [true, true],
      rig.acts.join(' '),
    )
  })

  describe('chores', () => {
    function choresRig(): Rig {
      const rig = new Rig({ concurrency: 1 })
      rig.taking(10)
      rig.chores = 1
      return rig
    }
    const order = (rig: Rig): string => rig.acts.map((act) => act.split('@')[0]).join(' ')

    it('of all keys come after what is urgent for any', async () => {
      const rig = choresRig()
      for (const key of ['a', 'b', 'c']) rig.give(key, 2)
      await rig.clock.advance(15)
      assert.equal(rig.loop.depth, 2)
      await rig.clock.advance(100)
      assert.equal(order(rig), 'a b c c a b')
    })

    it('follow at once when nobody else waits', async () => {
      const rig = choresRig()
      rig.give('a', 2)
      await rig.clock.advance(15)
      assert.deepEqual(rig.acts, ['a@0', 'a@10'])
    })

    it('make room when their key is woken for something urgent', async () => {
      const rig = choresRig()
      for (const key of ['a', 'b', 'c', 'd']) rig.give(key, key === 'd' ? 2 : 1)
      await rig.clock.advance(5)
      rig.give('a', 2)
      await rig.clock.advance(100)
      assert.equal(order(rig), 'd a a b c d')
    })

    it('get one turn in four once they have waited for five seconds', async () => {
      const rig = choresRig()
      for (let index = 0; index < 700; index++) rig.give(`key-${index}`, 2)
      await rig.clock.advance(5_200)
      const [first, second] = ['key-0', 'key-1'].map((key) => rig.timesOf(key))
      assert.deepEqual(
        [first, second],
        [
          [0, 5_040],
          [10, 5_080],
        ],
      )
    })
  })

  describe('when somebody else was faster', () => {
    it('decides again at once, then ever later, at most every half second', async () => {
      const rig = new Rig()
      rig.outcome = () => STALE
      rig.give('a')
      await rig.clock.advance(3000)
      const times = rig.timesOf('a')
      assert.deepEqual(times.slice(0, 6), [0, 0, 2, 6, 14, 30])
      assert.deepEqual(
        times.slice(-2).map((at, index, all) => at - (all[index - 1] ?? at - 500)),
        [500, 500],
      )
      assert.deepEqual(rig.faults, [])
    })

    it('begins anew once it is through', async () => {
      const rig = new Rig()
      const outcomes = [STALE, STALE, STALE]
      rig.outcome = (key) => outcomes.shift() ?? rig.finish(key)
      rig.give('a')
      await rig.clock.advance(100)
      outcomes.push(STALE, STALE)
      rig.give('a')
      await rig.clock.advance(100)
      assert.deepEqual(rig.timesOf('a'), [0, 0, 2, 6, 100, 100, 102])
    })
  })

  describe('when it fails', () => {
    it('waits twice as long each time, at most eight seconds, and says so', async () => {
      const rig = new Rig()
      rig.outcome = () => failed()
      rig.give('a')
      await rig.clock.advance(40_000)
      assert.deepEqual(rig.timesOf('a').slice(0, 9), [0, 100, 300, 700, 1500, 3100, 6300, 12_700, 20_700])
      assert.deepEqual(rig.faults.slice(0, 2), ['a: refused, again in 100', 'a: refused, again in 200'])
    })

    it('jitters the upper half of each step', async () => {
      const rig = new Rig({ random: 0 })
      rig.outcome = () => failed()
      rig.give('a')
      await rig.clock.advance(400)
      assert.deepEqual(rig.timesOf('a'), [0, 50, 150, 350])
    })

    it('waits as long as the server asks, if that is longer', async () => {
      const rig = new Rig()
      const outcomes = [failed(30_000), failed(10)]
      rig.outcome = (key) => outcomes.shift() ?? rig.finish(key)
      rig.give('a')
      await rig.clock.advance(60_000)
      assert.deepEqual(rig.timesOf('a'), [0, 30_000, 30_200])
    })

    it('is not hurried by wakes, and loses none', async () => {
      const rig = new Rig()
      rig.outcome = () => failed()
      rig.give('a')
      await rig.clock.advance(50)
      rig.outcome = (key) => rig.finish(key)
      rig.give('a', 2)
      assert.equal(rig.loop.depth, 0)
      await rig.clock.advance(1000)
      assert.deepEqual(rig.timesOf('a'), [0, 100, 100])
    })

    it('begins anew once it is at rest', async () => {
      const rig = new Rig()
      const outcomes = [failed(), failed(), failed()]
      rig.outcome = (key) => outcomes.shift() ?? rig.finish(key)
      rig.give('a')
      await rig.clock.advance(1000)
      outcomes.push(failed(), failed())
      rig.give('a')
      await rig.clock.advance(1000)
      assert.deepEqual(rig.timesOf('a'), [0, 100, 300, 700, 1000, 1100, 1300])
    })

    it('waits ever longer also when every other step succeeds', async () => {
      const rig = new Rig()
      let step = 0
      rig.outcome = () => (step++ % 2 === 0 ? DONE : failed())
      rig.give('a')
      await rig.clock.advance(10_000)
      assert.deepEqual([...new Set(rig.timesOf('a'))].slice(0, 5), [0, 100, 300, 700, 1500])
    })

    it('fails alone', async () => {
      const rig = new Rig()
      rig.outcome = (key) => (key === 'a' ? failed() : rig.finish(key))
      rig.give('a')
      rig.give('b', 2)
      await rig.clock.settle()
      assert.deepEqual(rig.timesOf('b'), [0, 0])
    })

    for (const where of ['observe', 'decide', 'act'] as const) {
      it(`backs off when ${where} throws`, async () => {
        const rig = new Rig()
        rig[where] = () => {
          throw new Error(`${where} broke`)
        }
        rig.give('a')
        await rig.clock.advance(200)
        assert.deepEqual(rig.faults, [`a: ${where} broke, again in 100`, `a: ${where} broke, again in 200`])
      })
    }

    it('reports a decision that contradicts itself, and backs off from it ever longer', async () => {
      const rig = new Rig()
      rig.outcome = () => DONE
      rig.give('a')
      await rig.clock.advance(650)
      assert.deepEqual(rig.faults, [
        'a: a does not come to rest: 200 decisions in a row wanted to act, again in 100',
        'a: a does not come to rest: 200 decisions in a row wanted to act, again in 200',
        'a: a does not come to rest: 200 decisions in a row wanted to act, again in 400',
      ])
      assert.equal(rig.acts.length, 600)
    })
  })

  describe('when another process acts', () => {
    it('decides and does nothing', async () => {
      const rig = new Rig()
      rig.may = false
      rig.give('a')
      await rig.clock.advance(1000)
      assert.deepEqual([rig.acts, rig.decisions], [[], ['a@0']])
    })

    it('acts when it is woken with the right to', async () => {
      const rig = new Rig()
      rig.may = false
      rig.give('a')
      await rig.clock.advance(1000)
      rig.may = true
      rig.loop.wake('a')
      await rig.clock.settle()
      assert.deepEqual(rig.acts, ['a@1000'])
    })

    it('stops between two steps when the right ends', async () => {
      const rig = new Rig()
      rig.outcome = (key) => {
        rig.may = false
        return rig.finish(key)
      }
      rig.give('a', 5)
      await rig.clock.advance(1000)
      assert.equal(rig.acts.length, 1)
    })
  })

  describe('wakeAt', () => {
    it('decides again at that time, also while another process acts', async () => {
      const rig = new Rig()
      rig.may = false
      rig.wakeAt = 500
      rig.loop.wake('a')
      await rig.clock.settle()
      rig.wakeAt = undefined
      await rig.clock.advance(10_000)
      assert.deepEqual(rig.decisions, ['a@0', 'a@500'])
    })

    it('is void once something else woke the key', async () => {
      const rig = new Rig()
      rig.wakeAt = 500
      rig.loop.wake('a')
      await rig.clock.advance(100)
      rig.wakeAt = 900
      rig.loop.wake('a')
      await rig.clock.advance(100)
      rig.wakeAt = undefined
      await rig.clock.advance(10_000)
      assert.deepEqual(rig.decisions, ['a@0', 'a@100', 'a@900'])
      assert.equal(rig.clock.nextTimerAt(), undefined)
    })
  })

  describe('stop', () => {
    it('resolves at once when nothing acts', async () => {
      const rig = new Rig()
      rig.wakeAt = 500
      rig.loop.wake('a')
      await rig.clock.settle()
      rig.loop.wake('b')
      await rig.loop.stop()
      await rig.clock.advance(1000)
      rig.loop.wake('c')
      await rig.clock.advance(1000)
      assert.deepEqual(rig.decisions, ['a@0'])
      assert.equal(rig.clock.nextTimerAt(), undefined)
    })

    it('waits for the acts under way, and starts no more', async () => {
      const rig = new Rig({ concurrency: 2 })
      rig.taking(10)
      for (const key of ['a', 'b', 'c']) rig.give(key, 5)
      await rig.clock.advance(5)
      let stopped = false
      const stopping = rig.loop.stop().then(() => (stopped = true))
      await rig.clock.settle()
      assert.equal(stopped, false)
      await rig.clock.advance(105)
      assert.deepEqual(rig.acts, ['a@0', 'b@0'])
      await stopping
    })

    for (const [what, outcome] of [
      ['fails', (): Acted => failed()],
      [
        'throws',
        (): Acted => {
          throw new Error('broke')
        },
      ],
    ] as const) {
      it(`leaves no timer when the last act ${what}`, async () => {
        const rig = new Rig()
        const { promise, resolve } = Promise.withResolvers<void>()
        rig.outcome = () => promise.then(outcome)
        rig.give('a')
        await rig.clock.settle()
        const stopping = rig.loop.stop()
        resolve()
        await stopping
        assert.equal(rig.clock.nextTimerAt(), undefined)
      })
    }
  })
})
