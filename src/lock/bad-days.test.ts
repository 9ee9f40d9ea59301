import { strict as assert } from 'node:assert'
import type { EndReason } from '../election/observation.ts'
import { Leases, type Lease, type LeaseSpec } from '../kube/objects.ts'
import type { TransportRequest } from '../kube/transport.ts'
import { KEY, Stage, untilAborted, type Fate } from '../sim/election-stage.ts'
import type { ElectionErrorCode, TermEndedError } from './errors.ts'

type Candidate = ReturnType<Stage['candidate']>

/** `a` leads in term 0 and renewed at 2 s; `b`, whose day is good, follows. */
const BEGINS_AT = 3_000
/** Long enough for two lease durations. */
const ENDS_AT = 40_000
const SETTLED_AT = 60_000
const STEP_MILLIS = 100
/** Whoever asks sees what the elector itself would see with its next timer. */
const FIRST_LOOK = BEGINS_AT + STEP_MILLIS

/** Terms end renewDeadline after the start of the last renewal; others may lead leaseDuration after they saw it. */
const DEADLINE = 2_000 + 10_000
const EXPIRY = 2_000 + 15_000

interface BadDay {
  readonly what: string
  /** What happens to requests of `a` meanwhile. */
  readonly fate?: (request: TransportRequest) => Fate
  readonly begin?: (stage: Stage, a: Candidate) => unknown
  readonly end?: (stage: Stage, a: Candidate) => unknown
  /** The terms until everything has settled, of both: who, number, from when until when, and why it ended. */
  readonly terms: readonly TermLine[]
  /** What is reported to `a`'s onError, each once. */
  readonly errors?: readonly ElectionErrorCode[]
}

type TermLine = readonly [holder: string, number: number, from: number, to?: number, reason?: EndReason]

/** Led by `a` until its deadline, and by `b` from the expiry on: the world as it should be when `a` is cut off. */
const CUT_OFF: BadDay['terms'] = [
  ['a', 0, 0, DEADLINE, 'deadline'],
  ['b', 1, EXPIRY],
]
/** What ended at once is led again at once, by the one who saw it first. */
const interrupted = (reason: EndReason, at = BEGINS_AT): BadDay['terms'] => [
  ['a', 0, 0, at, reason],
  ['a', 1, at],
]
const LED_ON: BadDay['terms'] = [['a', 0, 0]]

const isWrite = ({ method }: TransportRequest): boolean => method !== 'GET'
const status = (code: number, reason: string, headers: Record<string, string> = {}) => ({
  status: code,
  headers,
  body: JSON.stringify({ kind: 'Status', status: 'Failure', code, reason, message: `no: ${reason}` }),
})
const spec = (change: (lease: Lease) => LeaseSpec | null) => (stage: Stage) =>
  stage.edit((lease) => ({ ...lease, spec: change(lease) }))

