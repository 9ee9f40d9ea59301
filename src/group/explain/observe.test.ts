import assert from 'node:assert/strict'
import { explain } from './explain.ts'
import type { ExplainedPod, Outlook } from './explanation.ts'
import { NOW, pod } from '../fixtures.ts'
import {
  ACQUIRED,
  bornStatus,
  electorsLease,
  followedObservation,
  heldStatus,
  leadingBy,
  readyIs,
  sealedAt,
  vacantStatus,
} from '../followed-fixtures.ts'
import { foresee } from './foresee.ts'
import type { LeaderGroupStatus } from '../leadergroup.ts'
import type { GroupObservation, ObservedPod } from '../observation.ts'

const leader = pod('db-0', leadingBy(4))
const db1 = pod('db-1', sealedAt(0))

/** Of a group whose status is up to date. */
function explained(o: GroupObservation): ReturnType<typeof explain> {
  return explain(o, o.group!, NOW)
}

/** db-0 leads, and nothing is due. */
function atRest(change: Parameters<typeof followedObservation>[0] = {}): GroupObservation {
  return foresee(followedObservation(change), NOW).end
}

describe('explain, in mode Observe', () => {
  describe('the leader', () => {
    it('stays for as long as it holds the Lease, whether it is ready or not', () => {
      for (const change of [{}, { ready: false }, { terminating: true }, { excluded: true }]) {
        const { leader: shown, due } = explained(atRest({ pods: [{ ...leader, ...change }, db1] }))
        assert.deepEqual([shown?.name, shown?.term, shown?.since], ['db-0', 4, ACQUIRED])
        assert.deepEqual(shown?.why, ['It stays for as long as it holds Lease db: the pods elect among themselves'])
        assert.equal(due, undefined)
      }
    })

    it('took over from another', () => {
      const entry = (holder: string, term: number) => ({ holder, term, acquireTime: ACQUIRED })
      const history = [entry('db-0', 4), { ...entry('db-1', 3), endTime: ACQUIRED, reason: 'LeaseExpired' }]
      const status = heldStatus('db-0', 4, { ...readyIs('True', 'LeaderElected'), history })
      const { leader: shown } = explained(followedObservation({ status }))
      assert.equal(shown?.why[0], `It took over from db-1, whose term 3 ended at ${ACQUIRED} (LeaseExpired)`)
    })

    const NOBODY: readonly (readonly [string, LeaderGroupStatus, readonly ObservedPod[]])[] = [
      ['the label is missing', heldStatus('db-0', 4), [pod('db-0', sealedAt(3)), db1]],
      ['the gate names nobody', vacantStatus(4), [leader]],
      ['the gate was written by somebody else', heldStatus('db-0', 4, { holder: 'x' }), [leader]],
      ['there is no gate', { holder: 'db-0', holderUID: 'uid-db-0', term: 4 }, [leader]],
      ['another pod bears the label', heldStatus('db-0', 4), [pod('db-1', leadingBy(4))]],
    ]
    for (const [what, status, pods] of NOBODY) {
      it(`is nobody where ${what}`, () =>
        assert.equal(explained(followedObservation({ status, pods })).leader, undefined))
    }
  })

  const inWords = ({ verdict, why, enrolled }: ExplainedPod): string => `${verdict}: ${why}${enrolled ? '' : ', new'}`
  const PODS: readonly (readonly [what: string, pod: ObservedPod, expected: string | undefined])[] = [
    ['ready', db1, 'could lead: if it acquires Lease db'],
    ['not enrolled', pod('db-1'), 'could lead: if it acquires Lease db, new'],
    ['not ready', { ...db1, ready: false }, 'could lead: if it acquires Lease db, but is not ready'],
    ['excluded', { ...db1, excluded: true }, 'could lead: if it acquires Lease db, but is excluded by annotation'],
    ['not selected any more', { ...db1, selected: false }, 'cannot lead: is not selected'],
    ['nothing to the group', pod('db-1', { selected: false }), undefined],
    [
      'labelled by somebody',
      pod('db-1', leadingBy(3)),
      "could lead: if it acquires Lease db, bears the leader's keys wrongly",
    ],
  ]
  for (const [what, other, expected] of PODS) {
    it(`shows a pod that is ${what}`, () => {
      const { pods } = explained(followedObservation({ pods: [leader, other] }))
      assert.deepEqual(pods.map(inWords), ['leads: in term 4', ...(expected === undefined ? [] : [expected])])
    })
  }

  const end = { finishedAt: 1_767_225_665, seenAt: 30, witnessed: true }
  const dead = { ...leader, electing: [{ name: 'app', state: 'running', end }] } as const
  const releases = { failover: { releaseDeadHolder: true } }
  const OFF = "take the leader's keys off db-0"
  const NO_HOLDER = 'Lease db names no holder: the next one to acquire it leads'

  const DUE: readonly (readonly [what: string, o: GroupObservation, expected: Outlook])[] = [
    [
      'a Lease that changed hands',
      followedObservation({ lease: electorsLease('db-1', { resourceVersion: '300' }) }),
      { steps: [OFF, 'name db-1 in status for term 5', 'label it'], result: 'db-1 holds Lease db as "db-1"' },
    ],
    [
      'a Lease that was released',
      followedObservation({ lease: electorsLease('', { resourceVersion: '300' }) }),
      { steps: [OFF, 'name nobody in status'], result: NO_HOLDER },
    ],
    [
      'a dead holder whose Lease is to be emptied',
      followedObservation({ spec: releases, pods: [dead, db1] }),
      { steps: ['empty the holder of Lease db', OFF, 'name nobody in status'], result: NO_HOLDER },
    ],
    [
      'a status that is just born',
      followedObservation({ status: bornStatus(4), pods: [pod('db-0', sealedAt(4))] }),
      { steps: ['name db-0 in status for term 5', 'label it'], result: 'db-0 holds Lease db as "db-0"' },
    ],
    [
      'a new group',
      followedObservation({ status: {}, pods: [pod('db-0')] }),
      {
        steps: ['begin to count terms in status', 'seal db-0', 'name db-0 in status for term 2', 'label it'],
        result: 'db-0 holds Lease db as "db-0"',
      },
    ],
  ]
  for (const [what, o, expected] of DUE) {
    it(`says what is due upon ${what}`, () => assert.deepEqual(explained(o).due, expected))
  }

  it('says what would be done if the leader died, and that this alone proves nothing', () => {
    assert.deepEqual(explained(atRest()).ifLeaderDied, {
      steps: ['name nobody in status'],
      result: 'pod db-0, which holds the Lease, was deleted: waiting until the Lease expires',
    })
  })

  it('says what would be done when the Lease expires', () => {
    assert.deepEqual(explained(atRest()).later, {
      inSeconds: 11,
      steps: [OFF, 'name nobody in status'],
      result: '"db-0" has not renewed Lease db for 15 s: the next one to acquire it leads',
    })
  })
})
