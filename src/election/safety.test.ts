import { strict as assert } from 'node:assert'
import { assert as check, constantFrom, integer, property } from 'fast-check'
import { runs } from '../sim/runs.ts'
import { decide, type Action } from './decide.ts'
import { endByTime, firstObservation, type Attempt, type Instant, type Observation } from './observation.ts'
import { observe, type Event } from './observe.ts'
import type { LeaseRecord, Versioned } from './record.ts'
import { inMillis, type TimingSeconds } from './timing.ts'

/*
 * Two or three candidates, each with a clock of its own rate, on a register with compare-and-swap. Requests and answers
 * are slow, lost or both, requests are carried out after their sender gave up, watches skip and reorder, strangers
 * touch the metadata, processes stop and go on, machines sleep. At no real instant may two think that they lead.
 */

const TIMING: TimingSeconds = {
  leaseDurationSeconds: 15,
  renewDeadlineSeconds: 10,
  retryPeriodSeconds: 2,
  clockDrift: 0.2,
}
const TIGHTEST: TimingSeconds = { ...TIMING, leaseDurationSeconds: 12 }
const REQUEST_TIMEOUT_MILLIS = 5_000
const LONGEST_STOP_MILLIS = 25_000
const FAULTS_END_AT = 150_000
const END_AT = 240_000
const HAND_OVER_MILLIS = 1_000

interface Setting {
  readonly seed: number
  readonly candidates: number
  readonly timing: TimingSeconds
  /** Clocks run between 1 and 1 + this times as fast as real time. */
  readonly drift: number
}

interface Candidate {
  o: Observation
  readonly name: string
  readonly rate: number
  readonly offset: number
  /** Real milliseconds that the monotonic clock has missed. */
  slept: number
  busy: boolean
  /** Real time until which the process does nothing. */
  stoppedUntil: number
  wake: number
}

class World {
  now = 0
  terms = 0
  requests = 0
  readonly #candidates: Candidate[]
  readonly #random: () => number
  #queue: { at: number; order: number; run: () => void }[] = []
  #order = 0
  #stored: Versioned | 'absent' = 'absent'
  #version = 0

