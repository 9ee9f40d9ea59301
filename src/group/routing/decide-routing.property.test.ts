import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { decideRouting, type RoutingDecision } from './decide-routing.ts'
import { podsIn, type ObservedSlice } from './endpoint-slice.ts'
import { GROUP_OWNER, observedService, observedSlice, pod, World } from './fixtures.ts'
import type { ObservedService } from './observed-service.ts'
import type { RoutedPod } from './routed-pod.ts'
import type { RoutingAction } from './routing-action.ts'
import type { RoutingInput } from './routing-input.ts'
import { isOurs } from './service.ts'
import type { ServiceWish } from './service-wish.ts'
import { isOwnSlice } from './slice.ts'
import { isLeaderSliceName } from './slice-name.ts'

const NAMES = ['db', 'db-ro', 'web']
const GROUP = 'db'

const pods: fc.Arbitrary<readonly RoutedPod[]> = fc.uniqueArray(fc.nat(5), { maxLength: 6 }).chain((numbers) =>
  fc.tuple(
    ...numbers.map((n) =>
      fc
        .record({
          ready: fc.boolean(),
          terminating: fc.boolean(),
          phase: fc.constantFrom('Running', 'Pending', 'Failed', undefined),
          seenAt: fc.nat(300),
          podIPs: fc.constantFrom([`10.0.0.${n}`, `fd00::1${n}`], [`10.0.0.${n}`], [], ['127.0.0.1']),
          ports: fc.constantFrom([{ name: 'sql', containerPort: 5432 }], [{ name: 'sql', containerPort: 3306 }], []),
        })
        .map((change) => pod(n, change)),
    ),
  ),
)

const key = fc.constantFrom('team', 'constructor', '__proto__', 'leadergroup.io/group', 'example.com/x')
const map = fc.dictionary(key, fc.constantFrom('a', 'b'), { maxKeys: 3, noNullPrototype: true })

const wishes: fc.Arbitrary<readonly ServiceWish[]> = fc.array(
  fc.record(
    {
      name: fc.constantFrom(...NAMES),
      role: fc.constantFrom('Leader', 'Follower'),
      routing: fc.constantFrom('Direct', 'Direct', 'Selector'),
      ports: fc.constantFrom(
        [{ name: 'sql', port: 5432, targetPort: 'sql' }],
        [{ port: 80 }],
        [
          { name: 'sql', port: 5432, targetPort: 'sql' },
          { name: 'web', port: 80, targetPort: 8080 },
        ],
      ),
      type: fc.constantFrom('ClusterIP', 'NodePort', 'LoadBalancer'),
      sessionAffinity: fc.constantFrom('None', 'ClientIP'),
      ipFamilyPolicy: fc.constantFrom('SingleStack', 'PreferDualStack', 'RequireDualStack'),
      metadata: fc.record({ labels: map, annotations: map }),
    },
    { requiredKeys: ['name', 'role', 'ports'] },
  ),
  { maxLength: 4 },
)

const leader = fc.option(
  fc.record({ uid: fc.nat(6).map((n) => `uid-db-${n}`), term: fc.integer({ min: 1, max: 9 }) }),
  {
    nil: undefined,
  },
)

const part = fc.record({ pods, wishes, leader })

/** Services that anybody may have written, in any state. */
const services: fc.Arbitrary<readonly ObservedService[]> = fc.uniqueArray(
  fc
    .record({
      name: fc.constantFrom(...NAMES, 'stranger'),
      ownerReferences: fc.constantFrom([], [GROUP_OWNER], [{ ...GROUP_OWNER, uid: 'x' }]),
      labels: fc.constantFrom({}, { 'leadergroup.io/group': GROUP }),
      annotations: map,
      selector: fc.constantFrom({}, { app: 'x' }, { 'db.leadergroup.io/role': 'leader' }),
      type: fc.constantFrom('ClusterIP', 'NodePort', 'ExternalName', undefined),
      clusterIP: fc.constantFrom('10.96.0.9', 'None', undefined),
      ipFamilies: fc.constantFrom(['IPv4'], ['IPv6', 'IPv4'], []),
      ports: fc.constantFrom([], [{ port: 80 }], [{ name: 'sql', port: 5432, targetPort: 'sql' }]),
    })
    .map(({ name, ...change }) => observedService(name, change as Partial<ObservedService>)),
  { selector: ({ name }) => name, maxLength: 4 },
)

