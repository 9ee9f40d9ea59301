import assert from 'node:assert/strict'
import type { HeldGate } from './gate/gate-state.ts'
import type { ObservedPod } from './observation.ts'
import {
  bearsKeys,
  bearsLead,
  gateReadAfter,
  isSealed,
  labelPatch,
  leads,
  mayStamp,
  sealPatch,
  stripPatch,
} from './seal.ts'
import { group, GROUP_UID, heldLease, leading, pod, stamped } from './fixtures.ts'
import { leaseGate } from './gate/lease-gate.ts'

const gate = leaseGate(heldLease('db-0', 4), GROUP_UID) as HeldGate
const readAt = (tick: number): HeldGate => ({ ...gate, object: { ...gate.object, readAt: tick } })
const bearing = (change: Partial<ObservedPod>): ObservedPod => pod('db-0', change)

describe('seal', () => {
  const SEALED: readonly (readonly [Partial<ObservedPod>, boolean])[] = [
    [stamped(4), true],
    [stamped(5), true],
    [stamped(3), false],
    [stamped(4, 'gate-0'), false],
    [{ sealed: 'gate-1/4 ' }, false],
    [{ sealed: 'gate-1' }, false],
    [{}, false],
    [{ ...stamped(4), role: 'leader' }, false],
    [{ ...stamped(4), role: '' }, false],
    [{ ...stamped(4), term: '3' }, false],
  ]
  for (const [keys, expected] of SEALED) {
    it(`${JSON.stringify(keys)} is ${expected ? '' : 'not '}sealed in term 4`, () =>
      assert.equal(isSealed(bearing(keys), gate), expected))
  }

  const LEADS: readonly (readonly [Partial<ObservedPod>, boolean])[] = [
    [leading(4), true],
    [{ ...leading(4), sealed: undefined }, true],
    [{ ...leading(4), ...stamped(9, 'gate-0') }, true],
    [{ ...leading(4), uid: 'other' }, false],
    [{ ...leading(4), role: 'follower' }, false],
    [{ ...leading(4), role: 'Leader' }, false],
    [{ ...leading(4), term: undefined }, false],
    [{ ...leading(4), term: '04' }, false],
    [{ ...leading(4), ...stamped(4) }, false],
    [{}, false],
  ]
  for (const [keys, expected] of LEADS) {
    it(`${JSON.stringify(keys)} ${expected ? 'leads' : 'does not lead'} in term 4`, () =>
      assert.equal(leads(bearing(keys), gate), expected))
  }

  for (const term of [0, 1]) {
    it(`a pod without a stamp is not sealed in term ${term}, and may lead in it`, () => {
      const early = { ...gate, term }
      assert.equal(isSealed(bearing({}), early), false)
      assert.equal(leads(bearing({ role: 'leader', term: String(term) }), early), true)
    })
  }

  it('a stamp that is beyond all reason is none', () => {
    assert.equal(isSealed(bearing(stamped(4 + 2 ** 31 - 1)), gate), true)
    assert.equal(isSealed(bearing(stamped(4 + 2 ** 31)), gate), false)
  })

  const KEYS: readonly (readonly [Partial<ObservedPod>, lead: boolean, any: boolean])[] = [
    [{}, false, false],
    [{ role: '' }, true, true],
    [{ term: '' }, true, true],
    [{ sealed: '' }, false, true],
  ]
  for (const [keys, lead, any] of KEYS) {
    it(`${JSON.stringify(keys)} bears ${lead ? 'what a leader bears' : any ? 'a stamp' : 'nothing'}`, () =>
      assert.deepEqual([bearsLead(bearing(keys)), bearsKeys(bearing(keys))], [lead, any]))
  }

  it('counts a gate read as later only if it began after the pod was seen', () => {
    assert.deepEqual(
      [gate, readAt(9), readAt(10), readAt(11)].map((seen) => gateReadAfter(pod('a'), seen)),
      [false, false, false, true],
    )
  })

  it('counts the read before a write of ours as well, which nobody else can have come between', () => {
    const written = pod('a', { seenAt: 12, untouchedSince: 10 })
    assert.deepEqual(
      [gate, readAt(10), readAt(11), readAt(13)].map((seen) => gateReadAfter(written, seen)),
      [false, false, true, true],
    )
  })

  it('may stamp what bears no stamp, or one of this gate; others only on a later gate read', () => {
    const pods = [{}, stamped(9), stamped(1, 'gate-0'), { sealed: '' }, { sealed: 'gate-1/x' }].map(bearing)
    assert.deepEqual(
      pods.map((each) => mayStamp(each, gate)),
      [true, true, false, false, false],
    )
    assert.ok(pods.every((each) => mayStamp(each, readAt(11))))
  })

  it('never lowers a stamp of this gate, and drops those of others', () => {
    const keys = [{}, stamped(2), stamped(9), stamped(9, 'gate-0'), { sealed: 'junk' }]
    assert.deepEqual(
      keys.map((each) => sealPatch(group(), bearing(each), gate, 4, 'seal').annotations['db.leadergroup.io/sealed']),
      ['gate-1/4', 'gate-1/4', 'gate-1/9', 'gate-1/4', 'gate-1/4'],
    )
  })

  it('patches only the keys of the group, bound to the pod as read', () => {
    const read = pod('db-0', { uid: 'u', resourceVersion: '7' })
    const patches = [
      sealPatch(group({ metadata: { name: 'a.b' } }), read, gate, 4, 'seal'),
      labelPatch('a.b', read, 4),
      stripPatch('a.b', read),
      stripPatch('a.b', read, true),
    ]
    for (const patch of patches) {
      assert.deepEqual(patch.pod, { name: 'db-0', uid: 'u', resourceVersion: '7' })
      assert.deepEqual(Object.keys(patch.labels), ['a.b.leadergroup.io/role'])
      for (const key of Object.keys(patch.annotations)) assert.match(key, /^a\.b\.leadergroup\.io\/(term|sealed)$/)
    }
    assert.equal(patches[3]?.annotations['a.b.leadergroup.io/sealed'], undefined)
    assert.equal(patches[2]?.annotations['a.b.leadergroup.io/sealed'], null)
  })

  const UNDER_OLD_VIEW: readonly (readonly [string, Partial<ObservedPod>, string])[] = [
    ['a label of a later term of this gate', { ...leading(7), ...stamped(3) }, 'gate-1/7'],
    ['a label of an earlier one', { ...leading(3), ...stamped(2) }, 'gate-1/4'],
    ['a label of another gate', { ...leading(7), ...stamped(6, 'gate-0') }, 'gate-1/4'],
    ['a term that somebody wrote beside no label', { term: '7', ...stamped(3) }, 'gate-1/4'],
    ['a term that nobody can have reached', { ...leading(7), term: String(2 ** 40), ...stamped(3) }, 'gate-1/4'],
  ]
  for (const [what, keys, expected] of UNDER_OLD_VIEW) {
    it(`bars from the term that it takes off: ${what}`, () => {
      const { annotations } = sealPatch(group(), bearing(keys), gate, 4, 'seal')
      assert.equal(annotations['db.leadergroup.io/sealed'], expected)
    })
  }
})
