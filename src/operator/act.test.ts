import assert from 'node:assert/strict'
import { decide } from '../group/decide.ts'
import type { AdvanceGate, GroupAction, PatchPod } from '../group/decision.ts'
import { Api } from '../kube/api.ts'
import {
  EndpointSlices,
  Leases,
  Pods,
  Services,
  type KubeObject,
  type Lease,
  type Pod,
  type Resource,
} from '../kube/objects.ts'
import { ApiError } from '../kube/outcome.ts'
import type { Transport, TransportRequest, TransportResponse } from '../kube/transport.ts'
import type { Acted } from '../loop.ts'
import { ApiServer } from '../sim/apiserver.ts'
import { VirtualClock } from '../sim/clock.ts'
import { Actor } from './act.ts'
import { Cache } from './cache.ts'
import { LeaderGroups } from './resources.ts'
import { trimGroup, trimLease, trimPod } from './trim.ts'

const NAMESPACE = 'shop'
const KEY = 'shop/db'
const LEASE = { namespace: NAMESPACE, name: 'db' }
const SEALED = 'db.leadergroup.io/sealed'

const OURS = { 'leadergroup.io/group': 'db' }
const SERVICE = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'db', namespace: NAMESPACE, labels: OURS, ownerReferences: [] },
  spec: { type: 'ClusterIP', ports: [{ port: 80, targetPort: 80, protocol: 'TCP' }], sessionAffinity: 'None' },
} as const
const SLICE = {
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: {
    name: 'db-leader-ipv4',
    namespace: NAMESPACE,
    labels: { ...OURS, 'endpointslice.kubernetes.io/managed-by': 'leadergroup.io' },
    ownerReferences: [],
  },
  addressType: 'IPv4',
  endpoints: [],
  ports: [],
} as const

/** `lose`: the server carries the request out, and its answer is lost. */
type Fate = TransportResponse | 'lose' | undefined

