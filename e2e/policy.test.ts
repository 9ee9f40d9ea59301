/** The admission policies in `config/policy`, asked on the real API server with the operator's own token. */
import assert from 'node:assert/strict'
import { fileURLToPath } from 'node:url'
import { systemClock } from '../src/clock.ts'
import { Api } from '../src/kube/api.ts'
import { type KubeObject, Leases, Pods, type Resource } from '../src/kube/objects.ts'
import { ApiError, type Outcome } from '../src/kube/outcome.ts'
import { type UndiciTransport, undiciTransport } from '../src/kube/undici.ts'
import { LeaderGroups } from '../src/operator/resources.ts'
import { eventually } from './controlplane/eventually.ts'
import { must } from './controlplane/must.ts'
import { adminApi, controlPlane, createNamespace, leaderGroupCrd } from './controlplane/shared.ts'
import { succeed } from './kubectl.ts'
import { createPod } from './pods.ts'

const SYSTEM = 'leadergroup-system'
const SERVICE_ACCOUNT = 'leadergroup-controller-manager'

const Services: Resource<KubeObject> = { group: '', version: 'v1', plural: 'services', kind: 'Service' }
const EndpointSlices: Resource<KubeObject> = {
  group: 'discovery.k8s.io',
  version: 'v1',
  plural: 'endpointslices',
  kind: 'EndpointSlice',
}

interface Row {
  readonly title: string
  readonly write: (api: Api, namespace: string) => Promise<Outcome<unknown>>
  /** What the refusal says; allowed without. */
  readonly refused?: RegExp
}

const dryRun = { dryRun: true }

function patchPod(patch: object): Row['write'] {
  return (api, namespace) => api.mergePatch(Pods, { namespace, name: 'pod' }, patch, dryRun)
}

/** The pod has the label db.leadergroup.io/role, the annotation db.leadergroup.io/term, and keys of its user. */
const POD_ROWS: readonly Row[] = [
  {
    title: 'the label and both annotations of a group',
    write: patchPod({
      metadata: {
        labels: { 'queue.leadergroup.io/role': 'leader' },
        annotations: { 'queue.leadergroup.io/term': '4', 'queue.leadergroup.io/sealed': 'uid/3' },
      },
    }),
  },
  {
    title: 'a follower',
    write: patchPod({ metadata: { labels: { 'db.leadergroup.io/role': 'follower' } } }),
  },
  {
    title: 'to take its keys off',
    write: patchPod({
      metadata: { labels: { 'db.leadergroup.io/role': null }, annotations: { 'db.leadergroup.io/term': null } },
    }),
  },
  ...Object.entries({ app: 'other', app2: 'new', 'leadergroup.io/role': 'leader', 'db.leadergroup.io/term': '1' }).map(
    ([key, value]) => ({
      title: `the label ${key}`,
      write: patchPod({ metadata: { labels: { [key]: value } } }),
      refused: new RegExp(`only labels GROUP.leadergroup.io/role of a pod, not ${key}$`),
    }),
  ),
  {
    title: "to take a user's label off",
    write: patchPod({ metadata: { labels: { app: null } } }),
    refused: /only labels GROUP.leadergroup.io\/role of a pod, not app$/,
  },
  {
    title: 'another role',
    write: patchPod({ metadata: { labels: { 'db.leadergroup.io/role': 'admin' } } }),
    refused: /no role but leader and follower/,
  },
  ...['note', 'leadergroup.io/ineligible', 'db.leadergroup.io/role'].map((key) => ({
    title: `the annotation ${key}`,
    write: patchPod({ metadata: { annotations: { [key]: 'new' } } }),
    refused: new RegExp(`only annotations GROUP.leadergroup.io/term and /sealed of a pod, not ${key}$`),
  })),
  {
    title: 'another image',
    write: (api, namespace) =>
      api.get(Pods, { namespace, name: 'pod' }).then((outcome) => {
        const { spec } = must(outcome)
        const containers = spec?.containers?.map((container) => ({ ...container, image: 'evil' }))
        return api.mergePatch(Pods, { namespace, name: 'pod' }, { spec: { containers } }, dryRun)
      }),
    refused: /may not change the spec/,
  },
  {
    title: 'a deadline',
    write: patchPod({ spec: { activeDeadlineSeconds: 1 } }),
    refused: /may not change the spec/,
  },
  {
    title: 'a finalizer',
    write: patchPod({ metadata: { finalizers: ['example.com/for-ever'] } }),
    refused: /owner references and finalizers/,
  },
  {
    title: 'an owner, with whom it would be deleted',
    write: patchPod({ metadata: { ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: 'x', uid: 'x' }] } }),
    refused: /owner references and finalizers/,
  },
]

