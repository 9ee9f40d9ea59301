import assert from 'node:assert/strict'
import { BOTH, LEADER, leaderIs, pod, rested, THREE, wish, World } from './fixtures.ts'

describe('decideRouting', () => {
  it('makes Services first, then their slices, and rests', () => {
    const world = new World({ pods: THREE, wishes: BOTH, leader: leaderIs(1, 4) })
    assert.deepEqual(world.settle(), [
      'createService db',
      'createService db-ro',
      'createSlice db-leader-ipv4: db-1',
      'createSlice db-ro-follower-ipv4-0: db-2 db-3',
    ])
    assert.deepEqual(world.decide(), {
      beforeLabel: [],
      besideLabel: [],
      chores: [],
      conditions: [{ type: 'ServicesReady', status: 'True', reason: 'Routed', message: '2 Services are routed' }],
      problems: [],
    })
  })

  it('has a slice in each family of the Service', () => {
    const world = rested({ wishes: [wish({ ipFamilyPolicy: 'RequireDualStack' })] }, ['IPv6', 'IPv4'])
    assert.deepEqual([...world.slices.keys()], ['db-leader-ipv4', 'db-leader-ipv6'])
  })

  it('owns the leader’s slice by the pod and says the term', () => {
    const { labels, annotations, ownerReferences, endpoints } = rested().slice('db-leader-ipv4')
    assert.deepEqual(ownerReferences, [{ apiVersion: 'v1', kind: 'Pod', name: 'db-1', uid: 'uid-db-1' }])
    assert.deepEqual(annotations, { 'db.leadergroup.io/term': '4' })
    assert.deepEqual(labels, {
      'kubernetes.io/service-name': 'db',
      'endpointslice.kubernetes.io/managed-by': 'leadergroup.io',
      'leadergroup.io/group': 'db',
    })
    assert.equal(endpoints.length, 1)
  })

  it('owns the followers’ slices by their Service', () => {
    const world = rested()
    const { uid } = world.services.get('db-ro')!
    const { ownerReferences, annotations } = world.slice('db-ro-follower-ipv4-0')
    assert.deepEqual(ownerReferences, [{ apiVersion: 'v1', kind: 'Service', name: 'db-ro', uid }])
    assert.deepEqual(annotations, {})
  })

  it('tells kube-proxy to leave the slices of a headless Service alone', () => {
    const world = rested({ wishes: [wish({ headless: true })] })
    assert.deepEqual([...world.slices.keys()], ['db-leader-ipv4', 'db-leader-ipv6'])
    assert.equal(world.slice('db-leader-ipv4').labels['service.kubernetes.io/headless'], '')
  })

  it('takes the mark of a headless Service off a slice that outlived it', () => {
    const world = rested({ wishes: [LEADER] })
    const before = world.slice('db-leader-ipv4').labels
    world.putSlice('db-leader-ipv4', { labels: { ...before, 'service.kubernetes.io/headless': '' } })
    assert.deepEqual(world.settle(), ['replaceSlice db-leader-ipv4: db-1'])
    assert.deepEqual(world.slice('db-leader-ipv4').labels, before)
  })
})

describe('a wish that changes', () => {
  it('taken back: the Service goes, with its slices', () => {
    const world = rested()
    world.part.wishes = []
    world.settle()
    assert.deepEqual([world.services.size, world.slices.size], [0, 0])
    assert.equal(world.decide().conditions[0]?.message, 'The group has no Services of its own')
  })

  it('to Selector: deleted with its slices and made anew', () => {
    const world = rested({ wishes: [LEADER] })
    const { uid, resourceVersion } = world.services.get('db')!
    world.part.wishes = [wish({ routing: 'Selector' })]
    const { chores, conditions } = world.decide()
    assert.deepEqual(chores[0], { kind: 'deleteService', name: 'db', uid, resourceVersion })
    assert.equal(conditions[0]?.reason, 'Pending')
    assert.deepEqual(world.settle(), ['deleteService db', 'deleteSlice db-leader-ipv4', 'createService db'])
    assert.deepEqual(world.services.get('db')?.selector, { 'db.leadergroup.io/role': 'leader' })
  })

  it('to Direct: the same, and the standard controller’s slices show until they are gone', () => {
    const world = rested({ wishes: [wish({ routing: 'Selector' })] })
    const { uid } = world.services.get('db')!
    const labels = {
      'kubernetes.io/service-name': 'db',
      'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
    }
    const ownerReferences = [{ apiVersion: 'v1', kind: 'Service', name: 'db', uid }]
    world.putSlice('db-x7k2p', { labels, ownerReferences })
    assert.equal(world.decide().conditions[0]?.reason, 'Routed')
    world.part.wishes = [LEADER]
    assert.deepEqual(world.settle(), ['deleteService db', 'createService db', 'createSlice db-leader-ipv4: db-1'])
    world.putSlice('db-x7k2p', { labels, ownerReferences })
    assert.equal(world.decide().conditions[0]?.reason, 'ForeignSlices')
  })

  it('a hand that gives a Direct Service a selector: made anew, for the slices that came with it would stay', () => {
    const world = rested({ wishes: [LEADER] })
    world.putService('db', { selector: { app: 'db' } })
    assert.deepEqual(world.settle(), [
      'deleteService db',
      'deleteSlice db-leader-ipv4',
      'createService db',
      'createSlice db-leader-ipv4: db-1',
    ])
  })

  it('from one role to the other: its slices are of the other kind', () => {
    const world = rested({ wishes: [LEADER] })
    world.part.wishes = [wish({ role: 'Follower' })]
    world.settle()
    assert.deepEqual([...world.slices.keys()], ['db-follower-ipv4-0'])
    assert.deepEqual(world.behind('db'), ['db-2', 'db-3'])
  })

  it('waits for a Service that is being deleted', () => {
    const world = rested({ wishes: [LEADER] })
    world.putService('db', { terminating: true })
    world.part.wishes = [wish({ routing: 'Selector' })]
    assert.deepEqual(world.settle(), ['deleteSlice db-leader-ipv4'])
    assert.equal(world.decide().conditions[0]?.reason, 'Pending')
  })

  it('keeps routing a Service that is being deleted, but does not patch it', () => {
    const world = rested({ wishes: [LEADER] })
    world.putService('db', { terminating: true, type: 'NodePort' })
    world.part.leader = leaderIs(2, 5)
    assert.deepEqual(world.settle(), ['readGate', 'replaceSlice db-leader-ipv4: db-2'])
  })

  it('twice the same name: the first counts', () => {
    const world = rested({ wishes: [LEADER, wish({ role: 'Follower' })] })
    assert.deepEqual(world.behind('db'), ['db-1'])
  })
})

describe('the actions', () => {
  it('carry UID and resourceVersion of whatever exists', () => {
    const world = rested()
    world.part = { ...world.part, wishes: [wish({ type: 'NodePort' })], pods: [pod(2)], leader: leaderIs(2, 5) }
    world.act({ kind: 'readGate' })
    const { beforeLabel, besideLabel, chores } = world.decide()
    for (const action of [...beforeLabel, ...besideLabel, ...chores]) {
      if (action.kind === 'createService' || action.kind === 'createSlice' || action.kind === 'readGate') continue
      const version: { uid?: string; resourceVersion?: string } =
        action.kind === 'replaceSlice' ? action.slice.metadata : action
      assert.ok(version.uid && version.resourceVersion, action.kind)
    }
  })
})
