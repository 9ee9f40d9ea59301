import assert from 'node:assert/strict'
import { FOLLOWERS, inWords, LEADER, leaderIs, pod, rested, wish, World } from './fixtures.ts'

describe('a change of leader', () => {
  it('swaps, and then changes the new one for the old one among the followers', () => {
    const world = rested()
    world.part.leader = leaderIs(2, 5)
    // The leader advanced on a write of the gate, later than any slice: the path to the label costs no read.
    world.act({ kind: 'readGate' })
    assert.deepEqual(world.settle(), [
      'replaceSlice db-leader-ipv4: db-2',
      'replaceSlice db-ro-follower-ipv4-0: db-1 db-3',
    ])
  })

  it('is one PUT with the version as read, and moves the owner and the term', () => {
    const world = rested({ wishes: [LEADER] })
    const before = world.slice('db-leader-ipv4')
    world.part.leader = leaderIs(2, 5)
    world.act({ kind: 'readGate' })
    const { beforeLabel, chores } = world.decide()
    assert.deepEqual(chores, [])
    const [action] = beforeLabel
    assert.equal(beforeLabel.length, 1)
    assert.ok(action?.kind === 'replaceSlice')
    const { metadata } = action.slice
    assert.deepEqual([metadata.uid, metadata.resourceVersion], [before.uid, before.resourceVersion])
    assert.deepEqual(metadata.ownerReferences, [{ apiVersion: 'v1', kind: 'Pod', name: 'db-2', uid: 'uid-db-2' }])
    assert.equal(metadata.annotations?.['db.leadergroup.io/term'], '5')
  })

  it('writes also a new term of the same pod', () => {
    const world = rested({ wishes: [LEADER] })
    world.part.leader = leaderIs(1, 5)
    assert.deepEqual(world.settle(), ['readGate', 'replaceSlice db-leader-ipv4: db-1'])
    assert.equal(world.slice('db-leader-ipv4').annotations['db.leadergroup.io/term'], '5')
  })

  it('asks for nothing but a read of the gate until that began after the slice was seen', () => {
    const world = rested({ wishes: [LEADER] })
    world.part.leader = leaderIs(2, 5)
    world.gateReadAt = world.slice('db-leader-ipv4').seenAt
    assert.deepEqual(world.decide().beforeLabel, [{ kind: 'readGate' }])
  })

  it('and after the pod was', () => {
    const world = new World({ pods: [pod(1, { seenAt: 500 })], wishes: [LEADER], leader: leaderIs(1, 4) })
    world.act(world.decide().chores[0]!)
    world.gateReadAt = 500
    assert.deepEqual(world.decide().beforeLabel, [{ kind: 'readGate' }])
    world.gateReadAt = 501
    assert.equal(world.decide().beforeLabel[0]?.kind, 'createSlice')
  })

  it('leaves the followers of every Service beside the label, and the old one waits until it has left its slice', () => {
    const world = rested({ wishes: [LEADER, FOLLOWERS, wish({ name: 'db-ro2', role: 'Follower' })] })
    world.part.leader = leaderIs(2, 5)
    world.act({ kind: 'readGate' })
    const { beforeLabel, besideLabel, chores } = world.decide()
    assert.deepEqual(beforeLabel.map(inWords), ['replaceSlice db-leader-ipv4: db-2'])
    const leaving = ['replaceSlice db-ro-follower-ipv4-0: db-3', 'replaceSlice db-ro2-follower-ipv4-0: db-3']
    assert.deepEqual(besideLabel.map(inWords), leaving)
    assert.deepEqual(chores, [])
    world.act(besideLabel[0]!)
    assert.deepEqual(world.decide().besideLabel.map(inWords), leaving.slice(1))
  })

  it('empties a followers’ slice that held nobody else', () => {
    const world = rested({ pods: [pod(1), pod(2)] })
    world.part = { ...world.part, pods: [pod(1), pod(2)], leader: leaderIs(2, 5) }
    assert.deepEqual(world.settle(), [
      'readGate',
      'replaceSlice db-leader-ipv4: db-2',
      'replaceSlice db-ro-follower-ipv4-0: db-1',
    ])
  })
})

describe('a leader that is deleted', () => {
  const conditions = (world: World): unknown => world.slice('db-leader-ipv4').endpoints[0]

  it('stays in its slice as it is while it serves: a write would make kube-proxy pause before the swap', () => {
    const world = rested({ wishes: [LEADER] })
    const before = conditions(world)
    world.part.pods = [pod(1, { terminating: true, seenAt: 900 }), pod(2)]
    assert.deepEqual(world.settle(), [])
    assert.deepEqual(conditions(world), before)
  })

  it('is shown as it is once it does not serve', () => {
    const world = rested({ wishes: [LEADER] })
    world.part.pods = [pod(1, { terminating: true, ready: false, seenAt: 900 }), pod(2)]
    assert.deepEqual(world.settle(), ['replaceSlice db-leader-ipv4: db-1'])
    world.part.pods = [pod(1, { terminating: true, seenAt: 901 }), pod(2)]
    assert.deepEqual(world.settle(), ['replaceSlice db-leader-ipv4: db-1'])
  })

  it('and in a slice that is written anew', () => {
    const world = new World({ pods: [pod(1, { terminating: true })], wishes: [LEADER], leader: leaderIs(1, 4) })
    world.settle()
    const [endpoint] = world.slice('db-leader-ipv4').endpoints as readonly { readonly conditions?: object }[]
    assert.deepEqual(endpoint?.conditions, { ready: false, serving: true, terminating: true })
  })
})

describe('a group without a leader', () => {
  const leaderless = (): World => {
    const world = rested()
    world.part.leader = undefined
    return world
  }

  it('has no leader’s slice, and all pods are followers', () => {
    const world = leaderless()
    world.settle()
    assert.deepEqual([...world.slices.keys()], ['db-ro-follower-ipv4-0'])
    assert.deepEqual(world.behind('db-ro'), ['db-1', 'db-2', 'db-3'])
  })

  it('deletes it with the version as read, and only on a later read of the gate', () => {
    const world = leaderless()
    const { name, uid, resourceVersion } = world.slice('db-leader-ipv4')
    world.gateReadAt = world.slice(name).seenAt
    assert.deepEqual(world.decide().beforeLabel, [{ kind: 'readGate' }])
    world.act({ kind: 'readGate' })
    assert.deepEqual(world.decide().beforeLabel, [{ kind: 'deleteSlice', name, uid, resourceVersion }])
  })

  for (const [title, change] of [
    ['has no address', { podIPs: [] }],
    ['has ended', { phase: 'Failed' }],
    ['lacks the port', { ports: [] }],
  ] as const) {
    it(`so too when the leader ${title}`, () => {
      const world = rested({ wishes: [LEADER] })
      world.part = { ...world.part, pods: [pod(1, change), pod(2)] }
      assert.deepEqual(world.settle(), ['readGate', 'deleteSlice db-leader-ipv4'])
    })
  }

  it('so too when the leader is none of the pods', () => {
    const world = rested({ wishes: [LEADER] })
    world.part.leader = leaderIs(9, 5)
    assert.deepEqual(world.settle(), ['readGate', 'deleteSlice db-leader-ipv4'])
  })
})