/** One group, one pod and its actor, on the in-memory API server. The cache sees only what it is shown, and replies. */
class Rig {
  readonly clock = new VirtualClock()
  readonly server = new ApiServer(this.clock)
  readonly admin = new Api(this.server.transport(), this.clock)
  readonly cache = new Cache(this.clock, () => undefined)
  readonly sent: string[] = []
  readonly authority = new AbortController()
  fate: (request: TransportRequest) => Fate = () => undefined
  readonly actor = new Actor(new Api(this.#transport(), this.clock), this.cache, this.clock)

  #transport(): Transport {
    const inner = this.server.transport({ user: 'op' })
    return {
      send: async (request) => {
        this.sent.push(`${request.method} ${request.path.split('?')[0]!.split('/').slice(-2).join('/')}`)
        const fate = this.fate(request)
        if (typeof fate === 'object') return fate
        const response = await inner.send(request)
        if (fate === 'lose') throw new Error('connection reset')
        return response
      },
    }
  }

  async begin(): Promise<void> {
    await this.create(LeaderGroups, { metadata: { name: 'db' }, spec: { selector: { matchLabels: { app: 'db' } } } })
    await this.create(Pods, { metadata: { name: 'db-0', labels: { app: 'db' } }, spec: {} })
    await this.see()
  }

  /** The watches deliver everything. */
  async see(): Promise<void> {
    this.cache.groups.apply(trimGroup(await this.read(LeaderGroups, 'db')))
    this.cache.pods.apply(trimPod(await this.pod()))
    const lease = await this.admin.get(Leases, LEASE)
    if (lease.kind === 'ok') this.cache.leases.apply(trimLease(lease.object))
  }

  async create<T extends KubeObject>(resource: Resource<T>, object: object): Promise<void> {
    const { group, version, kind } = resource
    const apiVersion = group === '' ? version : `${group}/${version}`
    const outcome = await this.admin.create(resource, NAMESPACE, { apiVersion, kind, ...object })
    assert.equal(outcome.kind, 'ok')
  }

  async read<T extends KubeObject>(resource: Resource<T>, name: string): Promise<T> {
    const outcome = await this.admin.get(resource, { namespace: NAMESPACE, name })
    assert.ok(outcome.kind === 'ok')
    return outcome.object
  }

  pod(): Promise<Pod> {
    return this.read(Pods, 'db-0')
  }

  lease(): Promise<Lease> {
    return this.read(Leases, 'db')
  }

  /** The Lease as the actor creates it. */
  async born(): Promise<Lease> {
    assert.equal((await this.act({ kind: 'createGate' })).kind, 'done')
    this.sent.length = 0
    return this.lease()
  }

  act(...actions: readonly GroupAction[]): Promise<Acted> {
    return this.actor.act(KEY, actions, 0, this.authority.signal)
  }

  async patch(change: Partial<PatchPod['pod']> = {}): Promise<PatchPod> {
    const { name, uid, resourceVersion } = (await this.pod()).metadata
    const pod = { name, uid, resourceVersion, ...change }
    return { kind: 'patchPod', step: 'enrol', pod, labels: {}, annotations: { [SEALED]: 'g/0' } }
  }

  async touchPod(): Promise<void> {
    await this.admin.mergePatch(
      Pods,
      { namespace: NAMESPACE, name: 'db-0' },
      { metadata: { labels: { touched: 'x' } } },
    )
  }

  async touchLease(): Promise<void> {
    await this.admin.mergePatch(Leases, LEASE, { spec: { holderIdentity: 'stranger' } })
  }

  async recreatePod(): Promise<void> {
    await this.admin.delete(Pods, { namespace: NAMESPACE, name: 'db-0' }, { gracePeriodSeconds: 0 })
    await this.create(Pods, { metadata: { name: 'db-0', labels: { app: 'db' } }, spec: {} })
  }

  seen(): { readonly pod: string | undefined; readonly lease: string | undefined; readonly leaseRead: boolean } {
    const { pods, lease } = this.cache.observe(KEY)
    return { pod: pods[0]?.resourceVersion, lease: lease?.resourceVersion, leaseRead: lease?.readAt !== undefined }
  }
}

function answer(status: number, reason: string, headers: Readonly<Record<string, string>> = {}): TransportResponse {
  const body = Buffer.from(JSON.stringify({ kind: 'Status', code: status, reason, message: 'no' }))
  return {
    status,
    headers,
    body: (async function* () {
      yield body
    })(),
  }
}

async function advanceOf(rig: Rig, change: Partial<AdvanceGate> = {}): Promise<AdvanceGate> {
  const { uid, resourceVersion } = (await rig.lease()).metadata
  return {
    kind: 'advanceGate',
    uid,
    resourceVersion,
    holder: { name: 'db-0', uid: 'pod-uid' },
    term: 2 ** 40,
    acquireTime: '2026-01-01T00:00:00.000000Z',
    takesBack: false,
    ...change,
  }
}

describe('act', () => {
  let rig: Rig
  beforeEach(async () => {
    rig = new Rig()
    await rig.begin()
  })

  describe('createGate', () => {
    it('makes a gate that names nobody and belongs to the group', async () => {
      assert.deepEqual(await rig.act({ kind: 'createGate' }), { kind: 'done' })
      const { metadata, spec } = await rig.lease()
      const { uid } = (await rig.read(LeaderGroups, 'db')).metadata
      assert.deepEqual(metadata.annotations, { 'leadergroup.io/mode': 'Assign', 'leadergroup.io/gate': '-/-/0' })
      assert.deepEqual(metadata.ownerReferences, [
        { apiVersion: 'leadergroup.io/v1alpha1', kind: 'LeaderGroup', name: 'db', uid },
      ])
      assert.equal(spec?.holderIdentity ?? '', '')
      assert.equal(spec?.leaseDurationSeconds, 2 ** 31 - 1)
      assert.deepEqual(rig.seen(), { pod: rig.seen().pod, lease: metadata.resourceVersion, leaseRead: true })
    })

    it('reads the one that somebody else has made', async () => {
      await rig.create(Leases, { metadata: { name: 'db' }, spec: { holderIdentity: 'x' } })
      assert.deepEqual(await rig.act({ kind: 'createGate' }), { kind: 'done' })
      assert.equal(rig.cache.observe(KEY).lease?.holderIdentity, 'x')
      assert.equal((await rig.lease()).spec?.holderIdentity, 'x')
    })

    it('makes none for a group that is not there any more', async () => {
      rig.cache.groups.gone(await rig.read(LeaderGroups, 'db'))
      assert.deepEqual([await rig.act({ kind: 'createGate' }), rig.sent], [{ kind: 'stale' }, []])
    })
  })

  describe('readGate', () => {
    it('shows the gate as read since', async () => {
      await rig.born()
      await rig.touchLease()
      assert.deepEqual(await rig.act({ kind: 'readGate' }), { kind: 'done' })
      assert.deepEqual([rig.seen().lease, rig.seen().leaseRead], [(await rig.lease()).metadata.resourceVersion, true])
    })

    it('shows that there is none', async () => {
      await rig.born()
      await rig.admin.delete(Leases, LEASE)
      assert.deepEqual(await rig.act({ kind: 'readGate' }), { kind: 'done' })
      assert.equal(rig.seen().lease, undefined)
    })
  })

  describe('deleteGate', () => {
    it('deletes what was decided on', async () => {
      const { uid, resourceVersion } = (await rig.born()).metadata
      assert.deepEqual(await rig.act({ kind: 'deleteGate', uid, resourceVersion }), { kind: 'done' })
      assert.equal((await rig.admin.get(Leases, LEASE)).kind, 'notFound')
      assert.equal(rig.seen().lease, undefined)
    })

    it('deletes nothing that changed since, and reads it', async () => {
      const { uid, resourceVersion } = (await rig.born()).metadata
      await rig.touchLease()
      assert.deepEqual(await rig.act({ kind: 'deleteGate', uid, resourceVersion }), { kind: 'stale' })
      assert.equal(rig.seen().lease, (await rig.lease()).metadata.resourceVersion)
    })

    it('deletes no other of that name', async () => {
      const { resourceVersion } = (await rig.born()).metadata
      const acted = await rig.act({ kind: 'deleteGate', uid: 'another', resourceVersion })
      assert.deepEqual([acted, rig.sent], [{ kind: 'stale' }, []])
    })

    it('does not take one that a finalizer keeps for gone', async () => {
      await rig.born()
      await rig.admin.mergePatch(Leases, LEASE, { metadata: { finalizers: ['example.com/keep'] } })
      await rig.see()
      const { uid, resourceVersion } = (await rig.lease()).metadata
      const acted = await rig.act({ kind: 'deleteGate', uid, resourceVersion })
      assert.ok(acted.kind === 'failed')
      assert.match(String(acted.error), /shop\/db is deleted, but its finalizers keep it/)
      assert.equal(rig.seen().lease, (await rig.lease()).metadata.resourceVersion)
    })
  })

  describe('advanceGate', () => {
    it('names the holder in one PUT of the Lease as read', async () => {
      await rig.born()
      await rig.admin.mergePatch(Leases, LEASE, { metadata: { labels: { theirs: 'x' } } })
      await rig.see()
      assert.deepEqual(await rig.act(await advanceOf(rig)), { kind: 'done' })
      const { metadata, spec } = await rig.lease()
      assert.equal(metadata.annotations?.['leadergroup.io/gate'], `db-0_pod-uid/${metadata.uid}/${2 ** 40}`)
      assert.equal(metadata.labels?.['theirs'], 'x')
      assert.deepEqual(spec, {
        holderIdentity: 'db-0_pod-uid',
        leaseDurationSeconds: 2 ** 31 - 1,
        leaseTransitions: 2 ** 31 - 1,
        acquireTime: '2026-01-01T00:00:00.000000Z',
        renewTime: '2026-01-01T00:00:00.000000Z',
      })
      assert.deepEqual([rig.seen().lease, rig.sent], [metadata.resourceVersion, ['PUT leases/db']])
    })

    it('counts as a read of the gate that began when it was sent', async () => {
      await rig.born()
      const before = rig.cache.tick()
      await rig.act(await advanceOf(rig))
      assert.ok(rig.cache.observe(KEY).lease!.readAt! > before)
    })

    it('sends nothing when the cache has moved on', async () => {
      await rig.born()
      const action = await advanceOf(rig)
      await rig.touchLease()
      await rig.see()
      assert.deepEqual([await rig.act(action), rig.sent], [{ kind: 'stale' }, []])
    })

    it('is refused by a change that the cache has not seen, and reads it', async () => {
      await rig.born()
      const action = await advanceOf(rig)
      await rig.touchLease()
      assert.deepEqual(await rig.act(action), { kind: 'stale' })
      assert.equal(rig.cache.observe(KEY).lease?.holderIdentity, 'stranger')
      assert.deepEqual(rig.sent, ['PUT leases/db', 'GET leases/db'])
    })

    it('does not bring a deleted Lease back', async () => {
      await rig.born()
      const action = await advanceOf(rig)
      await rig.admin.delete(Leases, LEASE)
      assert.deepEqual(await rig.act(action), { kind: 'stale' })
      assert.equal((await rig.admin.get(Leases, LEASE)).kind, 'notFound')
      assert.equal(rig.seen().lease, undefined)
    })

    it('does not overwrite one that was made anew', async () => {
      await rig.born()
      const action = await advanceOf(rig)
      await rig.admin.delete(Leases, LEASE)
      await rig.create(Leases, { metadata: { name: 'db' }, spec: { holderIdentity: 'x' } })
      assert.deepEqual(await rig.act(action), { kind: 'stale' })
      assert.equal((await rig.lease()).spec?.holderIdentity, 'x')
    })

    it('remembers when it took the Lease back, the last ten times', async () => {
      await rig.born()
      for (let time = 0; time < 12; time++) {
        await rig.clock.advance(100)
        await rig.act(await advanceOf(rig, { takesBack: true }))
      }
      const { takenBackAt } = rig.cache.observe(KEY).memory
      assert.deepEqual([takenBackAt.length, takenBackAt[0], takenBackAt.at(-1)], [10, 300, 1200])
    })

    it('remembers nothing of one that failed', async () => {
      await rig.born()
      const action = await advanceOf(rig, { takesBack: true })
      await rig.touchLease()
      await rig.act(action)
      assert.deepEqual(rig.cache.observe(KEY).memory.takenBackAt, [])
    })
  })

  describe('patchPod', () => {
    it('patches the pod as read, and sees it', async () => {
      assert.deepEqual(await rig.act(await rig.patch()), { kind: 'done' })
      const { metadata } = await rig.pod()
      assert.deepEqual([metadata.annotations, metadata.labels], [{ [SEALED]: 'g/0' }, { app: 'db' }])
      assert.equal(rig.cache.observe(KEY).pods[0]?.sealed, 'g/0')
      assert.equal(rig.seen().pod, metadata.resourceVersion)
    })

    it('is refused by a change, and reads it', async () => {
      const action = await rig.patch()
      await rig.touchPod()
      assert.deepEqual(await rig.act(action), { kind: 'stale' })
      const { metadata } = await rig.pod()
      assert.deepEqual([metadata.annotations, rig.seen().pod], [undefined, metadata.resourceVersion])
    })

    it('is refused by a pod recreated under the name, and learns that the old one is gone', async () => {
      const action = await rig.patch()
      await rig.recreatePod()
      assert.deepEqual(await rig.act(action), { kind: 'stale' })
      const { gone, pods } = rig.cache.observe(KEY)
      assert.ok(gone.has(action.pod.uid))
      assert.deepEqual(
        pods.map(({ uid }) => uid),
        [(await rig.pod()).metadata.uid],
      )
    })

    it('is refused by another UID at the same version', async () => {
      assert.deepEqual(await rig.act(await rig.patch({ uid: 'another' })), { kind: 'stale' })
      assert.ok(rig.cache.observe(KEY).gone.has('another'))
    })

    it('learns that the pod is gone', async () => {
      const action = await rig.patch()
      await rig.admin.delete(Pods, { namespace: NAMESPACE, name: 'db-0' }, { gracePeriodSeconds: 0 })
      assert.deepEqual(await rig.act(action), { kind: 'done' })
      assert.ok(rig.cache.observe(KEY).gone.has(action.pod.uid))
      assert.deepEqual(rig.cache.observe(KEY).pods, [])
    })
  })

  describe('patchPod of a pod between the two writes of its deletion by force', () => {
    let action: PatchPod
    let ending: Pod

    beforeEach(async () => {
      action = await rig.patch()
      const { metadata, ...rest } = await rig.pod()
      const resourceVersion = String(Number(metadata.resourceVersion) + 1)
      const deletion = { deletionTimestamp: '2026-01-01T00:00:00Z', deletionGracePeriodSeconds: 0 }
      ending = { ...rest, metadata: { ...metadata, ...deletion, resourceVersion } }
      rig.cache.pods.change({ kind: 'apply', object: ending })
      rig.sent.length = 0
    })

    it('waits for the event of its end, and asks nothing', async () => {
      const acting = rig.act(action)
      rig.cache.pods.change({ kind: 'delete', object: ending })
      assert.deepEqual(await acting, { kind: 'done' })
      assert.deepEqual(rig.sent, [])
    })

    it('reads the pod when that event does not come', async () => {
      const acting = rig.act(action)
      await rig.clock.advance(50)
      assert.deepEqual(await acting, { kind: 'stale' })
      assert.deepEqual(rig.sent, ['GET pods/db-0'])
    })
  })

  describe('readPod', () => {
    it('shows the pod', async () => {
      await rig.touchPod()
      const { name, uid, resourceVersion } = (await rig.pod()).metadata
      assert.deepEqual(await rig.act({ kind: 'readPod', name, uid }), { kind: 'done' })
      assert.deepEqual([rig.seen().pod, rig.cache.observe(KEY).gone.size], [resourceVersion, 0])
    })

    for (const [what, name] of [
      ['another UID', 'db-0'],
      ['nothing', 'db-9'],
    ] as const) {
      it(`proves a pod gone by ${what} of its name`, async () => {
        assert.deepEqual(await rig.act({ kind: 'readPod', name, uid: 'old' }), { kind: 'done' })
        assert.deepEqual([...rig.cache.observe(KEY).gone], ['old'])
        assert.equal(rig.cache.observe(KEY).pods.length, 1)
      })
    }
  })

  describe('readGroup', () => {
    it('shows the group, or since when there is none', async () => {
      assert.deepEqual(await rig.act({ kind: 'readGroup' }), { kind: 'done' })
      assert.equal(rig.cache.observe(KEY).groupAbsentAt, undefined)
      await rig.admin.delete(LeaderGroups, { namespace: NAMESPACE, name: 'db' })
      const before = rig.cache.tick()
      assert.deepEqual(await rig.act({ kind: 'readGroup' }), { kind: 'done' })
      const { group, groupAbsentAt } = rig.cache.observe(KEY)
      assert.equal(group, undefined)
      assert.ok(groupAbsentAt! > before)
    })
  })

  describe('listPods', () => {
    it('shows all pods, as listed since', async () => {
      await rig.create(Pods, { metadata: { name: 'db-1', labels: { app: 'db' } }, spec: {} })
      const before = rig.cache.tick()
      assert.deepEqual(await rig.act({ kind: 'listPods' }), { kind: 'done' })
      const { pods, podsListedAt } = rig.cache.observe(KEY)
      assert.deepEqual(
        pods.map(({ name }) => name),
        ['db-0', 'db-1'],
      )
      assert.ok(podsListedAt! > before)
    })

    it('that expires is begun anew', async () => {
      rig.fate = () => answer(410, 'Expired')
      assert.deepEqual(await rig.act({ kind: 'listPods' }), { kind: 'stale' })
    })

    it('that is throttled waits', async () => {
      rig.fate = () => answer(429, 'TooManyRequests', { 'retry-after': '3' })
      const acted = await rig.act({ kind: 'listPods' })
      assert.ok(acted.kind === 'failed' && acted.retryAfterMillis === 3000)
    })
  })

  describe('writeStatus', () => {
    const write = async (term: number): Promise<Extract<GroupAction, { kind: 'writeStatus' }>> => {
      const { uid, resourceVersion } = (await rig.read(LeaderGroups, 'db')).metadata
      return { kind: 'writeStatus', uid, resourceVersion, status: { term } }
    }

    it('writes it, sees it, and remembers when', async () => {
      await rig.clock.advance(700)
      assert.deepEqual(await rig.act(await write(4)), { kind: 'done' })
      assert.deepEqual((await rig.read(LeaderGroups, 'db')).status, { term: 4 })
      const { group, memory } = rig.cache.observe(KEY)
      assert.deepEqual([group?.status, memory.statusWrittenAt], [{ term: 4 }, 700])
    })

    it('is refused by a change of the group, and reads it', async () => {
      const action = await write(4)
      await rig.admin.mergePatch(LeaderGroups, { namespace: NAMESPACE, name: 'db' }, { spec: { paused: true } })
      assert.deepEqual(await rig.act(action), { kind: 'stale' })
      const { group, memory } = rig.cache.observe(KEY)
      assert.deepEqual([group?.spec.paused, memory.statusWrittenAt], [true, undefined])
    })

    it('learns that the group is gone', async () => {
      const action = await write(4)
      await rig.admin.delete(LeaderGroups, { namespace: NAMESPACE, name: 'db' })
      assert.deepEqual(await rig.act(action), { kind: 'stale' })
      assert.equal(rig.cache.observe(KEY).group, undefined)
    })
  })

  /** Each action, prepared while all is well. */
  const ALL: Readonly<Record<GroupAction['kind'], (rig: Rig) => Promise<GroupAction> | GroupAction>> = {
    createGate: () => ({ kind: 'createGate' }),
    readGate: () => ({ kind: 'readGate' }),
    readGroup: () => ({ kind: 'readGroup' }),
    listPods: () => ({ kind: 'listPods' }),
    readPod: () => ({ kind: 'readPod', name: 'db-0', uid: 'u' }),
    patchPod: (at) => at.patch(),
    advanceGate: (at) => at.born().then(() => advanceOf(at)),
    deleteGate: (at) =>
      at.born().then(({ metadata: { uid, resourceVersion } }) => ({ kind: 'deleteGate', uid, resourceVersion })),
    createService: () => ({ kind: 'createService', service: SERVICE }),
    patchService: async (at) => {
      await at.create(Services, SERVICE)
      const { name, uid, resourceVersion } = (await at.read(Services, 'db')).metadata
      return { kind: 'patchService', name, uid, resourceVersion, patch: { metadata: { labels: { team: 'a' } } } }
    },
    deleteService: async (at) => {
      await at.create(Services, SERVICE)
      const { name, uid, resourceVersion } = (await at.read(Services, 'db')).metadata
      return { kind: 'deleteService', name, uid, resourceVersion }
    },
    createSlice: () => ({ kind: 'createSlice', slice: SLICE }),
    replaceSlice: async (at) => {
      await at.create(EndpointSlices, SLICE)
      const { uid, resourceVersion } = (await at.read(EndpointSlices, 'db-leader-ipv4')).metadata
      return { kind: 'replaceSlice', slice: { ...SLICE, metadata: { ...SLICE.metadata, uid, resourceVersion } } }
    },
    deleteSlice: async (at) => {
      await at.create(EndpointSlices, SLICE)
      const { name, uid, resourceVersion } = (await at.read(EndpointSlices, 'db-leader-ipv4')).metadata
      return { kind: 'deleteSlice', name, uid, resourceVersion }
    },
    writeStatus: async (at) => {
      const { uid, resourceVersion } = (await at.read(LeaderGroups, 'db')).metadata
      return { kind: 'writeStatus', uid, resourceVersion, status: {} }
    },
  }

  describe('every action', () => {
    const FATES: readonly (readonly [string, Fate, reason: string, retryAfterMillis?: number])[] = [
      ['is forbidden', answer(403, 'Forbidden'), 'Forbidden'],
      ['is throttled', answer(429, 'TooManyRequests', { 'retry-after': '3' }), 'throttled', 3000],
      ['is invalid', answer(422, 'Invalid'), 'invalid'],
      ['meets a fault of the server', answer(500, 'InternalError'), 'InternalError'],
      ['gets no answer', 'lose', 'Unreachable'],
    ]
    for (const [kind, make] of Object.entries(ALL)) {
      for (const [what, fate, reason, retryAfterMillis] of FATES) {
        it(`${kind} that ${what} fails, and nothing is known by it`, async () => {
          const action = await make(rig)
          const before = rig.cache.observe(KEY)
          const again =
            typeof fate === 'object' ? answer(fate.status, reason, fate.headers as Record<string, string>) : fate
          rig.fate = () => again
          const acted = await rig.act(action)
          assert.ok(acted.kind === 'failed')
          assert.ok(acted.error instanceof ApiError)
          assert.equal(acted.error.reason, reason)
          assert.equal(acted.retryAfterMillis, retryAfterMillis)
          assert.deepEqual(rig.cache.observe(KEY), before)
        })
      }

      it(`${kind} is not sent without the right to act`, async () => {
        const action = await make(rig)
        rig.sent.length = 0
        rig.authority.abort(new Error('the term is over'))
        const acted = await rig.act(action)
        assert.deepEqual([acted.kind, rig.sent], ['failed', []])
      })
    }

    it('that was lost on its way back is seen by the next read, and not done twice', async () => {
      rig.fate = () => 'lose'
      await rig.act({ kind: 'createGate' })
      rig.fate = () => undefined
      assert.deepEqual(await rig.act({ kind: 'createGate' }), { kind: 'done' })
      const action = await advanceOf(rig)
      rig.fate = () => 'lose'
      await rig.act(action)
      rig.fate = () => undefined
      assert.deepEqual(await rig.act(action), { kind: 'stale' })
      assert.equal(rig.cache.observe(KEY).lease?.holderIdentity, 'db-0_pod-uid')
      assert.equal(rig.server.history.filter(({ user, object }) => user === 'op' && object.kind === 'Lease').length, 2)
    })
  })

  describe('many actions', () => {
    async function enrolments(count: number): Promise<readonly GroupAction[]> {
      for (let number = 0; number < count; number++) {
        await rig.create(Pods, { metadata: { name: `p${number}`, labels: { app: 'db' } }, spec: {} })
      }
      const outcome = await rig.admin.list(Pods, { namespace: NAMESPACE })
      assert.ok(outcome.kind === 'ok')
      return outcome.object.items.map(({ metadata: { name, uid, resourceVersion } }) => ({
        kind: 'patchPod',
        step: 'enrol',
        pod: { name, uid, resourceVersion },
        labels: {},
        annotations: { [SEALED]: 'g/0' },
      }))
    }

    it('are sent eight at a time', async () => {
      const actions = await enrolments(19)
      let [running, most] = [0, 0]
      const { promise: go, resolve } = Promise.withResolvers<void>()
      const slow: Transport = {
        send: async (request) => {
          most = Math.max(most, ++running)
          await go
          running--
          return rig.server.transport().send(request)
        },
      }
      const acting = new Actor(new Api(slow, rig.clock), rig.cache, rig.clock).act(
        KEY,
        actions,
        0,
        rig.authority.signal,
      )
      await rig.clock.settle()
      resolve()
      assert.deepEqual([await acting, most], [{ kind: 'done' }, 8])
    })

    it('are all tried, and the worst counts', async () => {
      const actions = await enrolments(3)
      await rig.touchPod()
      rig.fate = ({ method, path }) =>
        method === 'PATCH' && path.includes('/p1') ? answer(403, 'Forbidden') : undefined
      const acted = await rig.act(...actions)
      assert.equal(acted.kind, 'failed')
      const sealed = rig.cache.observe(KEY).pods.filter((pod) => pod.sealed !== undefined)
      assert.deepEqual(
        sealed.map(({ name }) => name),
        ['p0', 'p2'],
      )
      rig.fate = () => undefined
      assert.equal((await rig.act(...actions)).kind, 'stale')
    })

    it('end when the right to act does', async () => {
      const actions = await enrolments(19)
      rig.fate = () => {
        if (rig.sent.length === 10) rig.authority.abort(new Error('the term is over'))
        return undefined
      }
      const acted = await rig.act(...actions)
      assert.ok(acted.kind === 'failed')
      assert.match(String(acted.error), /the term is over/)
      assert.equal(rig.sent.length, 10)
    })
  })

  describe('with decide', () => {
    beforeEach(async () => {
      const status = { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] }
      await rig.admin.mergePatch(Pods, { namespace: NAMESPACE, name: 'db-0' }, { status }, { subresource: 'status' })
    })

    async function comeToRest(): Promise<void> {
      const now = { monotonic: 0, wall: '2026-01-01T00:00:00.000000Z' }
      for (let round = 0; round < 12; round++) {
        const { actions } = decide(rig.cache.observe(KEY), now)
        if (actions.length === 0) return
        assert.notEqual((await rig.act(...actions)).kind, 'failed')
      }
      assert.fail('it does not come to rest')
    }

    it('labels a leader and says so', async () => {
      await rig.see()
      await comeToRest()
      assert.equal((await rig.pod()).metadata.labels?.['db.leadergroup.io/role'], 'leader')
      const { status } = await rig.read(LeaderGroups, 'db')
      assert.deepEqual([status?.holder, status?.term], ['db-0', 2])
    })

    it('repeats no term when the Lease is gone and the cache has an old status', async () => {
      const setStatus = (term: number) =>
        rig.admin.mergePatch(LeaderGroups, LEASE, { status: { term } }, { subresource: 'status' })
      await setStatus(3)
      await rig.see()
      await setStatus(10)
      await comeToRest()
      assert.equal((await rig.lease()).metadata.annotations?.['leadergroup.io/gate']?.split('/')[2], '12')
    })
  })
})
