import assert from 'node:assert/strict'
import { LEADER_ROLE, groupKeys } from '../src/group/keys.ts'
import { followedTally } from './followed-history.ts'
import type { Change } from './history.ts'

const keys = groupKeys('db')

type Event = (version: number) => Change

function pod(name: string, term?: number): Event {
  const bearing =
    term === undefined ? {} : { labels: { [keys.role]: LEADER_ROLE }, annotations: { [keys.term]: String(term) } }
  const metadata = { name, uid: `${name}-uid`, resourceVersion: '0', ...bearing }
  return (version) => ({ kind: 'pod', version, gone: false, object: { metadata } })
}

function lease(spec: object, metadata: object = {}): Event {
  const object = { metadata: { name: 'lock', uid: 'lease-uid', resourceVersion: '0', ...metadata }, spec }
  return (version) => ({ kind: 'lease', version, gone: false, object })
}

const held = { holderIdentity: 'a', leaseDurationSeconds: 15, renewTime: 'then', leaseTransitions: 3 }
const empty = { ...held, holderIdentity: '' }

function told(...events: readonly Event[]) {
  const history = events.map((event, index) => event(index + 1))
  return followedTally(history, 'db', 'lock')
}

describe('the history of a group in mode Observe', () => {
  it('tells who bore the label, each term once', () => {
    const { leaders } = told(pod('a'), pod('a', 1), pod('a', 1), pod('b'), pod('a'), pod('b', 2), pod('b'), pod('b', 3))
    assert.deepEqual(leaders, ['a', 'b', 'b'])
  })

  const leases: readonly (readonly [string, readonly Event[], readonly string[]])[] = [
    ['emptied, and nothing else', [lease(held), lease(empty)], ['a']],
    ['emptied twice', [lease(held), lease(empty), lease({ ...held, holderIdentity: 'b' }), lease(empty)], ['a', 'b']],
    ['released by an elector', [lease(held), lease({ ...empty, leaseDurationSeconds: 1 })], []],
    ['renewed', [lease(held), lease({ ...held, renewTime: 'now' })], []],
    ['robbed of more than its holder', [lease(held, { labels: { team: 'x' } }), lease(empty)], []],
    ['made anew', [lease(held), lease(empty, { uid: 'other' })], []],
  ]
  for (const [what, events, emptied] of leases) {
    it(`tells of a Lease that is ${what}`, () => assert.deepEqual(told(...events).emptied, emptied))
  }

  const ours: readonly (readonly [string, object, RegExp])[] = [
    ['an owner', { ownerReferences: [{ kind: 'LeaderGroup' }] }, /has an owner/],
    ['a mark', { annotations: { 'leadergroup.io/gate': 'x' } }, /bears keys of this project/],
    ['a label', { labels: { 'db.leadergroup.io/role': 'leader' } }, /bears keys of this project/],
  ]
  for (const [what, metadata, message] of ours) {
    it(`has no place for ${what} on the Lease`, () => assert.throws(() => told(lease(held, metadata)), message))
  }
})
