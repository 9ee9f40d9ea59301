import assert from 'node:assert/strict'
import { decideRouting } from './decide-routing.ts'
import { enacted, type Routed } from './enacted.ts'
import type { ObservedSlice } from './endpoint-slice.ts'
import type { RoutedPod } from './routed-pod.ts'
import {
  BOTH,
  FOLLOWERS,
  GROUP_OWNER,
  LEADER,
  World,
  leaderIs,
  observedService,
  pod,
  rested,
  wish,
} from './fixtures.ts'

/** Of one family: which families a new Service gets, only a server knows. */
const [FIRST, SECOND, THIRD] = [1, 2, 3].map((n) => pod(n, { podIPs: [`10.0.0.${n}`] })) as [
  RoutedPod,
  RoutedPod,
  RoutedPod,
]
const THREE = [FIRST, SECOND, THIRD]

/** Plays what is decided upon, on what the world holds, until nothing is left to do; the world stays as it is. */
function played(world: World): Routed {
  let input = world.input()
  for (let tick = world.tick + 1; ; tick++) {
    const { beforeLabel, besideLabel, chores } = decideRouting(input)
    const [action] = [...beforeLabel, ...besideLabel, ...chores]
    if (!action) return input
    assert.ok(tick < world.tick + 50, 'it does not come to rest')
    input = action.kind === 'readGate' ? { ...input, gateReadAt: tick } : { ...input, ...enacted(input, action, tick) }
  }
}

/** Slices by name, with the pods in them and the owner's kind. */
function inShort(slices: Iterable<ObservedSlice>): readonly string[] {
  return [...slices]
    .map(({ name, endpoints, ownerReferences }) => {
      const pods = endpoints.map(({ targetRef }) => targetRef?.uid ?? '').toSorted()
      return `${name}: ${pods.join(' ')} of ${ownerReferences.map(({ kind }) => kind).join()}`
    })
    .toSorted()
}

describe('what is enacted', () => {
  const rows: readonly [what: string, begin: () => World][] = [
    ['a group that is new', () => new World({ pods: THREE, wishes: BOTH, leader: leaderIs(1, 4) })],
    [
      'a change of leader',
      () => {
        const world = rested({ pods: THREE })
        world.part.leader = leaderIs(2, 5)
        return world
      },
    ],
    [
      'the loss of the leader',
      () => {
        const world = rested({ pods: THREE })
        world.part.pods = [SECOND, THIRD]
        world.part.leader = undefined
        return world
      },
    ],
    [
      'another routing',
      () => {
        const world = rested({ pods: THREE, wishes: [wish({ routing: 'Selector' })] })
        world.part.wishes = BOTH
        return world
      },
    ],
    [
      'a Service that nobody wants any more',
      () => {
        const world = rested({ pods: THREE })
        world.part.wishes = [FOLLOWERS]
        return world
      },
    ],
    [
      'edits by hand',
      () => {
        const world = rested({ pods: THREE, wishes: [wish({ metadata: { labels: { team: 'a' } } }), FOLLOWERS] })
        world.putService('db', { sessionAffinity: 'ClientIP', labels: {}, selector: {} })
        world.putSlice('db-leader-ipv4', { ports: [] })
        return world
      },
    ],
    [
      'another selector and type',
      () => {
        const world = rested({ pods: THREE, wishes: [wish({ routing: 'Selector' })] })
        world.putService('db', { selector: { app: 'x' }, type: 'NodePort' })
        return world
      },
    ],
    [
      'a Service of somebody else',
      () => {
        const world = new World({ pods: THREE, wishes: BOTH, leader: leaderIs(1, 4) })
        world.putService('db')
        return world
      },
    ],
  ]
  for (const [what, begin] of rows) {
    it(`is what a server makes of it: ${what}`, () => {
      const world = begin()
      const { services, slices } = played(world)
      world.settle()
      assert.deepEqual(inShort(slices), inShort(world.slices.values()))
      const facts = ({ name, type, selector, labels, sessionAffinity }: Routed['services'][number]): unknown[] => [
        name,
        type,
        selector,
        labels,
        sessionAffinity,
      ]
      const byName = (all: Iterable<Routed['services'][number]>): unknown[] =>
        [...all].toSorted((a, b) => (a.name < b.name ? -1 : 1)).map(facts)
      assert.deepEqual(byName(services), byName(world.services.values()))
    })
  }

  it('takes the slices of a Service away with it', () => {
    const service = observedService('db', { ownerReferences: [GROUP_OWNER] })
    const world = new World({ wishes: [LEADER] })
    world.putSlice('x', { ownerReferences: [{ apiVersion: 'v1', kind: 'Service', name: 'db', uid: service.uid }] })
    world.putSlice('y', {})
    const { uid, resourceVersion } = service
    const before = { services: [service], slices: [...world.slices.values()] }
    const after = enacted(before, { kind: 'deleteService', name: 'db', uid, resourceVersion }, 1)
    assert.deepEqual([after.services, after.slices.map(({ name }) => name)], [[], ['y']])
  })
})
