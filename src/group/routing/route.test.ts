import assert from 'node:assert/strict'
import { BOTH, GROUP_OWNER, LEADER, leaderIs, observedService, rested, THREE, World } from './fixtures.ts'

describe('what is not ours', () => {
  it('a Service of that name: nothing is written to it, nor behind it', () => {
    const world = new World({ pods: THREE, wishes: BOTH, leader: leaderIs(1, 4) })
    world.putService('db', { selector: { app: 'x' } })
    const before = world.services.get('db')
    world.settle()
    assert.equal(world.services.get('db'), before)
    assert.deepEqual(world.behind('db'), [])
    const [condition] = world.decide().conditions
    assert.equal(condition?.reason, 'ServiceNotOurs')
    assert.match(condition?.message ?? '', /^Service db was not made by this group: .* Choose another name/)
  })

  it('nor is one of a group of the same name that went before', () => {
    const world = new World({ wishes: [LEADER] })
    world.putService('db', { ownerReferences: [{ ...GROUP_OWNER, uid: 'group-0' }] })
    assert.deepEqual(world.settle(), [])
    assert.match(world.decide().conditions[0]!.message, /belongs to LeaderGroup db/)
  })

  it('our slices leave a Service that was taken over', () => {
    const world = rested({ wishes: [LEADER] })
    world.services.set('db', observedService('db'))
    assert.deepEqual(world.settle(), ['deleteSlice db-leader-ipv4'])
  })

  it('slices behind our Service: named, never touched', () => {
    const world = rested({ wishes: [LEADER] })
    const labels = { 'kubernetes.io/service-name': 'db' }
    const byMirror = { ...labels, 'endpointslice.kubernetes.io/managed-by': 'endpointslicemirroring-controller.k8s.io' }
    world.putSlice('db-abcde', { labels: byMirror })
    world.putSlice('by-hand', { labels })
    assert.deepEqual(world.settle(), [])
    const [condition] = world.decide().conditions
    assert.deepEqual([condition?.status, condition?.reason], ['False', 'ForeignSlices'])
    assert.match(
      condition!.message,
      /EndpointSlices by-hand \(written by hand\), db-abcde \(managed by endpointslicemirroring/,
    )
  })

  it('a slice in the way of ours: named, never touched', () => {
    const world = new World({ pods: THREE, wishes: BOTH, leader: leaderIs(1, 4) })
    world.putSlice('db-leader-ipv4')
    world.putSlice('db-ro-follower-ipv4-0', {
      labels: { 'endpointslice.kubernetes.io/managed-by': 'leadergroup.io', 'leadergroup.io/group': 'other' },
    })
    world.settle()
    assert.deepEqual(world.behind('db-ro'), ['db-2', 'db-3'])
    assert.deepEqual(world.slice('db-leader-ipv4').endpoints, [])
    assert.match(world.decide().conditions[0]!.message, /db-ro-follower-ipv4-0 \(of group other\)/)
  })

  it('a Service that only carries our owner reference, and is not wished, is left alone', () => {
    const world = new World()
    world.putService('mine', { ownerReferences: [GROUP_OWNER] })
    assert.deepEqual(world.settle(), [])
  })
})
