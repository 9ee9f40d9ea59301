import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { GROUP_UID, group } from '../fixtures.ts'
import { bornStatus, heldStatus, vacantStatus } from '../followed-fixtures.ts'
import type { Gate, LiveGate } from './gate-state.ts'
import { FORGED_LEAP } from './gate.ts'
import type { LeaderGroupStatus } from '../leadergroup.ts'
import { gateInStatus, markedGate, statusGate } from './status-gate.ts'

const SEEN = { groupSeenAt: 20, groupReadAt: 21 }
const held = (change: LeaderGroupStatus): LeaderGroupStatus => heldStatus('db-0', 4, change)

function inWords(gate: Gate): string {
  const term = 'term' in gate ? ` ${gate.term}` : ''
  const holder = gate.kind === 'held' ? ` by ${gate.holder.name} ${gate.holder.uid}` : ''
  return `${gate.kind}${term}${holder}`
}

function without(status: LeaderGroupStatus, key: keyof LeaderGroupStatus): LeaderGroupStatus {
  const { [key]: _, ...rest } = status
  return rest
}

const ROWS: readonly (readonly [string, LeaderGroupStatus | undefined, string])[] = [
  ['no status', undefined, 'absent'],
  ['no mark', without(held({}), 'gate'), 'absent'],
  ['an empty mark', held({ gate: '' }), 'absent'],
  ['a mark without a term', held({ gate: 'db-0_uid-db-0/group-1' }), 'absent'],
  ['a mark with a name and no UID', held({ gate: 'db-0/group-1/4' }), 'absent'],
  ['a mark beyond the last term', held({ gate: `db-0_uid-db-0/group-1/${2 ** 53 - 1}` }), 'absent'],
  ['just born', bornStatus(4), 'open 4'],
  ['born at term 0', bornStatus(0), 'open 0'],
  ['named by us', held({}), 'held 4 by db-0 uid-db-0'],
  ['of the name constructor', heldStatus('constructor', 4), 'held 4 by constructor uid-constructor'],
  [
    'named by us, with another identity, version and condition',
    held({ holderIdentity: 'x', leaseVersion: '' }),
    'held 4 by db-0 uid-db-0',
  ],
  ['emptied by us', vacantStatus(4), 'vacant 4'],
  ['put back from a copy of a group that is gone', held({ gate: 'db-0_uid-db-0/group-0/4' }), 'open 4'],
  ['emptied, and put back from such a copy', vacantStatus(4, { gate: '-/group-0/4' }), 'open 4'],
  ['without a term', without(held({}), 'term'), 'open 4'],
  ['with a lower term', held({ term: 3 }), 'open 4'],
  ['with a higher term, which must not come again', held({ term: 9 }), 'open 9'],
  ['with a term beyond all reason', held({ term: 4 + FORGED_LEAP }), 'open 4'],
  ['with a term that is none', held({ term: 2 ** 53 }), 'open 4'],
  ['with a mark that was set back', held({ gate: 'db-0_uid-db-0/group-1/2' }), 'open 4'],
  ['without a holder', without(held({}), 'holder'), 'open 4'],
  ['with another holder', held({ holder: 'db-1' }), 'open 4'],
  ['without a UID', without(held({}), 'holderUID'), 'open 4'],
  ['with another UID', held({ holderUID: 'uid-db-1' }), 'open 4'],
  ['marked for another', held({ gate: 'db-1_uid-db-1/group-1/4' }), 'open 4'],
  ['marked for nobody', held({ gate: '-/group-1/4' }), 'open 4'],
  ['emptied by us, and given a holder', vacantStatus(4, { holder: 'db-0' }), 'open 4'],
  ['emptied by us, and given a UID', vacantStatus(4, { holderUID: 'uid-db-0' }), 'open 4'],
  ['emptied by us, and counted up', vacantStatus(4, { term: 5 }), 'open 5'],
]

describe('what status says as the gate', () => {
  for (const [what, status, expected] of ROWS) {
    it(`${what}: ${expected}`, () => assert.equal(inWords(statusGate(SEEN, group({ status }))), expected))
  }

  it('is the group in the version that was seen', () => {
    const expected = { uid: GROUP_UID, resourceVersion: '30', seenAt: 20, readAt: 21 }
    for (const status of [heldStatus('db-0', 4), vacantStatus(4), bornStatus(4), held({ term: 9 })]) {
      const gate = statusGate(SEEN, group({ status }))
      assert.deepEqual('object' in gate && gate.object, expected)
    }
    const unread = statusGate({ groupReadAt: undefined }, group({ status: vacantStatus(4) }))
    assert.deepEqual('object' in unread && [unread.object.seenAt, unread.object.readAt], [0, undefined])
  })

  const term = fc.oneof(
    fc.nat({ max: 9 }),
    fc.maxSafeNat().filter((number) => number < 2 ** 53 - 1),
  )
  const holder = fc.record({ name: fc.constantFrom('db-0', 'constructor', 'a.b'), uid: fc.constantFrom('u-0', 'u1') })
  const mark = fc.record({
    holder: fc.option(holder, { nil: undefined }),
    gateUID: fc.constantFrom(GROUP_UID, GROUP_UID, undefined),
    term,
  })
  const readBack = (gate: LiveGate): Gate => statusGate(SEEN, group({ status: gateInStatus(gate) }))

  it('is what was written', () => {
    const kinds = new Set<string>()
    fc.assert(
      fc.property(mark, (written) => {
        const gate = markedGate(group(), written)
        kinds.add(gate.kind)
        assert.equal(gate.kind, written.gateUID === undefined ? 'open' : written.holder ? 'held' : 'vacant')
        assert.equal(gate.term, written.term)
        if (gate.kind === 'held') assert.deepEqual(gate.holder, written.holder)
        assert.equal(inWords(readBack(gate)), inWords(gate))
      }),
    )
    assert.deepEqual([...kinds].toSorted(), ['held', 'open', 'vacant'])
  })

  it('once it is open stays so, whatever status is written of it', () => {
    let open = 0
    const edits = fc.record(
      {
        term,
        holder: fc.constantFrom('db-0', 'x'),
        holderUID: fc.constantFrom('u-0', 'x'),
        gate: fc.constant('-/-/3'),
      },
      { requiredKeys: [] },
    )
    fc.assert(
      fc.property(mark, edits, (written, edit) => {
        const before = { ...gateInStatus(markedGate(group(), written)), ...edit }
        const gate = statusGate(SEEN, group({ status: before }))
        if (gate.kind !== 'open') return
        open++
        assert.equal(inWords(readBack(gate)), inWords(gate))
      }),
    )
    assert.ok(open > 0, 'no edit ever opened it')
  })
})
