import assert from 'node:assert/strict'
import type { Revision } from '../store.ts'
import { Board } from './board.ts'

const write = (
  name: string,
  role?: string,
  type: Revision['type'] = 'MODIFIED',
): Pick<Revision, 'type' | 'object'> => ({
  type,
  object: {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      uid: `uid-of-${name}`,
      resourceVersion: '1',
      creationTimestamp: '2026-01-01T00:00:00Z',
      labels: role === undefined ? {} : { 'db.leadergroup.io/role': role },
    },
  },
})

describe('what the history shows of a group', () => {
  it('counts as a failover that another pod leads, and neither the first leader nor the same one again', () => {
    const board = new Board('db')
    const counts = [
      write('a', 'leader'),
      write('a', 'leader'),
      write('a'),
      write('a', 'leader'),
      write('a', undefined, 'DELETED'),
      write('b', 'follower'),
      write('b', 'leader'),
    ].map((revision) => {
      board.committed(revision)
      return board.failovers
    })
    assert.deepEqual(counts, [0, 0, 0, 0, 0, 0, 1])
    assert.equal(board.leaderUid, 'uid-of-b')
  })
})
