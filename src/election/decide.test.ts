import { strict as assert } from 'node:assert'
import { decide, type Action } from './decide.ts'
import {
  firstObservation,
  type Attempt,
  type Instant,
  type Observation,
  type Sight,
  type Tenure,
} from './observation.ts'
import type { LeaseRecord } from './record.ts'
import { DEFAULT_TIMING, inMillis } from './timing.ts'

const HOUR_BEFORE = '2025-12-31T23:00:00.000000Z'
const HOUR_AFTER = '2026-01-01T01:00:00.000000Z'
/** As client-go writes times into annotations. */
const SECOND = '2026-01-01T00:00:00Z'
const WALL = Date.UTC(2026, 0, 1)
const at = (seconds: number): Instant => ({ monotonic: seconds * 1000, wall: WALL + seconds * 1000 })

/** What candidate `a` knows, in seconds; phase 0.5, no watch unless said. */
function candidate(change: Partial<Observation> = {}): Observation {
  const first = firstObservation({ identity: 'a', timing: inMillis(DEFAULT_TIMING), phase: 0.5, canWatch: false })
  return { ...first, ...change }
}

function held(
  holderIdentity: string,
  { since = 0, ...record }: { since?: number } & Partial<LeaseRecord> = {},
): Partial<Observation> {
  const full = { holderIdentity, leaseDurationSeconds: 15, leaseTransitions: 4, ...record }
  const sight: Sight = { kind: 'record', record: full, version: '70', refused: undefined, since: since * 1000 }
  return { sight, newestVersion: '70', lastNumber: full.leaseTransitions, heardAt: since * 1000 }
}

function leading(change: Partial<Tenure> & { working?: boolean; strategy?: string } = {}): Partial<Observation> {
  const { working = true, strategy, ...tenure } = change
  const acquireTime = '2026-01-01T00:00:00.000000Z'
  return {
    ...held('a', { acquireTime, ...(strategy ? { strategy } : {}) }),
    working,
    tenure: {
      number: 4,
      token: '60',
      acquireTime,
      version: '70',
      renewedAt: at(0),
      limitAt: Infinity,
      ending: undefined,
      ...tenure,
    },
  }
}

const absent: Partial<Observation> = { sight: { kind: 'absent' }, heardAt: 0 }
const lost: Attempt = {
  purpose: 'renew',
  startedAt: at(0),
  record: { holderIdentity: 'a', leaseDurationSeconds: 15, leaseTransitions: 4 },
}

const inWords = (action: Action): string =>
  action.kind !== 'write'
    ? action.kind
    : `${action.purpose} ${action.record.holderIdentity || 'nobody'}#${action.record.leaseTransitions}@${action.version ?? 'none'}${action.record.strategy ? ` ${action.record.strategy}` : ''}`

type Row = readonly [what: string, knows: Partial<Observation>, now: number, does: string, wakesAt?: number]

const theirs: Partial<Observation> = { rules: { mayCreate: false, coordinated: false } }
const coordinated: Partial<Observation> = { rules: { mayCreate: false, coordinated: true } }
const STRATEGY = { strategy: 'OldestEmulationVersion' }

