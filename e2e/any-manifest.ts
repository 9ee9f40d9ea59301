/** LeaderGroups as people and programs may write them: mostly what the CRD admits, its bounds, and what is just beyond. */
import * as fc from 'fast-check'
import { anySpec } from '../src/sim/any-custom.ts'

export interface Manifest {
  readonly metadata: unknown
  readonly spec?: unknown
}

const orAbsent = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(arbitrary, { nil: undefined, freq: 2 })

const key = fc.constantFrom(
  'app',
  'app.kubernetes.io/name',
  'tier',
  'constructor',
  'toString',
  'other.leadergroup.io/role',
  `${'p'.repeat(63)}.example.com/${'n'.repeat(63)}`,
)
const value = fc.constantFrom('db', 'web', '', 'v'.repeat(63), 'a_b.c-d')
const labels = fc.array(fc.tuple(key, value), { maxLength: 3 }).map((entries) => Object.fromEntries(entries))
const requirement = fc.oneof(
  fc.record({
    key,
    operator: fc.constantFrom('In', 'NotIn'),
    values: fc.array(value, { minLength: 1, maxLength: 32 }),
  }),
  fc.record({ key, operator: fc.constantFrom('Exists', 'DoesNotExist') }),
)
const selector = fc.oneof(
  { weight: 4, arbitrary: fc.constant({ matchLabels: { app: 'db' } }) },
  fc.record({ matchLabels: labels.filter((some) => Object.keys(some).length > 0) }),
  fc.record({ matchExpressions: fc.array(requirement, { minLength: 1, maxLength: 16 }) }),
)
const PORTS = [
  [{ port: 5432 }],
  [{ port: 5432, targetPort: 'sql' }],
  [{ port: 1 }],
  [{ port: 65_535, targetPort: 65_535, protocol: 'UDP' }],
  [
    { name: 'a', port: 53 },
    { name: 'b', port: 53, protocol: 'UDP', targetPort: 'no-such-port' },
  ],
]
const service = fc
  .record({
    name: fc.constantFrom('db', 'db-ro', 'sql', 's'.repeat(63), 'x-leader'),
    role: fc.constantFrom('Leader', 'Follower'),
    routing: orAbsent(fc.constantFrom('Direct', 'Selector')),
    ports: fc.constantFrom(...PORTS),
    type: orAbsent(fc.constantFrom('ClusterIP', 'NodePort', 'LoadBalancer')),
    headless: orAbsent(fc.boolean()),
    sessionAffinity: orAbsent(fc.constantFrom('None', 'ClientIP')),
    ipFamilyPolicy: orAbsent(fc.constantFrom('SingleStack', 'PreferDualStack', 'RequireDualStack')),
    metadata: orAbsent(fc.record({ labels, annotations: fc.constantFrom({}, { 'example.com/a': 'x'.repeat(4096) }) })),
  })
  .map(sound)
const plausible = fc
  .record({
    selector,
    mode: orAbsent(fc.constantFrom('Assign', 'Observe')),
    // Its own, another's, the one that the group beside it lives by, and the longest.
    leaseName: orAbsent(fc.constantFrom('fuzz', 'db', 'a.b-c', 'l'.repeat(253))),
    failover: orAbsent(
      fc.record(
        { notReadySeconds: fc.constantFrom(0, 1, 3600), releaseDeadHolder: fc.boolean() },
        { requiredKeys: [] },
      ),
    ),
    paused: orAbsent(fc.boolean()),
    labelFollowers: orAbsent(fc.boolean()),
    services: orAbsent(fc.uniqueArray(service, { maxLength: 3, selector: ({ name }) => name })),
    isConsistent: fc.constantFrom(true, true, true, false),
  })
  .map(({ isConsistent, ...spec }) => sound(isConsistent ? consistent(spec) : spec))

