import assert from 'node:assert/strict'
import { BOTH, inWords, leaderIs, pod, rested, THREE, wish } from './fixtures.ts'

describe('what changes under a leader', () => {
  it('its conditions: a chore, without a read of the gate', () => {
    const world = rested()
    world.part.pods = [pod(1, { ready: false, seenAt: 900 }), pod(2), pod(3)]
    assert.deepEqual(world.decide().beforeLabel, [])
    assert.deepEqual(world.settle(), ['replaceSlice db-leader-ipv4: db-1'])
  })

  it('a follower goes: without a read of the gate', () => {
    const world = rested()
    world.part.pods = [pod(1), pod(3)]
    assert.deepEqual(world.settle(), ['replaceSlice db-ro-follower-ipv4-0: db-3'])
  })

  it('a follower comes: after one', () => {
    const world = rested()
    world.part.pods = [...THREE, pod(4)]
    assert.deepEqual(world.settle(), ['readGate', 'replaceSlice db-ro-follower-ipv4-0: db-2 db-3 db-4'])
  })

  it('and after one that began after the follower was seen', () => {
    const world = rested()
    world.act({ kind: 'readGate' })
    world.part.pods = [...THREE, pod(4, { seenAt: world.gateReadAt! })]
    assert.deepEqual(world.decide().chores, [{ kind: 'readGate' }])
    world.act({ kind: 'readGate' })
    assert.equal(world.decide().chores[0]?.kind, 'replaceSlice')
  })

  it('numbers behind a port: one PUT', () => {
    const world = rested()
    const ports = [{ name: 'sql', port: 5432, targetPort: 6000 }]
    world.part.wishes = BOTH.map((each) => ({ ...each, ports }))
    assert.deepEqual(world.settle().toSorted(), [
      'patchService db',
      'patchService db-ro',
      'replaceSlice db-leader-ipv4: db-1',
      'replaceSlice db-ro-follower-ipv4-0: db-2 db-3',
    ])
    assert.deepEqual(world.slice('db-ro-follower-ipv4-0').ports, [{ name: 'sql', port: 6000, protocol: 'TCP' }])
  })

  it('a follower moves to another set: it stays in the old slice until the new one is there', () => {
    const world = rested()
    const moved = { ports: [{ name: 'sql', containerPort: 3306 }] }
    world.part.pods = [pod(1), pod(2), pod(3, moved)]
    assert.deepEqual(world.settle().toSorted(), [
      'createSlice db-ro-follower-ipv4-1: db-3',
      'replaceSlice db-ro-follower-ipv4-0: db-2',
    ])
    world.part.pods = [pod(1), pod(2, moved), pod(3, moved)]
    assert.deepEqual(world.decide().chores.map(inWords), ['replaceSlice db-ro-follower-ipv4-1: db-2 db-3'])
    assert.deepEqual(world.settle(), [
      'replaceSlice db-ro-follower-ipv4-1: db-2 db-3',
      'deleteSlice db-ro-follower-ipv4-0',
    ])
  })

  it('but not in one that the leader has to leave', () => {
    const moved = { ports: [{ name: 'sql', containerPort: 3306 }] }
    const world = rested({ pods: [...THREE, pod(4, moved)] })
    world.part.pods = [pod(1, moved), pod(2), pod(3, moved), pod(4, moved)]
    world.part.leader = leaderIs(2, 5)
    world.act({ kind: 'readGate' })
    const { besideLabel, chores } = world.decide()
    assert.deepEqual(besideLabel.map(inWords), ['deleteSlice db-ro-follower-ipv4-1'])
    assert.deepEqual(chores.map(inWords), ['replaceSlice db-ro-follower-ipv4-0: db-3 db-4'])
  })

  it('the first follower comes: there is no slice before it may enter', () => {
    const world = rested({ pods: [pod(1)] })
    world.part.pods = [pod(1), pod(2, { seenAt: world.gateReadAt! })]
    assert.deepEqual(world.decide().chores, [{ kind: 'readGate' }])
  })
})

describe('2,500 followers', () => {
  const many = Array.from({ length: 2501 }, (_, n) => pod(n, { name: `db-${n}` }))
  const world = rested(
    { pods: many, wishes: [wish({ name: 'db-ro', role: 'Follower', ipFamilyPolicy: 'PreferDualStack' })] },
    ['IPv4', 'IPv6'],
  )

  it('are three slices per family', () => {
    const counts = [...world.slices.values()].map(({ addressType, endpoints }) => `${addressType} ${endpoints.length}`)
    assert.deepEqual(counts.toSorted(), ['IPv4 1000', 'IPv4 1000', 'IPv4 500', 'IPv6 1000', 'IPv6 1000', 'IPv6 500'])
  })

  it('and one pod’s change is one write per family', () => {
    world.part.pods = many.map((each) => (each.name === 'db-7' ? { ...each, ready: false } : each))
    const done = world.settle().map((text) => text.split(':')[0]!.slice(0, -1))
    assert.deepEqual(done, ['replaceSlice db-ro-follower-ipv4-', 'replaceSlice db-ro-follower-ipv6-'])
  })
})