  constructor(setting: Setting) {
    this.#random = mulberry32(setting.seed)
    this.#candidates = ['a', 'b', 'c'].slice(0, setting.candidates).map((name) => ({
      o: firstObservation({
        identity: name,
        timing: inMillis(setting.timing),
        phase: this.#random(),
        canWatch: true,
        termLimitMillis: this.#pick([Infinity, 20_000]),
      }),
      name,
      // Both ends of the range are the cases that matter.
      rate: 1 + setting.drift * this.#pick([0, 1, this.#random()]),
      offset: Math.floor(this.#random() * 1e9),
      slept: 0,
      busy: false,
      stoppedUntil: 0,
      wake: 0,
    }))
  }

  run(): void {
    for (const candidate of this.#candidates) this.#step(candidate)
    this.#after(500, () => this.#mischief())
    this.advance(END_AT)
  }

  advance(until: number): void {
    while (this.now < until) {
      const next = this.#queue.reduce((a, b) => (b.at < a.at || (b.at === a.at && b.order < a.order) ? b : a))
      this.#queue = this.#queue.filter((entry) => entry !== next)
      this.now = next.at
      next.run()
      const leaders = this.leaders()
      assert(leaders.length <= 1, `${leaders.join(' and ')} lead at ${this.now} ms`)
    }
  }

  leaders(): string[] {
    return this.#candidates
      .filter((c) => c.o.tenure && c.o.working && !endByTime(c.o, this.#instant(c)))
      .map(({ name }) => name)
  }

  #instant({ rate, offset, slept }: Candidate): Instant {
    return { monotonic: offset + (this.now - slept) * rate, wall: 1e12 + offset + this.now * rate }
  }

  #after(millis: number, run: () => void): void {
    this.#queue.push({ at: this.now + millis, order: this.#order++, run })
  }

  /** Folds an event as soon as the process runs. */
  #tell(candidate: Candidate, event: (at: Instant) => Event): void {
    if (this.now < candidate.stoppedUntil) {
      return this.#after(candidate.stoppedUntil - this.now, () => this.#tell(candidate, event))
    }
    const before = candidate.o
    candidate.o = observe(before, event(this.#instant(candidate)))
    if (candidate.o.tenure && candidate.o.tenure.token !== before.tenure?.token) this.terms++
    const mustStop = candidate.o.working && (!candidate.o.tenure || candidate.o.tenure.ending)
    const mustStopBefore = before.working && (!before.tenure || before.tenure.ending)
    if (mustStop && !mustStopBefore)
      this.#after(this.#delay(), () => this.#tell(candidate, (at) => ({ kind: 'returned', at })))
    this.#step(candidate)
  }

  #step(candidate: Candidate): void {
    if (candidate.busy) return
    const { actions, wakeAt } = decide(candidate.o, this.#instant(candidate))
    const action = actions[0]
    if (action) return this.#perform(candidate, action)
    const wake = ++candidate.wake
    if (wakeAt === undefined || wakeAt === Infinity) return
    const millis = Math.max((wakeAt - this.#instant(candidate).monotonic) / candidate.rate, 0)
    this.#after(millis + 0.001, () => {
      if (wake === candidate.wake) this.#tell(candidate, (at) => ({ kind: 'tick', at }))
    })
  }

  #perform(candidate: Candidate, action: Action): void {
    switch (action.kind) {
      case 'tick':
        return this.#tell(candidate, (at) => ({ kind: 'tick', at }))
      case 'watch':
        if (this.#random() < 0.1)
          this.#after(this.#delay(), () => this.#tell(candidate, (at) => ({ kind: 'watching', at, open: false })))
        return this.#tell(candidate, (at) => ({ kind: 'watching', at, open: true }))
      case 'read': {
        const startedAt = this.#instant(candidate)
        return this.#request(candidate, startedAt, () => {
          const found = this.#stored
          return (at) => ({ kind: 'read', at, startedAt, found })
        })
      }
      case 'write': {
        const startedAt = this.#instant(candidate)
        const attempt: Attempt = { purpose: action.purpose, record: action.record, startedAt }
        candidate.o = observe(candidate.o, { kind: 'sent', at: startedAt, attempt })
        return this.#request(candidate, startedAt, () => {
          const found = this.#compareAndSwap(action.record, action.version)
          return (at) =>
            found === 'conflict' ? { kind: 'conflict', at, attempt } : { kind: 'wrote', at, attempt, found }
        })
      }
    }
  }

  #request(candidate: Candidate, startedAt: Instant, carryOut: () => (at: Instant) => Event): void {
    candidate.busy = true
    this.requests++
    let isOver = false
    const answer = (event: (at: Instant) => Event): void => {
      if (isOver) return
      isOver = true
      candidate.busy = false
      this.#tell(candidate, event)
    }
    this.#after(REQUEST_TIMEOUT_MILLIS, () => answer((at) => ({ kind: 'failed', at, startedAt })))
    if (this.#isLost()) return
    this.#after(this.#delay(), () => {
      const event = carryOut()
      if (!this.#isLost()) this.#after(this.#delay(), () => answer(event))
    })
  }

  #compareAndSwap(record: LeaseRecord, version: string | undefined): Versioned | 'conflict' {
    const current = this.#stored === 'absent' ? undefined : this.#stored.version
    return current === version ? this.#store(record) : 'conflict'
  }

  #store(record: LeaseRecord): Versioned {
    const stored = { record, version: String(++this.#version) }
    this.#stored = stored
    for (const candidate of this.#candidates) {
      if (this.#isLost()) continue
      this.#after(this.#delay(), () => {
        if (candidate.o.watch === 'open') this.#tell(candidate, (at) => ({ kind: 'watched', at, found: stored }))
      })
    }
    return stored
  }

  #mischief(): void {
    if (this.now > FAULTS_END_AT) return this.#after(LONGEST_STOP_MILLIS, () => this.#resumeAll())
    this.#after(this.#random() * 5_000, () => this.#mischief())
    const candidate = this.#pick(this.#candidates)
    switch (this.#pick(['stop', 'sleep', 'touch', 'stepDown', 'pause', 'return'] as const)) {
      case 'stop':
        candidate.stoppedUntil = this.now + this.#random() * LONGEST_STOP_MILLIS
        return
      case 'sleep':
        return this.#sleep(candidate, this.#pick([1_000, 2_400, 8_000, LONGEST_STOP_MILLIS]) * this.#random())
      case 'touch':
        if (this.#stored !== 'absent' && this.#random() < 0.2) this.#store(this.#stored.record)
        return
      case 'stepDown':
        this.#tell(candidate, (now) => ({ kind: 'standBack', at: now, millis: 4_000 }))
        return this.#tell(candidate, (now) => ({ kind: 'end', at: now, reason: 'stepDown' }))
      case 'pause':
        this.#after(5_000, () => this.#tell(candidate, (now) => ({ kind: 'intent', at: now, intent: 'contend' })))
        return this.#tell(candidate, (now) => ({ kind: 'intent', at: now, intent: 'paused' }))
      case 'return':
        if (candidate.o.working) this.#tell(candidate, (now) => ({ kind: 'returned', at: now }))
    }
  }

  #resumeAll(): void {
    for (const candidate of this.#candidates) this.#tell(candidate, (at) => ({ kind: 'intent', at, intent: 'contend' }))
  }

  /** The machine is suspended: nothing runs, and the monotonic clock stands still. On waking, what it did is over. */
  #sleep(candidate: Candidate, millis: number): void {
    candidate.stoppedUntil = this.now + millis
    candidate.slept += millis
  }

  #isLost(): boolean {
    return this.now < FAULTS_END_AT && this.#random() < 0.15
  }

  #delay(): number {
    if (this.now >= FAULTS_END_AT) return 1 + this.#random() * 4
    return this.#random() * this.#pick([2, 2, 2, 50, 3_000, 9_000])
  }

  #pick<T>(choices: readonly T[]): T {
    return choices[Math.floor(this.#random() * choices.length)]!
  }
}

