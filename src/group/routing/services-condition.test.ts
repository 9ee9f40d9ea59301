import assert from 'node:assert/strict'
import { BOTH, FOLLOWERS, leaderIs, pod, rested, World } from './fixtures.ts'

describe('the condition ServicesReady', () => {
  it('names the pods without the port', () => {
    const world = rested({ wishes: [FOLLOWERS], pods: [1, 2, 3, 4, 5].map((n) => pod(n, { ports: [] })) })
    const [condition] = world.decide().conditions
    assert.deepEqual([condition?.status, condition?.reason], ['False', 'PortUnresolved'])
    assert.match(
      condition!.message,
      /^Service db-ro: no container port is named sql in pods db-2, db-3, db-4 and 1 more/,
    )
  })

  it('does not flap with a change of leader', () => {
    const world = rested()
    world.part.leader = leaderIs(2, 5)
    assert.equal(world.decide().conditions[0]?.status, 'True')
  })

  it('waits for a Service that is not there yet', () => {
    const [condition] = new World({ wishes: BOTH }).decide().conditions
    assert.deepEqual([condition?.status, condition?.reason], ['Unknown', 'Pending'])
    assert.equal(condition?.message, 'Creating Services db, db-ro')
  })

  for (const [forbidden, reason] of [
    [true, 'Forbidden'],
    [false, 'Pending'],
  ] as const) {
    it(`says what failed when something is due (${reason})`, () => {
      const fault = { forbidden, message: 'services is forbidden' }
      const [condition] = new World({ wishes: BOTH, fault }).decide().conditions
      assert.deepEqual([condition?.status, condition?.reason], ['False', reason])
      assert.match(condition!.message, /^services is forbidden/)
    })
  }

  it('and is silent about a fault that is not of the routing', () => {
    const world = rested()
    world.part = { ...world.part, fault: { forbidden: true, message: 'leases is forbidden' } }
    assert.equal(world.decide().conditions[0]?.reason, 'Routed')
  })

  it('gives the gravest reason and every message', () => {
    const world = new World({ pods: [pod(1, { ports: [] })], wishes: BOTH, leader: undefined })
    world.putService('db')
    world.settle()
    const [condition] = world.decide().conditions
    assert.ok(condition?.reason === 'ServiceNotOurs')
    assert.match(condition.message, /Service db was .*Service db-ro: no container port/)
  })
})
