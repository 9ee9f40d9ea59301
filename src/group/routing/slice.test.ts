import assert from 'node:assert/strict'
import type { ObservedSlice } from './endpoint-slice.ts'
import { GROUP_OWNER, LEADER, rested } from './fixtures.ts'
import { isOwnSlice } from './slice.ts'

describe('a slice', () => {
  it('is the group’s own by both of its labels', () => {
    const own = rested().slice('db-leader-ipv4')
    const labelled = (labels: Readonly<Record<string, string>>): boolean => isOwnSlice({ ...own, labels }, 'db')
    assert.equal(labelled(own.labels), true)
    assert.equal(labelled({ ...own.labels, 'endpointslice.kubernetes.io/managed-by': 'somebody' }), false)
    assert.equal(labelled({ ...own.labels, 'leadergroup.io/group': 'web' }), false)
  })
})

describe('drift', () => {
  const EDITS: readonly (readonly [string, Partial<ObservedSlice>])[] = [
    ['an address', { endpoints: [{ addresses: ['10.9.9.9'], targetRef: { kind: 'Pod', uid: 'uid-db-1' } }] }],
    ['no endpoint', { endpoints: [] }],
    ['the ports', { ports: [] }],
    ['the owner', { ownerReferences: [] }],
    [
      'a second owner',
      { ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: 'db-1', uid: 'uid-db-1' }, GROUP_OWNER] },
    ],
    ['the term', { annotations: {} }],
    ['a term that is no number', { annotations: { 'db.leadergroup.io/term': '__proto__' } }],
    ['a hint', { endpoints: [{ addresses: ['10.0.0.1'], hints: {} } as ObservedSlice['endpoints'][number]] }],
  ]
  for (const [title, edit] of EDITS) {
    it(`of a leader's slice is repaired: ${title}`, () => {
      const world = rested()
      const before = world.slice('db-leader-ipv4')
      world.putSlice('db-leader-ipv4', edit)
      world.settle()
      const { resourceVersion: _, seenAt: __, ...after } = world.slice('db-leader-ipv4')
      const { resourceVersion: ___, seenAt: ____, ...expected } = before
      assert.deepEqual(after, expected)
    })
  }

  it('of a slice leaves other people’s labels and annotations', () => {
    const world = rested()
    const before = world.slice('db-leader-ipv4')
    const labels = { ...before.labels, team: 'shop' }
    world.putSlice('db-leader-ipv4', { labels, annotations: { note: 'x' } })
    world.settle()
    assert.deepEqual(world.slice('db-leader-ipv4').labels, labels)
    assert.deepEqual(world.slice('db-leader-ipv4').annotations, { note: 'x', 'db.leadergroup.io/term': '4' })
  })

  it('a second pod in a leader’s slice goes, but only on a later read of the gate: it may lead by now', () => {
    const world = rested({ wishes: [LEADER] })
    const [endpoint] = world.slice('db-leader-ipv4').endpoints
    const second = { addresses: ['10.0.0.2'], targetRef: { kind: 'Pod', uid: 'uid-db-2' } }
    world.putSlice('db-leader-ipv4', { endpoints: [endpoint!, second] })
    assert.deepEqual(world.decide(), { ...world.decide(), beforeLabel: [{ kind: 'readGate' }], chores: [] })
    assert.deepEqual(world.settle(), ['readGate', 'replaceSlice db-leader-ipv4: db-1'])
  })

  it('a slice that is gone comes back', () => {
    const world = rested()
    world.slices.clear()
    world.settle()
    assert.deepEqual(world.behind('db'), ['db-1'])
    assert.deepEqual(world.behind('db-ro'), ['db-2', 'db-3'])
  })

  it('a slice with the wrong address type is made anew', () => {
    const world = rested({ wishes: [LEADER] })
    world.putSlice('db-leader-ipv4', { addressType: 'IPv6' })
    assert.deepEqual(world.settle(), ['deleteSlice db-leader-ipv4', 'createSlice db-leader-ipv4: db-1'])
  })

  it('a slice that was made to point at another Service goes', () => {
    const world = rested({ wishes: [LEADER] })
    const labels = { ...world.slice('db-leader-ipv4').labels, 'kubernetes.io/service-name': 'web' }
    world.putSlice('db-leader-ipv4', { labels })
    world.settle()
    assert.deepEqual(world.behind('web'), [])
    assert.deepEqual(world.behind('db'), ['db-1'])
  })

  it('a Service that is gone comes back, and its slices follow its new UID', () => {
    const world = rested()
    world.services.delete('db-ro')
    assert.deepEqual(world.settle(), ['createService db-ro', 'replaceSlice db-ro-follower-ipv4-0: db-2 db-3'])
  })
})