const ASSIGN = { 'leadergroup.io/mode': 'Assign', 'leadergroup.io/gate': '-/0' }

function leaseManifest(name: string, annotations: Readonly<Record<string, string>> = {}): object {
  const time = '2026-11-21T05:17:25.123456Z'
  return {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: { name, annotations },
    spec: {
      holderIdentity: 'app-1_x',
      leaseDurationSeconds: 15,
      leaseTransitions: 3,
      acquireTime: time,
      renewTime: time,
    },
  }
}

function createLease(name: string, annotations?: Readonly<Record<string, string>>, where?: string): Row['write'] {
  return (api, namespace) => api.create(Leases, where ?? namespace, leaseManifest(name, annotations), dryRun)
}

function replaceLease(name: string, spec: object, metadata: object = {}): Row['write'] {
  return async (api, namespace) => {
    const read = must(await api.get(Leases, { namespace, name }))
    const next = { ...read, metadata: { ...read.metadata, ...metadata }, spec: { ...read.spec, ...spec } }
    return api.replace(Leases, { namespace, name }, next, dryRun)
  }
}

function remove(resource: Resource<KubeObject>, name: string): Row['write'] {
  return (api, namespace) => api.delete(resource, { namespace, name })
}

/** `app` is an application's, `ours` a group's in mode Assign. */
const RELEASED = { holderIdentity: '', leaseDurationSeconds: 1, renewTime: '2026-11-21T06:00:00.000000Z' }
const ONLY_EMPTY = /only Leases with the annotation .*; of any other it may only empty the holder/
const LEASE_ROWS: readonly Row[] = [
  { title: "to make a group's Lease", write: createLease('new', ASSIGN) },
  { title: 'to name the next holder there', write: replaceLease('ours', { holderIdentity: 'db-2_y' }) },
  { title: 'to empty the holder of any other', write: replaceLease('app', RELEASED) },
  { title: 'its own election', write: createLease('leadergroup-operator', {}, SYSTEM) },
  { title: 'to make any other Lease', write: createLease('new'), refused: /may create only Leases/ },
  {
    title: 'its own election anywhere else',
    write: createLease('leadergroup-operator'),
    refused: /may create only Leases/,
  },
  { title: 'another holder', write: replaceLease('app', { holderIdentity: 'app-2_y' }), refused: ONLY_EMPTY },
  { title: 'a renewal', write: replaceLease('app', { renewTime: RELEASED.renewTime }), refused: ONLY_EMPTY },
  { title: 'to empty it twice', write: replaceLease('released', RELEASED), refused: ONLY_EMPTY },
  {
    title: 'a release that counts as a transition',
    write: replaceLease('app', { ...RELEASED, leaseTransitions: 4 }),
    refused: ONLY_EMPTY,
  },
  {
    title: 'a release with another duration',
    write: replaceLease('app', { ...RELEASED, leaseDurationSeconds: 3600 }),
    refused: ONLY_EMPTY,
  },
  {
    title: 'a release with an owner added',
    write: replaceLease('app', RELEASED, {
      ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: 'x', uid: 'x' }],
    }),
    refused: ONLY_EMPTY,
  },
  { title: "to adopt an application's", write: replaceLease('app', {}, { annotations: ASSIGN }), refused: ONLY_EMPTY },
  {
    title: 'to adopt it while emptying it',
    write: replaceLease('app', RELEASED, { annotations: ASSIGN }),
    refused: ONLY_EMPTY,
  },
  { title: 'to give its own away', write: replaceLease('ours', {}, { annotations: {} }), refused: ONLY_EMPTY },
  { title: "to delete an application's", write: remove(Leases, 'app'), refused: /may delete only Leases/ },
  { title: "to delete a group's", write: remove(Leases, 'ours') },
]

const OWNER = { apiVersion: 'leadergroup.io/v1alpha1', kind: 'LeaderGroup', name: 'db', uid: 'of-no-group' }
const OURS = { labels: { 'leadergroup.io/group': 'db' }, ownerReferences: [OWNER] }

function createService(metadata: object, spec: object = {}): Row['write'] {
  return (api, namespace) => api.create(Services, namespace, service('new', metadata, spec), dryRun)
}

function service(name: string, metadata: object, spec: object = {}): object {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { ...metadata, name },
    spec: { ports: [{ port: 5432 }], ...spec },
  }
}

function patchService(name: string, patch: object): Row['write'] {
  return (api, namespace) => api.mergePatch(Services, { namespace, name }, patch, dryRun)
}