const label = <T extends string>(...values: readonly T[]): fc.Arbitrary<T> => fc.constantFrom(...values)

const slices: fc.Arbitrary<readonly ObservedSlice[]> = fc.uniqueArray(
  fc
    .record({
      name: fc
        .tuple(
          label(...NAMES),
          label('leader-ipv4', 'leader-ipv6', 'follower-ipv4-0', 'follower-ipv4-1', 'follower-ipv6-0', 'x7k2p'),
        )
        .map(([service, rest]) => `${service}-${rest}`),
      service: label(...NAMES, 'stranger'),
      managedBy: label('leadergroup.io', 'leadergroup.io', 'endpointslice-controller.k8s.io', 'hand'),
      group: label(GROUP, GROUP, 'other'),
      addressType: label('IPv4', 'IPv6', 'FQDN'),
      seenAt: fc.nat(300),
      annotations: map,
      held: fc.array(fc.nat(6), { maxLength: 4 }),
    })
    .map(({ name, service, managedBy, group, held, ...change }) =>
      observedSlice(name, {
        ...change,
        labels: {
          'kubernetes.io/service-name': service,
          'endpointslice.kubernetes.io/managed-by': managedBy,
          'leadergroup.io/group': group,
        },
        endpoints: held.map((n) => ({
          addresses: [`10.9.9.${n}`],
          targetRef: { kind: 'Pod', name: `db-${n}`, uid: `uid-db-${n}` },
        })),
        ports: [{ name: 'sql', port: 5432, protocol: 'TCP' }],
      }),
    ),
  { selector: ({ name }) => name, maxLength: 6 },
)

const given = fc.record({ part, services, slices, dual: fc.boolean() })

function build({ part: from, ...there }: typeof given extends fc.Arbitrary<infer T> ? T : never): World {
  const world = new World(from, there.dual ? ['IPv4', 'IPv6'] : ['IPv4'])
  for (const service of there.services) world.services.set(service.name, service)
  for (const each of there.slices) world.slices.set(each.name, each)
  return world
}

const own = (world: World): readonly ObservedSlice[] =>
  [...world.slices.values()].filter((each) => isOwnSlice(each, GROUP))

/** Pods that are in a leader's and in a follower's slice of ours. */
function inBoth(world: World): readonly string[] {
  const of = (leads: boolean): readonly string[] =>
    own(world)
      .filter(({ name }) => isLeaderSliceName(name) === leads)
      .flatMap((each) => [...podsIn(each)])
  const followers = new Set(of(false))
  return of(true).filter((uid) => followers.has(uid))
}

/** All that one decision asks for, the urgent at the end. */
const lastFirst = ({ beforeLabel, besideLabel, chores }: RoutingDecision): readonly RoutingAction[] =>
  [...beforeLabel, ...besideLabel, ...chores].toReversed()