describe('election', () => {
  it('never has two leaders, whatever is slow, lost, stopped or asleep, and has one once the faults end', () => {
    let terms = 0
    check(
      property(integer({ min: 1 }), constantFrom(2, 3), constantFrom(TIMING, TIGHTEST), (seed, candidates, timing) => {
        const world = new World({ seed, candidates, timing, drift: timing.clockDrift })
        world.run()
        terms += world.terms
        // The end may be just when one has reached its term limit, and the next one is on its way.
        if (world.leaders().length === 0) world.advance(END_AT + HAND_OVER_MILLIS)
        assert.equal(world.leaders().length, 1)
        assert(world.requests < END_AT / 1_000, `${world.requests} requests: something asks and asks`)
      }),
      runs(150),
    )
    assert(terms > 150 * 3, `only ${terms} terms: the faults leave nothing to test`)
  })

  for (const [what, timing, drift] of [
    ['clocks drift apart further than they may', TIMING, 1],
    ['the lease duration is hardly above the renew deadline', { ...TIMING, leaseDurationSeconds: 10.1 }, 0.2],
  ] as const) {
    it(`does have two leaders when ${what}: the model can tell`, () => {
      const seeds = Array.from({ length: 300 }, (_, seed) => seed)
      assert(seeds.some((seed) => hasTwoLeaders({ seed, candidates: 2, timing, drift })))
    })
  }
})

function hasTwoLeaders(setting: Setting): boolean {
  try {
    new World(setting).run()
    return false
  } catch (error) {
    assert.match(String(error), /lead at/)
    return true
  }
}

function mulberry32(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}
