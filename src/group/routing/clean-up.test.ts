import assert from 'node:assert/strict'
import { cleanUpRouting } from './clean-up.ts'
import { observedSlice } from './fixtures.ts'

const OURS = { 'endpointslice.kubernetes.io/managed-by': 'leadergroup.io', 'leadergroup.io/group': 'db' }
const ours = observedSlice('db-leader-ipv4', { labels: OURS, seenAt: 10 })
const deletion = { kind: 'deleteSlice', name: ours.name, uid: ours.uid, resourceVersion: '1' }

describe('cleanUpRouting', () => {
  it('asks for the group before it deletes', () => {
    assert.deepEqual(cleanUpRouting('db', [ours], undefined), [{ kind: 'readGroup' }])
    assert.deepEqual(cleanUpRouting('db', [ours], 10), [{ kind: 'readGroup' }])
  })

  it('deletes what was seen before the group was found absent', () => {
    assert.deepEqual(cleanUpRouting('db', [ours], 11), [deletion])
    const later = observedSlice('db-leader-ipv6', { labels: OURS, seenAt: 20 })
    assert.deepEqual(cleanUpRouting('db', [ours, later], 11), [deletion, { kind: 'readGroup' }])
  })

  it('leaves what is not the group’s', () => {
    const others = [
      observedSlice('a', { labels: { ...OURS, 'leadergroup.io/group': 'web' } }),
      observedSlice('b', { labels: { 'leadergroup.io/group': 'db' } }),
    ]
    assert.deepEqual(cleanUpRouting('db', others, 99), [])
  })
})
