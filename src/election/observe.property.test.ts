import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { runs } from '../sim/runs.ts'
import { decide, type Decision } from './decide.ts'
import { endByTime, firstObservation, type Attempt, type Instant, type Observation } from './observation.ts'
import { observe, type Event } from './observe.ts'
import type { LeaseRecord, Versioned } from './record.ts'
import { DEFAULT_TIMING, inMillis } from './timing.ts'
import { isNewer } from './version.ts'

const TIMING = inMillis(DEFAULT_TIMING)

const names = fc.constantFrom('me', 'you', '', '__proto__')
const times = fc.option(fc.constantFrom('2026-01-01T00:00:00.000001Z', '2026-01-01T00:00:00Z', 'x', ''), {
  nil: undefined,
})
const numbers = fc.constantFrom(0, 1, 15, -1, 2 ** 31 - 1, 2 ** 53)

/** Whatever a lock may hold: annotations have no validation at all. */
const record: fc.Arbitrary<LeaseRecord> = fc
  .record({
    holderIdentity: names,
    leaseDurationSeconds: numbers,
    leaseTransitions: numbers,
    acquireTime: times,
    renewTime: times,
    preferredHolder: times,
  })
  .map(({ acquireTime, renewTime, preferredHolder, ...rest }) => ({
    ...rest,
    ...(acquireTime === undefined ? {} : { acquireTime }),
    ...(renewTime === undefined ? {} : { renewTime }),
    ...(preferredHolder === undefined ? {} : { preferredHolder }),
  }))

/** What happens next, relative to what is known by then. `own`: the lock shows the write under way. */
type Step =
  | {
      readonly kind: 'read' | 'watched'
      readonly found: LeaseRecord | 'absent' | 'own'
      readonly ahead: number
      readonly refused: boolean
    }
  | { readonly kind: 'obey'; readonly answer: 'wrote' | 'conflict' | 'failed' | 'late' }
  | { readonly kind: 'watching'; readonly open: boolean }
  | { readonly kind: 'end' | 'returned' | 'tick' }
  | { readonly kind: 'standBack'; readonly millis: number }
  | { readonly kind: 'intent'; readonly intent: Observation['intent'] }

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    kind: fc.constantFrom('read' as const, 'watched' as const),
    found: fc.oneof(record, fc.constantFrom('absent' as const, 'own' as const)),
    ahead: fc.integer({ min: -2, max: 3 }),
    refused: fc.constantFrom(false, false, false, true),
  }),
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('obey' as const),
      answer: fc.constantFrom(
        'wrote' as const,
        'wrote' as const,
        'wrote' as const,
        'conflict' as const,
        'failed' as const,
        'late' as const,
      ),
    }),
  },
  fc.record({ kind: fc.constant('watching' as const), open: fc.boolean() }),
  fc.record({ kind: fc.constantFrom('end' as const, 'returned' as const, 'tick' as const) }),
  fc.record({ kind: fc.constant('standBack' as const), millis: fc.nat(5_000) }),
  fc.record({
    kind: fc.constant('intent' as const),
    intent: fc.constantFrom('contend' as const, 'contend' as const, 'paused' as const, 'withdrawn' as const),
  }),
)
const pause = fc.record({
  millis: fc.oneof(fc.nat(3_000), fc.constantFrom(0, 20_000)),
  stepWall: fc.constantFrom(0, 0, 0, 0, 3_600_000, -3_600_000, 500),
})
const steps = fc.array(fc.tuple(step, pause), { maxLength: 40 })

/** One candidate and its lock, which answers in any order and with anything. */
class Play {
  o: Observation
  readonly terms: { readonly number: number; readonly token: string }[] = []
  #now: Instant = { monotonic: 1_000, wall: 1e12 }
  #version = 10

  constructor(coordinated: boolean) {
    const rules = coordinated ? { coordinated: true, mayCreate: false } : {}
    this.o = firstObservation({ identity: 'me', timing: TIMING, phase: 0.5, canWatch: true, rules })
  }

  pass({ millis, stepWall }: { readonly millis: number; readonly stepWall: number }): void {
    this.#now = { monotonic: this.#now.monotonic + millis, wall: this.#now.wall + millis + stepWall }
  }

  take(next: Step): void {
    const at = this.#now
    switch (next.kind) {
      case 'read':
        return this.#fold({ kind: 'read', at, startedAt: at, found: this.#found(next) })
      case 'watched':
        return this.#fold({ kind: 'watched', at, found: this.#found(next) })
      case 'obey':
        return this.#obey(next.answer)
      case 'watching':
        return this.#fold({ kind: 'watching', at, open: next.open })
      case 'end':
        return this.#fold({ kind: 'end', at, reason: 'stepDown' })
      case 'standBack':
        return this.#fold({ kind: 'standBack', at, millis: next.millis })
      case 'intent':
        return this.#fold({ kind: 'intent', at, intent: next.intent })
      case 'returned':
      case 'tick':
        return this.#fold({ kind: next.kind, at })
    }
  }

