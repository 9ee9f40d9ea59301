import * as fc from 'fast-check'
import { absentOr, hostile } from '../group/observation-fixtures.ts'
import type { LeaderGroup } from '../group/leadergroup.ts'
import type { EndpointSlice, Lease, Node, ObjectMeta, OwnerReference, Service } from '../kube/objects.ts'
import { anySpec, anyStatus } from '../sim/any-custom.ts'
import type { CachedPod } from './trim.ts'

/*
 * Objects as the API server may hold them: any field that may be absent or null is, and every text is whatever somebody
 * may have written. Names and UIDs come from a few, so that objects meet one another.
 */

const orNull = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | null | undefined> =>
  fc.oneof({ weight: 6, arbitrary }, { weight: 1, arbitrary: fc.constantFrom(null, undefined) })

const rarely = fc.constantFrom(false, false, false, false, false, false, true)

const GROUPS = ['db', 'web', 'constructor']
const podNames = fc.constantFrom('db-0', 'db-0', 'db-1', 'constructor')
const groupNames = fc.constantFrom('db', 'db', 'web', 'constructor')
const serviceNames = fc.constantFrom('db', 'db-ro', 'sql', 'constructor')
const sliceNames = fc.constantFrom('db-leader-ipv4', 'db-ro-follower-ipv4-0', 'sql-leader-ipv6', 'x')
const names = fc.oneof(podNames, groupNames, serviceNames)
const uids = fc.constantFrom('u0', 'u1', 'group-1', 'group-2', 'constructor')
/** No two objects of different names ever have the same one. */
const UID_OF: Readonly<Record<string, string>> = { 'db-0': 'u0', 'db-1': 'u1', db: 'group-1', web: 'group-2' }
const time = fc.constantFrom('2026-01-01T00:01:30Z', '1970-01-01T00:00:00Z', '9999-12-31T23:59:59Z')
const microTime = fc.constantFrom('2026-01-01T00:01:30.000000Z', '0001-01-01T00:00:00.000000Z')

const keys = fc.oneof(
  fc.constantFrom(
    ...GROUPS.flatMap((name) => ['role', 'term', 'sealed'].map((key) => `${name}.leadergroup.io/${key}`)),
    'leadergroup.io/ineligible',
    'leadergroup.io/elector-container',
    'leadergroup.io/mode',
    'leadergroup.io/gate',
    'leadergroup.io/group',
    'kubernetes.io/service-name',
    'endpointslice.kubernetes.io/managed-by',
    'app',
    'pod-template-hash',
    'topology.kubernetes.io/zone',
    '.leadergroup.io/role',
    'a.b.leadergroup.io/term',
  ),
  hostile.filter((key) => key !== ''),
)
const values = fc.oneof(
  fc.constantFrom('leader', 'follower', 'db', 'Assign', 'Observe', 'true', 'leadergroup.io', 'group-1/4', '4'),
  fc.constantFrom('db-0_u0/group-1/4', '-/-/0', 'db-1_u1/lease-1/6', 'lease-1/3'),
  hostile,
)
const texts = fc.array(fc.tuple(keys, values), { maxLength: 6 }).map((entries) => Object.fromEntries(entries))
const labels = fc.tuple(texts, fc.boolean()).map(([any, isDb]) => (isDb ? { ...any, app: 'db' } : any))

const owner: fc.Arbitrary<OwnerReference> = fc.record({
  apiVersion: fc.constantFrom('leadergroup.io/v1alpha1', 'v1', 'apps/v1'),
  kind: fc.constantFrom('LeaderGroup', 'Pod', 'ReplicaSet'),
  name: names,
  uid: uids,
})

function metadata(
  named: fc.Arbitrary<string>,
  version: fc.Arbitrary<string> = fc.integer({ min: 1, max: 300 }).map(String),
): fc.Arbitrary<ObjectMeta> {
  const bare = fc.record(
    {
      name: named,
      namespace: fc.constant('shop'),
      /** Made anew under its name. */
      isAnew: rarely,
      isEnding: rarely,
      resourceVersion: version,
      generation: fc.nat({ max: 9 }),
      creationTimestamp: time,
      deletionTimestamp: time,
      deletionGracePeriodSeconds: fc.constantFrom(0, 30),
      finalizers: fc.array(fc.constantFrom('example.com/hold'), { maxLength: 1 }),
      labels,
      annotations: texts,
      ownerReferences: fc.array(owner, { maxLength: 2 }),
    },
    { requiredKeys: ['name', 'namespace', 'isAnew', 'isEnding', 'resourceVersion'] },
  )
  return bare.map(({ isAnew, isEnding, deletionTimestamp, ...rest }) => ({
    ...rest,
    uid: `${UID_OF[rest.name] ?? rest.name}${isAnew ? 'b' : ''}`,
    ...(isEnding && deletionTimestamp !== undefined ? { deletionTimestamp } : {}),
  }))
}