const ROWS: readonly Row[] = [
  ['sees no object, which is not its to create', { ...absent, ...theirs }, 0, '', 3.4],
  ['sees no object that is not its to create, and has heard nothing since', { ...absent, ...theirs }, 3.4, 'read'],
  ['outwaits what whole seconds hide', { ...held('b', { renewTime: SECOND }), heardAt: 15_000 }, 15.999, '', 16],
  [
    'has outwaited what whole seconds hide',
    { ...held('b', { renewTime: SECOND }), heardAt: 15_000 },
    16,
    'acquire a#5@70',
  ],
  ['waits for no lock of a coordinator to take it', { ...absent, ...coordinated }, 0, '', 3.4],
  ['sees a coordinated lock that names nobody', { ...held(''), ...coordinated }, 0, '', 3.4],
  ['never takes a coordinated lock, however silent', { ...held('b'), ...coordinated, heardAt: 99_000 }, 99, '', 102.4],
  [
    'is named by the coordinator',
    { ...held('a', STRATEGY), ...coordinated },
    0,
    'acquire a#5@70 OldestEmulationVersion',
  ],
  ['is named, but not for long', { ...held('a', { preferredHolder: 'b' }), ...coordinated }, 0, '', 3.4],
  [
    'renews what a coordinator gave',
    { ...leading(STRATEGY), ...coordinated },
    2,
    'renew a#4@70 OldestEmulationVersion',
  ],
  [
    'releases what a coordinator gave',
    { ...leading({ ...STRATEGY, ending: 'preferred', working: false }), ...coordinated },
    2,
    'release nobody#4@70 OldestEmulationVersion',
  ],
  ['drops the strategy of a lock that it elects on', leading(STRATEGY), 2, 'renew a#4@70'],
  ['knows nothing', {}, 0, 'read'],
  ['knows nothing, and was just refused', { retryAt: 3_000 }, 1, '', 3],
  ['knows nothing, and was refused for long enough', { retryAt: 3_000 }, 3, 'read'],
  ['leads up to its limit', leading({ renewedAt: at(1), limitAt: 2_500 }), 2, '', 2.5],
  ['leads, and has reached its limit', leading({ renewedAt: at(1), limitAt: 2_500 }), 2.5, 'tick'],
  ['sees no lock object', absent, 0, 'acquire a#0@none'],
  ['sees no lock object any more', { ...absent, lastNumber: 6 }, 0, 'acquire a#7@none'],
  ['sees a released lock', held(''), 0, 'acquire a#5@70'],
  ['sees a released lock, but has just failed', { ...held(''), retryAt: 3_000 }, 1, '', 3],
  ['sees a released lock, but has lost the race', { ...held(''), doubt: true }, 0, 'read'],
  ['sees its own name on a lock that it does not lead', held('a'), 0, 'acquire a#5@70'],
  ['sees a name that begins with its own', held('ab'), 0, '', 3.4],
  ['sees another lead', held('b'), 1, '', 3.4],
  ['sees a holder whose clock lags by an hour', held('b', { renewTime: HOUR_BEFORE }), 1, '', 3.4],
  [
    'has outwaited a holder whose clock is ahead by an hour',
    held('b', { renewTime: HOUR_AFTER }),
    15,
    'acquire a#5@70',
  ],
  ['has heard nothing for longer than renewals are apart', held('b'), 3.4, 'read'],
  ['waits, with the end nearer than the next look', { ...held('b'), heardAt: 12_000 }, 13, '', 15],
  ['is just before the end of a silent holder', { ...held('b'), heardAt: 14_000 }, 14.999, '', 15],
  ['is at the end of a silent holder', { ...held('b'), heardAt: 14_000 }, 15, 'acquire a#5@70'],
  ['goes by the duration of the record', held('b', { leaseDurationSeconds: 1 }), 1, 'acquire a#5@70'],
  [
    'gives a holder without duration its own',
    { ...held('b', { leaseDurationSeconds: 0 }), heardAt: 14_000 },
    14.9,
    '',
    15,
  ],
  [
    'outwaits a holder without duration',
    { ...held('b', { leaseDurationSeconds: 0 }), heardAt: 14_000 },
    15,
    'acquire a#5@70',
  ],
  ['looks at a lock that is not to be taken, now and then', refused(), 100, 'read'],
  ['does not take a lock that is not to be taken', { ...refused(), heardAt: 99_000 }, 100, '', 102.4],
  ['stands back from a free lock', { ...held(''), standBackUntil: 5_000, heardAt: 4_000 }, 4, '', 5],
  ['stands back from its own name', { ...held('a'), standBackUntil: 5_000, heardAt: 4_000 }, 4, '', 5],
  ['stands back though there is no object', { ...absent, standBackUntil: 5_000, heardAt: 4_000 }, 4, '', 5],
  [
    'stands back though the coordinator names it',
    { ...held('a', STRATEGY), ...coordinated, standBackUntil: 5_000, heardAt: 4_000 },
    4,
    '',
    5,
  ],
  ['has stood back', { ...held(''), standBackUntil: 5_000 }, 5, 'acquire a#5@70'],
  ['is paused', { ...held(''), intent: 'paused' }, 1, '', 3.4],
  ['is withdrawn', { ...held(''), intent: 'withdrawn' }, 1, ''],
  ['is withdrawn, and its watch has ended', { ...held(''), intent: 'withdrawn', watch: 'closed' }, 1, ''],
  [
    'is withdrawn, and the lock is free before its lost write is there',
    { ...held(''), intent: 'withdrawn', attempts: [lost] },
    1,
    '',
    3.4,
  ],
  [
    'is withdrawn, with a write whose answer is lost',
    { ...held('b'), intent: 'withdrawn', attempts: [lost], doubt: true },
    1,
    'read',
  ],
  [
    'is withdrawn, and its lost write is not there yet',
    { ...held('b'), intent: 'withdrawn', attempts: [lost] },
    1,
    '',
    3.4,
  ],
  ['waits for the work of a lost term', { ...held(''), working: true }, 1, ''],
  ['has a lost write of a lost term, and has looked', { ...held('a'), attempts: [lost] }, 1, 'acquire a#5@70'],

  ['leads', leading(), 0, '', 2],
  ['is due to renew', leading(), 2, 'renew a#4@70'],
  ['is due to renew, but has just failed', { ...leading(), retryAt: 4_000 }, 3, '', 4],
  ['would try again only after the deadline', { ...leading(), retryAt: 11_000 }, 9, '', 10],
  [
    'tries again after a lost answer with the version it knows',
    { ...leading(), attempts: [lost], retryAt: 4_000 },
    4,
    'renew a#4@70',
  ],
  ['leads in doubt', { ...leading(), doubt: true }, 1, 'read'],
  ['is at the deadline', leading(), 10, 'tick'],
  ['leads to the end though it cannot watch', { ...leading(), watch: 'closed', watchAgainAt: 3_000 }, 1, '', 2],
  ['is ending, with its work still running', leading({ ending: 'stepDown' }), 3, '', 10],
  ['is ending, and its work has returned', leading({ ending: 'stepDown', working: false }), 3, 'release nobody#4@70'],
  ['is releasing in doubt', { ...leading({ ending: 'done', working: false }), doubt: true }, 3, 'read'],
  ['failed to release', { ...leading({ ending: 'done', working: false }), retryAt: 5_000 }, 3, '', 5],
  ['is past the deadline of its release', leading({ ending: 'done', working: false }), 10, 'tick'],

  ['can watch', { watch: 'closed' }, 0, 'watch, read'],
  ['leads and can watch again', { ...leading(), watch: 'closed', watchAgainAt: 1_000 }, 1, 'watch', 2],
  ['waits to watch again', { ...held('b'), watch: 'closed', watchAgainAt: 2_000 }, 1, '', 2],
  ['watches', { ...held('b'), watch: 'open' }, 1, '', 3.4],
]

