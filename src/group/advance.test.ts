import assert from 'node:assert/strict'
import { advance } from './advance.ts'
import { FORGED_LEAP } from './gate/gate.ts'
import type { ObservedLease, ObservedPod } from './observation.ts'
import { bornLease, group, heldLease, observation, pod, stamped, view } from './fixtures.ts'

const LAST_TERM = 2 ** 53 - 2
const FOREIGN = 'gate-0'
const next = pod('db-1', stamped(0))
const born = bornLease()
const held = (term: number): ObservedLease => heldLease('db-0', term)

/** `undefined`: the gate does not advance. */
type Row = readonly [
  rule: string,
  lease: ObservedLease,
  statusTerm: number | undefined,
  pods: readonly ObservedPod[],
  term: number | undefined,
]

const ROWS: readonly Row[] = [
  ['one above the gate’s term', held(4), 4, [], 5],
  ['one above status, where that is higher', held(4), 9, [], 10],
  ['one above a stamp', held(4), 4, [pod('a', stamped(12))], 13],
  ['also a stamp of another gate', held(4), 4, [pod('a', stamped(12, FOREIGN))], 13],
  ['also on a pod that is not selected', held(4), 4, [pod('a', { selected: false, ...stamped(12) })], 13],
  ['one above a term on a pod', held(4), 4, [pod('a', { term: '20' })], 21],
  ['one above the highest of all', held(4), 7, [pod('a', stamped(12)), pod('b', { term: '5' })], 13],
  ['two under a gate that is new in a new group', born, undefined, [], 2],
  ['two above status under a new gate', born, 4, [], 6],
  ['two above a pod’s number under a new gate', born, 4, [pod('a', stamped(7, FOREIGN)), pod('b', { term: '8' })], 10],
  ['whatever malformed numbers are about', held(4), 4, [pod('a', { sealed: 'gate-1/', term: '-3' })], 5],
  ['nor such as look like numbers', held(4), 4, [pod('a', { sealed: 'gate-1/1e9', term: '0x99' })], 5],
  ['nor with leading zeros or blanks', held(4), 4, [pod('a', { sealed: 'gate-1/ 9', term: '09' })], 5],
  ['nor beyond the last term', held(4), 4, [pod('a', { sealed: `gate-1/${2 ** 53 - 1}`, term: '9'.repeat(40) })], 5],
  [
    'nor forged with a leap',
    held(4),
    4,
    [pod('a', stamped(4 + FORGED_LEAP)), pod('b', { term: String(LAST_TERM) })],
    5,
  ],
  ['up to the last term', held(LAST_TERM - 1), LAST_TERM - 1, [], LAST_TERM],
  ['and not above it', held(LAST_TERM), LAST_TERM, [], undefined],
  ['nor two above it under a new gate', born, LAST_TERM - 1, [], undefined],
  ['not before status shows the term', held(4), 3, [], undefined],
  ['not before there is any status', held(4), undefined, [], undefined],
]

describe('advance: the next term', () => {
  for (const [rule, lease, statusTerm, pods, term] of ROWS) {
    it(rule, () => {
      const status = statusTerm === undefined ? undefined : { term: statusTerm }
      const o = observation({ lease, pods: [...pods, next], group: group({ status }) })
      const { urgent } = advance(view(lease === born ? 'open' : 'held', o), next, 'why')
      const [action] = urgent
      assert.equal(action?.kind === 'advanceGate' ? action.term : undefined, term)
      assert.ok(urgent.length <= 1)
    })
  }

  it('asks for the status when that is what is missing', () => {
    const election = advance(
      view('held', observation({ lease: held(4), group: group({ status: { term: 3 } }) })),
      next,
      'why',
    )
    assert.deepEqual(election.urgent, [])
    assert.equal(election.reason, 'why: recording term 4 before the next')
  })

  it('says what to do when there is no higher term', () => {
    const o = observation({ lease: held(LAST_TERM), group: group({ status: { term: LAST_TERM } }) })
    assert.match(advance(view('held', o), next, 'why').reason, /delete the group and create it again/)
  })
})
