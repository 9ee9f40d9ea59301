import assert from 'node:assert/strict'
import { formatMark } from '../src/group/gate.ts'
import { LEADER_ROLE, groupKeys } from '../src/group/keys.ts'
import { checkFollowed } from './followed-history.ts'
import type { Change } from './history.ts'

const keys = groupKeys('db')

type Event = (version: number) => Change

function pod(name: string, term?: number): Event {
  const bearing =
    term === undefined ? {} : { labels: { [keys.role]: LEADER_ROLE }, annotations: { [keys.term]: String(term) } }
  const metadata = { name, uid: `${name}-uid`, resourceVersion: '0', ...bearing }
  return (version) => ({ kind: 'pod', version, gone: false, object: { metadata } })
}

function gate(holder: string | undefined, term: number, says = holder): Event {
  const named = says === undefined ? {} : { holder: says, holderUID: `${says}-uid` }
  const by = holder === undefined ? undefined : { name: holder, uid: `${holder}-uid` }
  const status = { ...named, term, gate: formatMark({ holder: by, gateUID: 'group-uid', term }) }
  const metadata = { name: 'db', uid: 'group-uid', resourceVersion: '0' }
  return (version) => ({ kind: 'group', version, gone: false, object: { metadata, spec: { selector: {} }, status } })
}

function lease(spec: object, metadata: object = {}): Event {
  const object = { metadata: { name: 'db', uid: 'lease-uid', resourceVersion: '0', ...metadata }, spec }
  return (version) => ({ kind: 'lease', version, gone: false, object })
}

const held = { holderIdentity: 'a', leaseDurationSeconds: 15, renewTime: 'then', leaseTransitions: 3 }

function play(...events: readonly Event[]): readonly Change[] {
  return events.map((event, index) => event(index + 1))
}

const led = [gate(undefined, 0), pod('a'), pod('b'), lease(held), gate('a', 1), pod('a', 1)]

describe('the rules asked of a history in mode Observe', () => {
  const kept: readonly (readonly [string, readonly Event[], object])[] = [
    ['an election', led, { leaders: ['a'], emptied: [] }],
    ['a hand-over', [...led, pod('a'), gate('b', 2), pod('b', 2)], { leaders: ['a', 'b'], emptied: [] }],
    [
      'a leader that was nobody in between',
      [...led, pod('a'), gate(undefined, 1), gate('a', 2), pod('a', 2)],
      { leaders: ['a', 'a'], emptied: [] },
    ],
    ['a Lease that is emptied', [...led, lease({ ...held, holderIdentity: '' })], { leaders: ['a'], emptied: ['a'] }],
    [
      'a Lease that an elector releases',
      [...led, lease({ ...held, holderIdentity: '', leaseDurationSeconds: 1 })],
      { leaders: ['a'], emptied: [] },
    ],
    [
      'a Lease that loses more than its holder',
      [lease(held, { labels: { team: 'x' } }), ...led.slice(0, 3), lease({ ...held, holderIdentity: '' })],
      { leaders: [], emptied: [] },
    ],
    ['annotations of others', [...led, lease(held, { annotations: { note: 'x' } })], { leaders: ['a'], emptied: [] }],
  ]
  for (const [what, events, tally] of kept) {
    it(`are kept by ${what}`, () => {
      const { leaders, emptied } = checkFollowed(play(...events), 'db')
      assert.deepEqual({ leaders, emptied }, tally)
    })
  }

  const broken: readonly (readonly [string, readonly Event[], RegExp])[] = [
    ['two labels', [...led, pod('b', 1)], /two pods bear the leader label: a-uid and b-uid/],
    ['a label before the gate', [...led, pod('a'), pod('b', 2)], /label/],
    ['a label in another term', [...led, pod('a'), gate('b', 2), pod('b', 3)], /label/],
    ['a gate that moves on before the seal', [...led, gate('b', 2)], /while a pod bears the label/],
    ['a gate that names nobody before the seal', [...led, gate(undefined, 1)], /while a pod bears the label/],
    ['a term that is given twice', [...led, pod('a'), gate(undefined, 1), gate('b', 1)], /term 1 was given before/],
    ['a term that goes back', [...led, pod('a'), gate(undefined, 0)], /from a-uid\/1 to undefined\/0/],
    ['a status that names another', [...led, pod('a'), gate('a', 2, 'b')], /status says b/],
    ['an owner of the Lease', [lease(held, { ownerReferences: [{ kind: 'LeaderGroup' }] })], /has an owner/],
    ['a mark on the Lease', [lease(held, { annotations: { 'leadergroup.io/gate': 'x' } })], /keys of this project/],
  ]
  for (const [what, events, message] of broken) {
    it(`are broken by ${what}`, () => assert.throws(() => checkFollowed(play(...events), 'db'), message))
  }
})