function refused(): Partial<Observation> {
  const { sight, ...rest } = held('b')
  return { ...rest, sight: { ...(sight as Extract<Sight, { kind: 'record' }>), refused: 'assigned' } }
}

describe('decide', () => {
  for (const [what, knows, now, does, wakesAt] of ROWS) {
    it(`${what}: ${does || 'nothing'}${wakesAt === undefined ? '' : `, again at ${wakesAt} s`}`, () => {
      const { actions, wakeAt, reason } = decide(candidate(knows), at(now))
      assert.equal(actions.map(inWords).join(', '), does)
      assert.equal(actions.length > 0, does !== '')
      assert.equal(wakeAt === undefined ? wakeAt : wakeAt / 1000, wakesAt)
      assert.notEqual(reason, '')
    })
  }

  it('notices that the wall clock has jumped', () => {
    const { monotonic, wall } = at(2.9)
    const leader = candidate(leading({ renewedAt: at(1) }))
    for (const jump of [2_501, -2_501]) {
      assert.deepEqual(decide(leader, { monotonic, wall: wall + jump }).actions, [{ kind: 'tick' }])
    }
    assert.deepEqual(decide(leader, { monotonic, wall: wall - 2_500 }).actions, [])
  })

  it('writes the duration that it is set to', () => {
    for (const knows of [held('', { leaseDurationSeconds: 1 }), leading()]) {
      const [action] = decide(candidate(knows), at(2)).actions
      assert.equal(action?.kind === 'write' ? action.record.leaseDurationSeconds : action, 15)
    }
  })

  it('leads no longer for a wall clock that was set back', () => {
    const { monotonic, wall } = at(10)
    assert.deepEqual(decide(candidate(leading()), { monotonic, wall: wall - 2_000 }).actions, [{ kind: 'tick' }])
  })

  it('counts what the wall clock has gained as time that has passed', () => {
    const { monotonic, wall } = at(8.5)
    const retrying = candidate({ ...leading(), retryAt: 9_900 })
    assert.deepEqual(decide(retrying, { monotonic, wall: wall + 1_499 }).actions, [])
    assert.deepEqual(decide(retrying, { monotonic, wall: wall + 1_500 }).actions, [{ kind: 'tick' }])
  })
})