const SPEC = { selector: { matchLabels: { app: 'none' } } }
const STICKY = { spec: { sessionAffinity: 'ClientIP' } }
const ONLY_OUR_SERVICES = /only Services that a LeaderGroup owns, with the label leadergroup.io\/group/
const SERVICE_ROWS: readonly Row[] = [
  { title: 'to make one of its own', write: createService(OURS) },
  { title: 'to change one of its own', write: patchService('ours', STICKY) },
  { title: 'to mark one of its own again', write: patchService('unmarked', { metadata: { labels: OURS.labels } }) },
  { title: 'to make one without an owner', write: createService({ labels: OURS.labels }), refused: ONLY_OUR_SERVICES },
  {
    title: 'to make one of another owner',
    write: createService({ ...OURS, ownerReferences: [{ ...OWNER, apiVersion: 'apps/v1', kind: 'ReplicaSet' }] }),
    refused: ONLY_OUR_SERVICES,
  },
  { title: 'to make one without its label', write: createService({ ...OURS, labels: {} }), refused: ONLY_OUR_SERVICES },
  { title: "somebody else's", write: patchService('foreign', STICKY), refused: ONLY_OUR_SERVICES },
  { title: "to adopt somebody else's", write: patchService('foreign', { metadata: OURS }), refused: ONLY_OUR_SERVICES },
  {
    title: 'to give its own away',
    write: patchService('ours', { metadata: { ownerReferences: null } }),
    refused: ONLY_OUR_SERVICES,
  },
  {
    title: 'external addresses',
    write: createService(OURS, { externalIPs: ['192.0.2.1'] }),
    refused: /externalIPs/,
  },
  {
    title: 'external names',
    write: createService(OURS, { type: 'ExternalName', externalName: 'example.com' }),
    refused: /ExternalName/,
  },
  { title: "to delete somebody else's", write: remove(Services, 'foreign'), refused: ONLY_OUR_SERVICES },
  { title: 'to delete its own', write: remove(Services, 'ours') },
]

const OUR_SLICE = { 'endpointslice.kubernetes.io/managed-by': 'leadergroup.io' }

function slice(name: string, labels: Readonly<Record<string, string>>, endpoints: readonly object[] = []): object {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name, labels },
    addressType: 'IPv4',
    endpoints,
  }
}

function createSlice(labels: Readonly<Record<string, string>>, target?: (namespace: string) => object): Row['write'] {
  return (api, namespace) => {
    const endpoint = { addresses: ['10.1.2.3'], ...(target ? { targetRef: target(namespace) } : {}) }
    return api.create(EndpointSlices, namespace, slice('new', labels, [endpoint]), dryRun)
  }
}

const podIn = (namespace: string): object => ({ kind: 'Pod', namespace, name: 'pod' })
const ONLY_OUR_SLICES = /only EndpointSlices with the label endpointslice.kubernetes.io\/managed-by: leadergroup.io/
const ONLY_PODS = /only pods of its own namespace/
const SLICE_ROWS: readonly Row[] = [
  { title: 'to make one of its own', write: createSlice(OUR_SLICE, podIn) },
  {
    title: 'an empty one',
    write: (api, namespace) => api.create(EndpointSlices, namespace, slice('new', OUR_SLICE), dryRun),
  },
  { title: 'to make one without its mark', write: createSlice({}, podIn), refused: ONLY_OUR_SLICES },
  { title: 'an address that is no pod', write: createSlice(OUR_SLICE), refused: ONLY_PODS },
  {
    title: 'a pod of another namespace',
    write: createSlice(OUR_SLICE, () => podIn('kube-system')),
    refused: ONLY_PODS,
  },
  {
    title: 'a node',
    write: createSlice(OUR_SLICE, (namespace) => ({ kind: 'Node', namespace, name: 'node-1' })),
    refused: ONLY_PODS,
  },
  {
    title: "somebody else's",
    write: async (api, namespace) => {
      const key = { namespace, name: 'foreign' }
      return api.replace(EndpointSlices, key, must(await api.get(EndpointSlices, key)), dryRun)
    },
    refused: ONLY_OUR_SLICES,
  },
  { title: "to delete somebody else's", write: remove(EndpointSlices, 'foreign'), refused: ONLY_OUR_SLICES },
  { title: 'to delete its own', write: remove(EndpointSlices, 'ours') },
]

