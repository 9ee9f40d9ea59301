import assert from 'node:assert/strict'
import {
  NOW,
  enrolling,
  group,
  heldLease,
  inWords,
  leading,
  observation,
  pod,
  stamped,
  stripping,
  view,
} from './fixtures.ts'
import type { ObservedPod } from './observation.ts'
import { choresOf, sealing, takingOff } from './steps.ts'

const following = (name: string, role: string | null): string => `follow ${name}: role=${role} term=undefined`
const FOLLOWER = { role: 'follower' } as const
const enrolled = stamped(0)
const leader = pod('db-0', leading(4))

/** The gate names db-0 for term 4. */
const viewOf = (pods: readonly ObservedPod[], labelFollowers: boolean) =>
  view('held', observation({ lease: heldLease('db-0', 4), pods, group: group({ spec: { labelFollowers } }) }), NOW)

describe('the role of pods that do not lead', () => {
  type Row = readonly [rule: string, labelFollowers: boolean, pods: readonly ObservedPod[], chores: readonly string[]]
  const ROWS: readonly Row[] = [
    ['is given where it is wanted', true, [leader, pod('db-1', enrolled)], [following('db-1', 'follower')]],
    ['rests once it is there', true, [leader, pod('db-1', { ...enrolled, ...FOLLOWER })], []],
    [
      'comes off where it is wanted no more',
      false,
      [leader, pod('db-1', { ...enrolled, ...FOLLOWER })],
      [following('db-1', null)],
    ],
    ['is none where none is wanted', false, [leader, pod('db-1', enrolled)], []],
    [
      'comes with the stamp of a new pod',
      true,
      [leader, pod('db-1')],
      [enrolling('db-1').replace('role=null', 'role=follower')],
    ],
    [
      'comes off with everything else from a pod that is not selected',
      true,
      [leader, pod('db-1', { ...enrolled, ...FOLLOWER, selected: false })],
      [stripping('db-1')],
    ],
    ['is not given to a pod that goes', true, [leader, pod('db-1', { ...enrolled, terminating: true })], []],
    ['nor to one that has finished', true, [leader, pod('db-1', { ...enrolled, phase: 'Failed' })], []],
    [
      'comes off also from one that has finished',
      false,
      [leader, pod('db-1', { ...enrolled, ...FOLLOWER, phase: 'Failed' })],
      [following('db-1', null)],
    ],
    ['is given to a holder that was sealed', true, [pod('db-0', stamped(4))], [following('db-0', 'follower')]],
    ['not to one that is about to be labelled', true, [pod('db-0', enrolled)], []],
    ['nor to the leader', true, [leader], []],
  ]
  for (const [rule, labelFollowers, pods, chores] of ROWS) {
    it(rule, () => assert.deepEqual(choresOf(viewOf(pods, labelFollowers)).map(inWords), chores))
  }

  it('is no reason to take anything off', () => {
    assert.equal(takingOff(viewOf([leader, pod('db-1', { ...enrolled, ...FOLLOWER })], true)), undefined)
  })

  for (const [selected, role] of [
    [true, 'follower'],
    [false, 'null'],
  ] as const) {
    it(`is given with the seal, if the pod is selected: ${role}`, () => {
      const holder = pod('db-0', { ...leading(4), selected })
      const { urgent } = sealing(viewOf([holder], true), holder, 'it goes')
      assert.deepEqual(urgent.map(inWords), [`seal db-0: role=${role} term=null sealed=gate-1/4`])
    })
  }
})