describe('decideRouting, whatever there is', () => {
  it('decides, gives the same again, and does not touch what it looks at', () => {
    const inputs = fc.record({ start: given, gateReadAt: fc.option(fc.nat(300), { nil: undefined }) })
    fc.assert(
      fc.property(inputs, ({ start, gateReadAt }) => {
        const input: RoutingInput = structuredClone({ ...build(start).input(), gateReadAt })
        const before = structuredClone(input)
        assert.deepEqual(decideRouting(input), decideRouting(structuredClone(input)))
        assert.deepEqual(input, before)
      }),
    )
  })

  it('rests once its actions have taken effect', () => {
    fc.assert(
      fc.property(given, (start) => {
        const world = build(start)
        world.settle()
        assert.deepEqual(world.settle(), [])
      }),
    )
  })

  it('comes to the same routing from anywhere, where nothing foreign is in the way', () => {
    fc.assert(
      fc.property(given, (start) => {
        const world = build(start)
        world.settle()
        const reason = world.decide().conditions[0]?.reason
        if (reason === 'ServiceNotOurs' || reason === 'ForeignSlices') return
        const fresh = new World(world.part, world.families)
        fresh.settle()
        for (const [name, service] of world.services) {
          // Behind a Service with a selector stands what the standard controller writes.
          if (Object.keys(service.selector).length > 0) continue
          // A Service keeps the families that it was given when nobody wishes for others.
          const same = service.ipFamilies.join() === fresh.services.get(name)?.ipFamilies.join()
          if (isOurs(service, { name: GROUP, uid: GROUP_OWNER.uid }) && same)
            assert.deepEqual(world.behind(name), fresh.behind(name))
        }
      }),
    )
  })

  it('never touches what is not the group’s', () => {
    fc.assert(
      fc.property(given, (start) => {
        const world = build(start)
        const theirs = [
          ...[...world.services.values()].filter((each) => !isOurs(each, { name: GROUP, uid: GROUP_OWNER.uid })),
          ...[...world.slices.values()].filter((each) => !isOwnSlice(each, GROUP)),
        ]
        world.settle()
        const left = new Set<object>([...world.services.values(), ...world.slices.values()])
        for (const each of theirs) assert.ok(left.has(each), each.name)
      }),
    )
  })

  it('writes no address that is not a selected pod’s, and none twice in a slice', () => {
    fc.assert(
      fc.property(given, (start) => {
        const world = build(start)
        const known = new Set(world.part.pods.flatMap(({ podIPs }) => podIPs))
        world.settle()
        for (const { name, endpoints } of own(world)) {
          const service = world.services.get(name.replace(/-(leader|follower)-ipv[46].*$/, ''))
          if (!service) continue
          const addresses = endpoints.flatMap((endpoint) => endpoint.addresses ?? [])
          for (const address of addresses) assert.ok(known.has(address), address)
          assert.equal(new Set(addresses).size, addresses.length)
        }
      }),
    )
  })

  it('shows no pod in a leader’s and a follower’s slice but a new leader, which leaves the latter', () => {
    fc.assert(
      fc.property(given, fc.array(leader, { maxLength: 3 }), fc.boolean(), (start, successors, backwards) => {
        const world = build(start)
        world.settle()
        assert.deepEqual(inBoth(world), [])
        for (const successor of successors) {
          world.part.leader = successor
          world.act({ kind: 'readGate' })
          const isNew = (uid: string): boolean => uid === successor?.uid
          world.settle(() => assert.ok(inBoth(world).every(isNew)), backwards ? lastFirst : undefined)
          assert.deepEqual(inBoth(world), [])
        }
      }),
    )
  })

  it('has at most one endpoint in a leader’s slice, and it is the leader', () => {
    fc.assert(
      fc.property(given, (start) => {
        const world = build(start)
        world.settle()
        for (const { name, endpoints, ownerReferences } of own(world)) {
          if (!isLeaderSliceName(name) || !world.services.has(name.replace(/-leader-ipv[46]$/, ''))) continue
          assert.deepEqual(
            endpoints.map(({ targetRef }) => targetRef?.uid),
            [world.part.leader?.uid],
          )
          assert.deepEqual(
            ownerReferences.map(({ uid }) => uid),
            [world.part.leader?.uid],
          )
        }
      }),
    )
  })

  it('an operator that lags behind never swaps back: whatever it saw last, its gate read is older', () => {
    fc.assert(
      fc.property(given, leader, (start, successor) => {
        const world = build(start)
        world.settle()
        const late = world.gateReadAt
        const before = world.part.leader
        world.part.leader = successor
        world.act({ kind: 'readGate' })
        const swapped = world.settle().some((text) => /^(create|replace)Slice \S+-leader-/.test(text))
        if (!swapped) return
        const stale = decideRouting({ ...world.input(), leader: before, gateReadAt: late })
        const newer = new Set(
          own(world)
            .filter(({ seenAt }) => seenAt >= late!)
            .map(({ name }) => name),
        )
        for (const action of stale.beforeLabel) {
          const name = action.kind === 'replaceSlice' ? action.slice.metadata.name : 'name' in action ? action.name : ''
          assert.ok(!(isLeaderSliceName(name) && newer.has(name)), name)
        }
      }),
    )
  })
})