describe("the admission policies of the operator's service account", () => {
  let admin: Api
  let transport: UndiciTransport
  let operator: Api
  let namespace: string

  before(async () => {
    const plane = await controlPlane()
    admin = await adminApi()
    await leaderGroupCrd()
    for (const part of ['namespace', 'rbac', 'policy']) await succeed(['apply', '-k', directory(part)])
    const token = await plane.serviceAccountToken(SYSTEM, SERVICE_ACCOUNT)
    const access = { tls: { ca: plane.ca }, headers: { authorization: `Bearer ${token}` } }
    const credentials = { server: plane.server, load: () => Promise.resolve(access) }
    transport = undiciTransport({ credentials, userAgent: 'leadergroup-e2e-policy' })
    operator = new Api(transport, systemClock, { fieldManager: 'e2e' })
    // Operators of other tests have left theirs.
    await admin.delete(Leases, { namespace: SYSTEM, name: 'leadergroup-operator' })
    namespace = await createNamespace('policy')
    await createObjects(admin, namespace)
    await untilInForce(operator, namespace)
  })
  after(() => transport?.close())

  for (const [what, rows] of Object.entries({
    'On pods it': POD_ROWS,
    'On Leases it': LEASE_ROWS,
    'On Services it': SERVICE_ROWS,
    'On EndpointSlices it': SLICE_ROWS,
  })) {
    describe(what, () => {
      for (const { title, write, refused } of rows) {
        it(`${refused ? 'forbids' : 'allows'} ${title}`, async () => {
          const refusal = await write(operator, namespace).then(
            (outcome) => void must(outcome),
            (error: unknown) => error,
          )
          if (!refused) return assert.equal(refusal, undefined)
          assert(refusal instanceof ApiError, 'it was allowed')
          assert.deepEqual([refusal.status, refusal.reason], [403, 'Forbidden'])
          assert.match(refusal.message, refused)
        })
      }
    })
  }

  it('bind nobody else', async () => {
    must(await admin.mergePatch(Pods, { namespace, name: 'pod' }, { metadata: { labels: { app: 'other' } } }, dryRun))
    must(await replaceLease('app', { holderIdentity: 'app-2_y' })(admin, namespace))
    must(await createService({})(admin, namespace))
    must(await createSlice({})(admin, namespace))
  })

  it('have no expression that the API server doubts', async () => {
    const names = ['pods', 'leases', 'services', 'endpoint-slices'].map((name) => `leadergroup-${name}`)
    await eventually({ what: 'the type check of the policies', millis: 30_000 }, async () => {
      const args = ['get', 'validatingadmissionpolicy', ...names, '-o', 'json']
      const { items } = JSON.parse(await succeed(args)) as {
        items: { metadata: { generation: number }; status?: { observedGeneration?: number; typeChecking?: object } }[]
      }
      const isChecked = items.every(({ metadata, status }) => status?.observedGeneration === metadata.generation)
      if (!isChecked) return undefined
      assert.deepEqual(
        items.map(({ status }) => status?.typeChecking),
        names.map(() => ({})),
      )
      return true
    })
  })
})

function directory(name: string): string {
  return fileURLToPath(new URL(`../config/${name}`, import.meta.url))
}

async function createObjects(admin: Api, namespace: string): Promise<void> {
  await createPod(admin, {
    namespace,
    name: 'pod',
    labels: { app: 'db', 'db.leadergroup.io/role': 'leader' },
    annotations: { 'db.leadergroup.io/term': '3', note: 'a user wrote this' },
  })
  must(await admin.create(Leases, namespace, leaseManifest('ours', ASSIGN)))
  must(await admin.create(Leases, namespace, leaseManifest('app')))
  must(await admin.create(Leases, namespace, leaseManifest('released')))
  must(await admin.mergePatch(Leases, { namespace, name: 'released' }, { spec: RELEASED }))
  // Of a group that there is: the garbage collector would else take them.
  const group = { apiVersion: OWNER.apiVersion, kind: OWNER.kind, metadata: { name: OWNER.name }, spec: SPEC }
  const { uid } = must(await admin.create(LeaderGroups, namespace, group)).metadata
  const ownerReferences = [{ ...OWNER, uid }]
  must(await admin.create(Services, namespace, service('ours', { ...OURS, ownerReferences })))
  must(await admin.create(Services, namespace, service('unmarked', { ownerReferences })))
  must(await admin.create(Services, namespace, service('foreign', {})))
  must(await admin.create(EndpointSlices, namespace, slice('ours', OUR_SLICE)))
  must(await admin.create(EndpointSlices, namespace, slice('foreign', {})))
}

/** Roles and policies reach the API server's authorizer and its admission through watches of their own. */
async function untilInForce(operator: Api, namespace: string): Promise<void> {
  const forbidden = [POD_ROWS, LEASE_ROWS, SERVICE_ROWS, SLICE_ROWS].map((rows) => rows.find(({ refused }) => refused)!)
  for (const { write, refused } of forbidden) {
    await eventually({ what: 'the policies to be in force', millis: 30_000 }, async () => {
      const error = await write(operator, namespace).catch((thrown: unknown) => thrown)
      return error instanceof ApiError && refused!.test(error.message) ? true : undefined
    })
  }
}