  /** Does what is decided, and the lock answers. */
  #obey(answer: 'wrote' | 'conflict' | 'failed' | 'late'): void {
    const at = this.#now
    for (const action of decide(this.o, at).actions) {
      if (action.kind === 'tick') this.#fold({ kind: 'tick', at })
      if (action.kind === 'read') this.#fold({ kind: 'failed', at, startedAt: at })
      if (action.kind === 'watch') this.#fold({ kind: 'watching', at, open: true })
      if (action.kind !== 'write') continue
      const attempt: Attempt = { purpose: action.purpose, record: action.record, startedAt: at }
      this.#fold({ kind: 'sent', at, attempt })
      if (answer === 'late') this.pass({ millis: TIMING.renewDeadlineMillis, stepWall: 0 })
      if (answer === 'conflict') this.#fold({ kind: 'conflict', at: this.#now, attempt })
      else if (answer === 'failed') this.#fold({ kind: 'failed', at: this.#now, startedAt: at })
      else
        this.#fold({
          kind: 'wrote',
          at: this.#now,
          attempt,
          found: { record: action.record, version: String(++this.#version) },
        })
    }
  }

  #found({ found, ahead, refused }: Extract<Step, { kind: 'read' | 'watched' }>): Versioned | 'absent' {
    const own = this.o.attempts[0]?.record
    if (found === 'absent' || (found === 'own' && !own)) return 'absent'
    this.#version = Math.max(this.#version, this.#version + ahead)
    const version = String(Math.max(1, ahead < 0 ? this.#version + ahead : this.#version))
    return { record: found === 'own' ? own! : found, version, ...(refused ? { refused: 'not ours' } : {}) }
  }

  #fold(event: Event): void {
    const before = this.o
    this.o = observe(before, event)
    const { tenure } = this.o
    if (tenure && tenure.token !== before.tenure?.token) this.terms.push({ number: tenure.number, token: tenure.token })
    check(this.o, event.at)
  }
}

function check(o: Observation, now: Instant): void {
  const frozen = structuredClone(o)
  const decision = decide(o, now)
  assert.deepEqual(decide(o, now), decision)
  assert.deepEqual(o, frozen)
  assert.equal(endByTime(o, now), undefined, 'a term stands whose time is over')
  checkDecision(o, decision, now)
}

function checkDecision(o: Observation, { actions, wakeAt }: Decision, now: Instant): void {
  assert.ok(wakeAt === undefined || (wakeAt > now.monotonic && !Number.isNaN(wakeAt)), `wakes at ${wakeAt}`)
  const requests = actions.filter(({ kind }) => kind === 'read' || kind === 'write')
  assert.ok(requests.length <= 1, 'more than one request at a time')
  for (const action of actions) {
    if (action.kind !== 'write') continue
    const { purpose, record: next, version } = action
    if (purpose === 'acquire') {
      assert.ok(!o.tenure && !o.working && o.intent === 'contend')
      assert.equal(version, o.sight?.kind === 'record' ? o.sight.version : undefined)
      assert.ok(o.sight?.kind !== 'record' || o.sight.refused === undefined)
    } else {
      assert.ok(o.tenure)
      assert.equal(version, o.tenure.version)
      assert.equal(next.leaseTransitions, o.tenure.number)
    }
    assert.equal(next.holderIdentity, purpose === 'release' ? '' : 'me')
    assert.equal(purpose === 'release', o.tenure?.ending !== undefined)
    if (purpose === 'release') assert.equal(o.working, false)
    assert.ok(next.leaseDurationSeconds > 0 && next.leaseTransitions <= 2 ** 31 - 1)
  }
}

describe('one candidate, whatever its lock shows', () => {
  it('never throws, leads no term beyond its time, and writes only what is its own to write', () => {
    let terms = 0
    fc.assert(
      fc.property(fc.constantFrom(false, false, true), steps, (coordinated, all) => {
        const play = new Play(coordinated)
        for (const [next, between] of all) {
          play.take(next)
          play.pass(between)
        }
        for (const [index, { token }] of play.terms.entries()) {
          const before = play.terms[index - 1]
          assert.ok(before === undefined || isNewer(token, before.token), 'a fencing token came again')
        }
        terms += play.terms.length
      }),
      runs(1000),
    )
    assert.ok(terms > 0, 'nothing was ever led, so nothing was shown')
  })
})