const DAYS: readonly BadDay[] = [
  { what: 'the API server takes 1.5 s for every answer', fate: () => 1_500, terms: LED_ON },
  {
    what: 'the API server takes 6 s for every answer: longer than a request may take',
    fate: () => 6_000,
    // What arrives late is known by the watch, and counts from when it was sent: of each term 4 s are left, too few to
    // renew it. As long as that succeeds nobody else may lead, and the last of them was still slow.
    terms: [
      ['a', 0, 0, 14_000, 'deadline'],
      ['a', 1, 20_000, 24_000, 'deadline'],
      ['a', 2, 30_000, 34_000, 'deadline'],
      ['a', 3, 40_000, 44_000, 'deadline'],
      ['a', 4, 44_000],
    ],
    errors: ['unreachable'],
  },
  { what: 'the API server is gone', fate: () => 'gone', terms: CUT_OFF, errors: ['unreachable'] },
  { what: 'the API server accepts and never answers', fate: () => 'hang', terms: CUT_OFF, errors: ['unreachable'] },
  {
    what: 'the API server carries out and never answers',
    fate: (request) => (isWrite(request) ? 'mute' : 'pass'),
    terms: LED_ON,
    errors: ['unreachable'],
  },
  {
    what: 'requests hang past every deadline, and arrive 30 s late',
    fate: () => 30_000,
    terms: CUT_OFF,
    errors: ['unreachable'],
  },
  { what: 'the client ignores cancellation', fate: () => 'deaf', terms: CUT_OFF, errors: ['unreachable'] },
  {
    what: 'the API server answers 429',
    fate: () => status(429, 'TooManyRequests', { 'retry-after': '1' }),
    terms: CUT_OFF,
    errors: ['unreachable'],
  },
  {
    what: 'the API server answers 500',
    fate: () => status(500, 'InternalError'),
    terms: CUT_OFF,
    errors: ['unreachable'],
  },
  {
    what: 'a proxy answers with a page',
    fate: () => ({ status: 200, body: '<html>Please log in</html>' }),
    terms: CUT_OFF,
    errors: ['unreachable'],
  },
  {
    what: 'a proxy answers with other JSON',
    fate: () => ({ status: 200, body: '{"ok":true}' }),
    terms: CUT_OFF,
    errors: ['invalid'],
  },
  {
    what: 'the credentials are not accepted',
    fate: () => status(401, 'Unauthorized'),
    terms: CUT_OFF,
    errors: ['forbidden'],
  },
  {
    what: 'RBAC forbids to write the Lease',
    fate: (request) => (isWrite(request) ? status(403, 'Forbidden') : 'pass'),
    terms: CUT_OFF,
    errors: ['forbidden'],
  },
  { what: 'RBAC forbids everything', fate: () => status(403, 'Forbidden'), terms: CUT_OFF, errors: ['forbidden'] },
  {
    what: 'the server’s validation refuses what is written',
    fate: (request) => (isWrite(request) ? status(422, 'Invalid') : 'pass'),
    terms: CUT_OFF,
    errors: ['invalid'],
  },
  {
    what: 'the process is stopped for 37 s',
    begin: (_stage, a) => a.process.stop(),
    end: (_stage, a) => {
      assert.equal(a.elector.isLeader(), false, 'the first answer is true already')
      a.process.resume()
    },
    terms: [
      ['a', 0, 0, ENDS_AT, 'deadline'],
      ['b', 1, EXPIRY],
    ],
  },
  {
    what: 'the wall clock is stepped an hour forward',
    begin: (stage) => stage.clock.stepWall(3_600_000),
    terms: interrupted('suspended', FIRST_LOOK),
  },
  {
    what: 'the wall clock is stepped an hour back',
    begin: (stage) => stage.clock.stepWall(-3_600_000),
    terms: interrupted('suspended', FIRST_LOOK),
  },
  {
    what: 'the Lease is deleted',
    begin: (stage) => stage.admin.delete(Leases, KEY),
    terms: [
      ['a', 0, 0, BEGINS_AT, 'changed'],
      ['b', 1, BEGINS_AT],
    ],
  },
  {
    what: 'the Lease is emptied',
    begin: spec(() => null),
    terms: [
      ['a', 0, 0, BEGINS_AT, 'changed'],
      ['b', 1, BEGINS_AT],
    ],
  },
  {
    what: 'the Lease gets a holder that nobody is, and nonsense beside it',
    begin: spec(() => ({
      holderIdentity: '\u0000💥',
      leaseDurationSeconds: 1,
      leaseTransitions: 2 ** 31 - 1,
      acquireTime: '9999-12-31T23:59:59.999999Z',
      renewTime: '0001-01-01T00:00:00.000000Z',
    })),
    terms: [
      ['a', 0, 0, BEGINS_AT, 'taken'],
      ['b', 2 ** 31 - 1, BEGINS_AT + 1_000],
    ],
  },
  {
    what: 'the Lease keeps its holder and loses everything else',
    begin: spec(() => ({ holderIdentity: 'a' })),
    terms: interrupted('changed'),
  },
]

