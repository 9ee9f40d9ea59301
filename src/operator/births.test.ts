import assert from 'node:assert/strict'
import type { Pod } from '../kube/objects.ts'
import { Births, groupsWithBareRole } from './births.ts'
import { trimPod } from './trim.ts'

const ROLE = 'db.leadergroup.io/role'
const SEALED = 'db.leadergroup.io/sealed'
const TERM = 'db.leadergroup.io/term'
const LABELLED = { [ROLE]: 'leader' }
const OWNERS = [
  { apiVersion: 'v1', kind: 'ConfigMap', name: 'c', uid: 'c' },
  { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'db-7f9', uid: 'r', controller: true },
]

/** As it arrives from a watch. */
function pod(version: number, metadata: Partial<Pod['metadata']> = {}): Pod {
  return trimPod({ metadata: { name: 'db-1', uid: 'u', resourceVersion: String(version), ...metadata } })
}

describe('births', () => {
  let births: Births
  beforeEach(() => {
    births = new Births()
  })

  it('tell who made a pod with a role label, also when it is off', () => {
    const born = pod(1, { labels: LABELLED, ownerReferences: OWNERS })
    births.setPod(born, undefined)
    births.setPod(pod(2, { labels: {} }), born)
    assert.equal(births.makerOf('u', 'db'), 'ReplicaSet db-7f9')
    assert.equal(births.makerOf('u', 'web'), undefined)
  })

  it('of a pod that nothing controls: the pod itself', () => {
    births.setPod(pod(1, { labels: LABELLED }), undefined)
    assert.equal(births.makerOf('u', 'db'), 'Pod db-1')
  })

  it('are forgotten with the pod, and are not those of the next one', () => {
    const born = pod(1, { labels: LABELLED })
    births.setPod(born, undefined)
    births.setPod(pod(2, { uid: 'next' }), born)
    assert.deepEqual([births.makerOf('u', 'db'), births.makerOf('next', 'db')], [undefined, undefined])
  })

  it('do not count what a hand adds later', () => {
    births.setPod(pod(1), undefined)
    births.setPod(pod(2, { labels: LABELLED }), pod(1))
    assert.equal(births.makerOf('u', 'db'), undefined)
  })
})

describe('a bare role', () => {
  const ROWS: readonly (readonly [string, Partial<Pod['metadata']>, readonly string[]])[] = [
    ['a label alone', { labels: LABELLED }, ['db']],
    ['beside a stamp of the group', { labels: LABELLED, annotations: { [SEALED]: 'g/0' } }, []],
    ['beside a stamp of another', { labels: LABELLED, annotations: { ['web.leadergroup.io/sealed']: 'g/0' } }, ['db']],
    ['beside a term of the group: a leader whose stamp is off', { labels: LABELLED, annotations: { [TERM]: '4' } }, []],
    ['of several groups', { labels: { ...LABELLED, 'web.leadergroup.io/role': '' } }, ['db', 'web']],
    ['of a follower', { labels: { [ROLE]: 'follower' } }, []],
    ['no label', { annotations: { 'db.leadergroup.io/term': '4' } }, []],
  ]
  for (const [what, metadata, groups] of ROWS) {
    it(`${what}: ${groups.join(', ') || 'none'}`, () =>
      assert.deepEqual(groupsWithBareRole(pod(1, metadata).metadata), groups))
  }
})