/** What no schema expects. */
const junk = fc.oneof(
  fc.constantFrom<unknown>(null, '', 0, -1, 1.5, 2 ** 31, 2 ** 53, true, [], {}, [null], { a: null }, ['x', 'x']),
  fc.constantFrom<unknown>(
    '🦊',
    '\u0000',
    '__proto__',
    'x'.repeat(64),
    'x'.repeat(254),
    'x'.repeat(70_000),
    'a b',
    '-a',
    'A',
  ),
  fc.constant<unknown>(Array.from({ length: 33 }, (_, index) => `v${index}`)),
  fc.constant<unknown>(JSON.parse('{"__proto__":{"polluted":true},"constructor":{"prototype":1}}')),
  fc.jsonValue(),
)

/** The spec with one value, anywhere in it, replaced or added. */
const twisted = fc.tuple(plausible, fc.nat(1_000), junk, fc.constantFrom('replace', 'replace', 'add')).map(twist)

const name = fc.oneof(
  { weight: 12, arbitrary: fc.constant(undefined) },
  fc.constantFrom('n'.repeat(63), 'n'.repeat(64), 'a.b', 'A', '', '__proto__', 'a/b', 'ä', 'x'.repeat(254)),
)
const metadata = fc.oneof(
  { weight: 10, arbitrary: fc.constant({}) },
  fc.constantFrom<object>(
    { annotations: { 'example.com/long': 'x'.repeat(250_000) } },
    { annotations: { 'example.com/too-long': 'x'.repeat(1_048_576) } },
    { annotations: { 'leadergroup.io/gate': 'db-0_u/g/4', 'leadergroup.io/mode': 'Assign' } },
    { labels: { 'leadergroup.io/group': 'db' }, finalizers: [] },
    { labels: { app: 4 } },
    { annotations: null, labels: null },
    { ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: 'x', uid: 'y', controller: true }] },
  ),
)

/** Of one that is created. Where it has no name it gets one of its own. */
export const anyManifest: fc.Arbitrary<Manifest> = fc
  .record({
    name,
    metadata,
    spec: fc.oneof(
      { weight: 5, arbitrary: plausible },
      { weight: 4, arbitrary: twisted },
      { weight: 2, arbitrary: anySpec },
      { weight: 1, arbitrary: junk },
    ),
  })
  .map(({ name: own, metadata: more, spec }) => ({
    metadata: { ...more, ...(own === undefined ? {} : { name: own }) },
    spec,
  }))

/** Of a change: a merge patch of its spec. Mostly of what can be changed. */
export const anyChange: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 4, arbitrary: plausible.map((spec) => ({ ...spec, mode: undefined, leaseName: undefined })) },
  plausible,
  twisted,
  junk,
)

interface Spec {
  readonly mode?: string | undefined
  readonly paused?: boolean | undefined
  readonly labelFollowers?: boolean | undefined
  readonly failover?: { readonly notReadySeconds?: number; readonly releaseDeadHolder?: boolean } | undefined
  readonly services?: readonly Service[] | undefined
}

interface Service {
  readonly role: string
  readonly routing?: string | undefined
  readonly headless?: boolean | undefined
}

/** As the CEL rules want it: which fields go with which. */
function consistent(spec: Spec): object {
  const { mode, paused, failover = {}, services = [], labelFollowers, ...rest } = spec
  const { notReadySeconds, releaseDeadHolder } = failover
  const selects = services.some(({ role, routing }) => role === 'Follower' && routing === 'Selector')
  return {
    ...rest,
    mode,
    labelFollowers: labelFollowers || selects,
    services: services.map((each) => (each.headless ? { ...each, type: 'ClusterIP' } : each)),
    ...(mode === 'Observe' ? { failover: { releaseDeadHolder } } : { paused, failover: { notReadySeconds } }),
  }
}

/** What is undefined is not there. */
function sound<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T
}

function twist([spec, at, value, how]: readonly [object, number, unknown, string]): unknown {
  const copy = structuredClone(spec) as Record<string, unknown>
  const places = placesIn(copy)
  const [holder, key] = places[at % places.length]!
  holder[how === 'add' ? 'unheardOf' : key] = value
  return copy
}

type Place = readonly [holder: Record<string, unknown>, key: string]

function placesIn(holder: Record<string, unknown>): readonly Place[] {
  return Object.entries(holder).flatMap(([key, value]): readonly Place[] => [
    [holder, key],
    ...(typeof value === 'object' && value !== null ? placesIn(value as Record<string, unknown>) : []),
  ])
}