const state = orNull(
  fc.oneof(
    fc.record({ running: fc.record({ startedAt: time }) }),
    fc.record({ waiting: fc.record({ reason: hostile }) }),
    fc.record({
      terminated: fc.record(
        { exitCode: fc.nat(), reason: fc.constantFrom('Error', 'ContainerStatusUnknown'), finishedAt: orNull(time) },
        { requiredKeys: ['exitCode'] },
      ),
    }),
    fc.constant({}),
  ),
)
const containerStatus = fc.record(
  { name: fc.constantFrom('app', 'log', '__proto__'), state, lastState: state, restartCount: fc.nat() },
  { requiredKeys: ['name'] },
)
const container = fc.record(
  {
    name: fc.constantFrom('app', 'log', '__proto__', 'a/b'),
    restartPolicy: orNull(fc.constantFrom('Always', 'Never')),
    ports: orNull(
      fc.array(
        fc.record(
          {
            name: fc.constantFrom('sql', 'http'),
            containerPort: fc.nat({ max: 65_535 }),
            protocol: fc.constant('TCP'),
          },
          { requiredKeys: ['containerPort'] },
        ),
        { maxLength: 2 },
      ),
    ),
  },
  { requiredKeys: ['name'] },
)
const containers = orNull(fc.array(container, { maxLength: 3 }))
const statuses = orNull(fc.array(containerStatus, { maxLength: 3 }))

/** Sound where no decoder would have let anything else through. */
export const anyPodObject = fc
  .record(
    {
      metadata: metadata(podNames),
      spec: orNull(
        fc.record(
          { nodeName: orNull(names), hostNetwork: orNull(fc.boolean()), containers, initContainers: containers },
          { requiredKeys: [] },
        ),
      ),
      status: orNull(
        fc.record(
          {
            phase: orNull(fc.constantFrom('Running', 'Pending', 'Failed', 'Succeeded')),
            startTime: orNull(time),
            podIP: orNull(fc.constantFrom('10.0.0.1', 'fd00::1', '')),
            podIPs: orNull(
              fc.array(fc.record({ ip: fc.constantFrom('10.0.0.1', 'fd00::1', '') }, { requiredKeys: [] }), {
                maxLength: 3,
              }),
            ),
            conditions: orNull(
              fc.array(
                fc.record(
                  {
                    type: fc.constantFrom('Ready', 'x'),
                    status: fc.constantFrom('True', 'False', 'Unknown'),
                    lastTransitionTime: orNull(time),
                  },
                  { requiredKeys: ['type', 'status'] },
                ),
                { maxLength: 2 },
              ),
            ),
            containerStatuses: statuses,
            initContainerStatuses: statuses,
          },
          { requiredKeys: [] },
        ),
      ),
    },
    { requiredKeys: ['metadata'] },
  )
  .map((object) => asArrived(object) as CachedPod)

const lease = fc.record(
  {
    metadata: metadata(groupNames),
    spec: orNull(
      fc.record(
        {
          holderIdentity: orNull(fc.oneof(fc.constantFrom('db-0', 'db-0_u0', 'db-1_x', 'u0', '10.0.0.1', ''), hostile)),
          leaseDurationSeconds: orNull(fc.constantFrom(1, 15, 2 ** 31 - 1)),
          acquireTime: orNull(microTime),
          renewTime: orNull(microTime),
          leaseTransitions: orNull(fc.constantFrom(0, 3, 2 ** 31 - 1)),
          strategy: orNull(hostile),
          preferredHolder: orNull(hostile),
        },
        { requiredKeys: [] },
      ),
    ),
  },
  { requiredKeys: ['metadata'] },
)

/** Often one that a group in mode Assign has made, whatever has become of it since. */
export const anyLeaseObject = fc
  .record({
    any: lease,
    isOurs: fc.boolean(),
    holder: fc.constantFrom('db-0_u0', 'db-0_u0', 'db-1_u1', '-'),
    term: fc.nat({ max: 6 }),
    keepsSpec: fc.constantFrom(true, false, false),
  })
  .map(({ any, isOurs, holder, term, keepsSpec }) => {
    const { metadata: meta } = any
    if (!isOurs) return any
    const ownerReferences = [
      { apiVersion: 'leadergroup.io/v1alpha1', kind: 'LeaderGroup', name: meta.name, uid: UID_OF[meta.name] },
    ]
    const annotations = {
      ...meta.annotations,
      'leadergroup.io/mode': 'Assign',
      'leadergroup.io/gate': `${holder}/${meta.uid}/${term}`,
    }
    const ours = { holderIdentity: holder, leaseTransitions: term, leaseDurationSeconds: 2 ** 31 - 1 }
    return { metadata: { ...meta, ownerReferences, annotations }, spec: keepsSpec ? any.spec : ours }
  })
  .map((object) => asArrived(object) as Lease)

