import assert from 'node:assert/strict'
import { decide } from '../group/decide.ts'
import type { GroupAction } from '../group/decision.ts'
import { Api } from '../kube/api.ts'
import { EndpointSlices, Pods, Services } from '../kube/objects.ts'
import { ApiError } from '../kube/outcome.ts'
import type { Transport } from '../kube/transport.ts'
import { KEY, LEASE, NAMESPACE, Rig, SEALED, advanceOf, answer, type Fate } from './act-fixtures.ts'
import { Actor } from './act.ts'
import { LeaderGroups } from './resources.ts'

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

describe('act', () => {
  let rig: Rig
  beforeEach(async () => {
    rig = new Rig()
    await rig.begin()
  })

  /** Each action, prepared while all is well. */
  const ALL: Readonly<Record<GroupAction['kind'], (rig: Rig) => Promise<GroupAction> | GroupAction>> = {
    createGate: () => ({ kind: 'createGate' }),
    readGate: () => ({ kind: 'readGate' }),
    readLease: () => ({ kind: 'readLease' }),
    releaseLease: async (at) => {
      const { name, uid, resourceVersion } = (await at.born()).metadata
      return { kind: 'releaseLease', name, uid, resourceVersion, holderIdentity: 'db-0' }
    },
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

      it(`${kind} that is under way is given up when the right to act ends`, async () => {
        const action = await make(rig)
        let isGivenUp: boolean | undefined
        rig.fate = ({ signal }) => {
          rig.authority.abort(new Error('the term is over'))
          isGivenUp ??= signal.aborted
          return undefined
        }
        const acted = await rig.act(action)
        assert.deepEqual([acted.kind, isGivenUp], ['failed', true])
      })

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

    it('are judged by the urgent ones alone', async () => {
      const [urgent, chore] = await enrolments(1)
      const judged = (...actions: readonly GroupAction[]): Promise<{ readonly kind: string }> =>
        rig.actor.act(KEY, actions, 1, rig.authority.signal)
      rig.fate = ({ path }) => (path.includes('/p0') ? answer(403, 'Forbidden') : undefined)
      assert.equal((await judged(urgent!, chore!)).kind, 'done')
      assert.equal((await judged(chore!, urgent!)).kind, 'failed')
    })

    it('are given up when there is no server to answer any of them', async () => {
      const actions = await enrolments(19)
      rig.fate = () => 'lose'
      assert.equal((await rig.act(...actions)).kind, 'failed')
      assert.equal(rig.sent.length, 8, 'those that were under way')
    })

    it('are all sent although one is invalid', async () => {
      const actions = await enrolments(19)
      rig.fate = ({ path }) => (path.includes('/db-0') ? answer(422, 'Invalid') : undefined)
      assert.equal((await rig.act(...actions)).kind, 'failed')
      assert.equal(rig.sent.length, actions.length)
    })

    it('are given up when the server asks to be left alone', async () => {
      const actions = await enrolments(19)
      rig.fate = () => answer(429, 'TooManyRequests', { 'retry-after': '3' })
      assert.equal((await rig.act(...actions)).kind, 'failed')
      assert.equal(rig.sent.length, 8, 'those that were under way')
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
