import assert from 'node:assert/strict'
import { CONFIRMED, NOW, group, heldLease, leading, observation, pod, stamped } from '../fixtures.ts'
import { foresee, without } from './foresee.ts'
import type { GroupObservation } from '../observation.ts'
import { someOf, stepsOf } from './steps.ts'

const PORTS = [{ port: 5432 }]
const services = [
  { name: 'db', role: 'Leader' as const, ports: PORTS },
  { name: 'db-ro', role: 'Follower' as const, ports: PORTS },
]
const both = (n: number): object => ({ podIPs: [`10.0.0.${n}`, `fd00::${n}`] })

/** At rest, with two pods of two families. */
function routed(): GroupObservation {
  const pods = [pod('db-0', { ...leading(4), ...both(1) }), pod('db-1', { ...stamped(), ...both(2) })]
  const o = observation({ group: group({ spec: { services } }), lease: heldLease('db-0', 4, CONFIRMED), pods })
  return foresee(o, NOW).end
}

const steps = (o: GroupObservation): readonly string[] => stepsOf(foresee(o, NOW), o)

describe('steps', () => {
  it('say once what is written for each of two families', () => {
    const o = routed()
    assert.deepEqual(o.slices.map(({ name }) => name).toSorted(), [
      'db-leader-ipv4',
      'db-leader-ipv6',
      'db-ro-follower-ipv4-0',
      'db-ro-follower-ipv6-0',
    ])
    const [leader] = o.pods
    assert.deepEqual(steps(without(o, leader!)), [
      'name db-1 in the Lease for term 5',
      'route Service db to db-1',
      'label it',
      'delete EndpointSlice db-ro-follower-ipv4-0',
      'delete EndpointSlice db-ro-follower-ipv6-0',
    ])
  })

  it('tell of a leader that nobody follows', () => {
    const o = routed()
    const alone = { ...o, pods: o.pods.map((each) => ({ ...each, excluded: each.name === 'db-1' })) }
    assert.deepEqual(steps(without(alone, o.pods[0]!)), ['route Service db to nobody'])
  })

  it('tell a slice that leads elsewhere from one that is out of date', () => {
    const o = routed()
    const slices = o.slices.map((slice) => (slice.name === 'db-leader-ipv4' ? { ...slice, ports: [] } : slice))
    assert.deepEqual(steps({ ...o, slices }), ['bring EndpointSlice db-leader-ipv4 of Service db up to date'])
  })

  it('tell of Services that come and go', () => {
    const o = routed()
    const other = [{ ...services[0]!, name: 'db-new' }]
    const changed = { ...o, group: { ...o.group!, spec: { ...o.group!.spec, services: other } } }
    assert.deepEqual(steps(changed).toSorted(), [
      'create Service db-new',
      'delete EndpointSlice db-ro-follower-ipv4-0',
      'delete EndpointSlice db-ro-follower-ipv6-0',
      'delete Service db',
      'delete Service db-ro',
      'route Service db to nobody',
      'route Service db-new to db-0',
    ])
  })

  const lists: readonly [readonly string[], string][] = [
    [[], 'nobody'],
    [['a'], 'a'],
    [['a', 'b', 'c'], 'a, b, c'],
    [['a', 'b', 'c', 'd', 'e'], 'a, b, c and 2 more'],
  ]
  for (const [names, text] of lists) it(`name ${text}`, () => assert.equal(someOf(names), text))
})