describe('a bad day of an elector', () => {
  let unhandled: unknown[]
  const onUnhandled = (reason: unknown): void => void unhandled.push(reason)
  beforeEach(() => {
    unhandled = []
    process.on('unhandledRejection', onUnhandled)
  })
  afterEach(() => void process.off('unhandledRejection', onUnhandled))

  for (const day of DAYS) {
    it(`${day.what}: ${day.terms.map(inWords).join(', ')}`, async () => {
      const stage = new Stage()
      const terms: TermLine[] = []
      const candidates = [contend(stage, 'a', terms)]
      await stage.clock.advance(1)
      candidates.push(contend(stage, 'b', terms))
      const [a] = candidates as [Contender]
      await advance(stage, candidates, BEGINS_AT - 1)
      await Promise.all([day.begin?.(stage, a.candidate), stage.clock.settle()])
      if (day.fate) a.candidate.fate = day.fate
      await advance(stage, candidates, ENDS_AT - BEGINS_AT)
      day.end?.(stage, a.candidate)
      a.candidate.fate = () => 'pass'
      await advance(stage, candidates, SETTLED_AT - ENDS_AT)
      assert.deepEqual(terms.map(inWords), day.terms.map(inWords))
      assert.deepEqual([...new Set(a.candidate.errors.map(({ code }) => code))].toSorted(), day.errors ?? [])
      await contendsAgain(stage, candidates, terms)
      assert.deepEqual([unhandled, [...stage.storms]], [[], []])
    })
  }
})

interface Contender {
  readonly candidate: Candidate
  readonly stop: AbortController
  readonly led: Promise<unknown>
}

function contend(stage: Stage, identity: string, terms: TermLine[]): Contender {
  const candidate = stage.candidate(identity)
  const stop = new AbortController()
  const led = candidate.elector.lead(
    async (term) => {
      const at = terms.push([identity, term.number, stage.clock.now()]) - 1
      await untilAborted(term)
      const { reason } = term.signal.reason as TermEndedError
      terms[at] = [identity, term.number, terms[at]![2], stage.clock.now(), reason]
    },
    { signal: stop.signal },
  )
  return { candidate, stop, led }
}

/** At no time do both say that they lead. One that is stopped says nothing. */
async function advance(stage: Stage, candidates: readonly Contender[], millis: number): Promise<void> {
  for (let passed = 0; passed < millis; passed += STEP_MILLIS) {
    await stage.clock.advance(Math.min(STEP_MILLIS, millis - passed))
    const leading = candidates.filter(({ candidate }) => !candidate.process.isStopped && candidate.elector.isLeader())
    assert(leading.length <= 1, `${leading.length} lead at ${stage.clock.now()} ms`)
  }
}

/** When `b` withdraws, `a` leads within an instant, under a number above all; when it withdraws too, nothing is left. */
async function contendsAgain(stage: Stage, [a, b]: readonly Contender[], terms: readonly TermLine[]): Promise<void> {
  b!.stop.abort()
  await stage.clock.settle()
  await b!.led
  assert.equal(a!.candidate.elector.isLeader(), true)
  const [numberOfA, ...others] = terms.map(([, number]) => number).toReversed()
  assert(others.every((number) => number < numberOfA! || numberOfA === 2 ** 31 - 1))
  a!.stop.abort()
  await stage.clock.settle()
  await a!.led
  assert.equal(await stage.holder(), '')
  await stage.clock.advance(SETTLED_AT)
  assert.equal(stage.clock.nextTimerAt(), undefined)
}

function inWords([holder, number, from, to, reason]: TermLine): string {
  return `${holder} leads in term ${number} from ${from} ms${to === undefined ? '' : ` to ${to} ms (${reason})`}`
}