/** Mostly one that selects some of the pods. */
const spec = fc.record({ any: anySpec, selects: fc.constantFrom(true, true, false) }).map(({ any, selects }) => {
  return { ...(any as object), ...(selects ? { selector: { matchLabels: { app: 'db' } } } : {}) }
})

export const anyGroupObject = fc
  .record({
    metadata: metadata(groupNames),
    spec,
    status: absentOr(
      fc
        .tuple(anyStatus, values, hostile)
        .map(([status, gate, leaseVersion]) => ({ ...(status as object), gate, leaseVersion })),
    ),
  })
  .map(({ metadata: meta, ...rest }) => ({
    ...rest,
    metadata: meta,
  }))
  .map((object) => asArrived(object) as LeaderGroup)

export const anyServiceObject = fc
  .record(
    {
      metadata: metadata(serviceNames),
      spec: orNull(
        fc.record(
          {
            type: orNull(fc.constantFrom('ClusterIP', 'NodePort', 'ExternalName')),
            clusterIP: orNull(fc.constantFrom('None', '', '10.1.0.1')),
            selector: orNull(texts),
            ports: orNull(
              fc.array(
                fc.record(
                  {
                    name: orNull(fc.constantFrom('sql', '')),
                    port: fc.nat({ max: 65_535 }),
                    protocol: orNull(fc.constantFrom('TCP', 'UDP')),
                    targetPort: orNull(fc.oneof(fc.nat({ max: 65_535 }), fc.constantFrom('sql', ''))),
                    nodePort: orNull(fc.nat({ max: 65_535 })),
                    appProtocol: orNull(hostile),
                  },
                  { requiredKeys: ['port'] },
                ),
                { maxLength: 2 },
              ),
            ),
            sessionAffinity: orNull(fc.constantFrom('None', 'ClientIP')),
            ipFamilyPolicy: orNull(fc.constantFrom('SingleStack', 'PreferDualStack')),
            ipFamilies: orNull(fc.array(fc.constantFrom('IPv4', 'IPv6'), { maxLength: 2 })),
          },
          { requiredKeys: [] },
        ),
      ),
    },
    { requiredKeys: ['metadata'] },
  )
  .map((object) => asArrived(object) as Service)

export const anySliceObject = fc
  .record(
    {
      metadata: metadata(sliceNames),
      addressType: fc.constantFrom('IPv4', 'IPv6', 'FQDN'),
      endpoints: orNull(
        fc.array(
          fc.record(
            {
              addresses: orNull(fc.array(fc.constantFrom('10.0.0.1', 'fd00::1'), { maxLength: 2 })),
              targetRef: orNull(
                fc.record({ kind: fc.constantFrom('Pod', 'Node'), name: names, uid: uids }, { requiredKeys: [] }),
              ),
              conditions: orNull(fc.record({ ready: orNull(fc.boolean()) }, { requiredKeys: [] })),
              zone: orNull(hostile),
            },
            { requiredKeys: [] },
          ),
          { maxLength: 2 },
        ),
      ),
      ports: orNull(
        fc.array(fc.record({ name: orNull(hostile), port: orNull(fc.nat()) }, { requiredKeys: [] }), { maxLength: 2 }),
      ),
    },
    { requiredKeys: ['metadata', 'addressType'] },
  )
  .map((object) => asArrived(object) as EndpointSlice)

export const anyNodeObject = fc
  .record(
    {
      metadata: metadata(podNames),
      spec: orNull(
        fc.record(
          {
            taints: orNull(
              fc.array(
                fc.record({ key: fc.constantFrom('node.kubernetes.io/out-of-service', 'x') }, { requiredKeys: [] }),
                { maxLength: 2 },
              ),
            ),
          },
          { requiredKeys: [] },
        ),
      ),
      status: orNull(
        fc.record(
          {
            conditions: orNull(
              fc.array(fc.record({ type: fc.constant('Ready'), status: fc.constantFrom('True', 'Unknown') })),
            ),
          },
          { requiredKeys: [] },
        ),
      ),
    },
    { requiredKeys: ['metadata'] },
  )
  .map(({ metadata: meta, ...rest }) => ({ ...rest, metadata: { ...meta, namespace: undefined } }))
  .map((object) => asArrived(object) as Node)

/** What JSON cannot say does not arrive. */
function asArrived(object: unknown): unknown {
  return JSON.parse(JSON.stringify(object))
}
