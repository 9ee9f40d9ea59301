import assert from 'node:assert/strict'
import { KubeConfig } from '@kubernetes/client-node'
import type { EndReason } from '../src/election/observation.ts'
import { Elector, type ElectionErrorCode, type Term, type TermEndedError } from '../src/exports/index.ts'
import { Leases } from '../src/kube/objects.ts'
import { type Cluster, openCluster } from './controlplane/cluster.ts'
import { eventually } from './controlplane/eventually.ts'
import { must } from './controlplane/must.ts'

const USER = 'candidate'
const TIMING = { leaseDurationSeconds: 3, renewDeadlineSeconds: 2, retryPeriodSeconds: 0.5 }
/** A start of the API server, and of its authorization. */
const RECOVERY_MILLIS = 30_000
const RBAC = 'rbac.authorization.k8s.io'

interface BadDay {
  readonly what: string
  readonly begin: (scene: Scene) => unknown
  /** How it ends, after the term has. */
  readonly end?: (scene: Scene) => unknown
  readonly reason: EndReason
  /** What is reported. */
  readonly errors?: readonly ElectionErrorCode[]
  /** What may be reported as well. */
  readonly mayReport?: ElectionErrorCode
}

const DAYS: readonly BadDay[] = [
  {
    what: 'the API server accepts and never answers',
    begin: ({ cluster }) => cluster.plane.processes.apiserver.pause(),
    end: ({ cluster }) => cluster.plane.processes.apiserver.resume(),
    reason: 'deadline',
    errors: ['unreachable'],
  },
  {
    what: 'the API server is killed, and started again',
    begin: ({ cluster }) => cluster.plane.processes.apiserver.kill(),
    end: ({ cluster }) => cluster.plane.processes.apiserver.start(),
    reason: 'deadline',
    errors: ['unreachable'],
    // An API server that has just started answers before it knows the roles.
    mayReport: 'forbidden',
  },
  {
    what: 'etcd accepts and never answers',
    begin: ({ cluster }) => cluster.plane.processes.etcd.pause(),
    end: ({ cluster }) => cluster.plane.processes.etcd.resume(),
    reason: 'deadline',
    errors: ['unreachable'],
  },
  {
    what: 'RBAC forbids to write the Lease',
    begin: (scene) => scene.permit(['get', 'list', 'watch']),
    end: (scene) => scene.permit(),
    reason: 'deadline',
    errors: ['forbidden'],
  },
  {
    what: 'RBAC forbids everything',
    begin: (scene) => scene.permit([]),
    end: (scene) => scene.permit(),
    reason: 'deadline',
    errors: ['forbidden'],
  },
  {
    what: 'the Lease is deleted',
    begin: async ({ cluster, key }) => must(await cluster.api.delete(Leases, key)),
    reason: 'changed',
  },
  { what: 'the Lease is emptied', begin: (scene) => scene.overwrite({}), reason: 'changed' },
  {
    what: 'the Lease gets a holder that nobody is, and nonsense beside it',
    begin: (scene) =>
      scene.overwrite({
        holderIdentity: '💥'.repeat(100),
        leaseDurationSeconds: 1,
        leaseTransitions: 7,
        acquireTime: '9999-12-31T23:59:59.999999Z',
        renewTime: '0001-01-01T00:00:00.000000Z',
      }),
    reason: 'taken',
  },
]

describe('a bad day of an elector, on a real API server', function () {
  this.timeout(120_000)
  let cluster: Cluster
  let unhandled: unknown[]
  const onUnhandled = (reason: unknown): void => void unhandled.push(reason)

  before(async () => {
    // Its servers are killed and paused: nobody else's tests may run on it.
    cluster = await openCluster({ users: [{ name: USER, groups: [] }] })
  })
  after(() => cluster[Symbol.asyncDispose]())
  beforeEach(() => {
    unhandled = []
    process.on('unhandledRejection', onUnhandled)
  })
  afterEach(() => void process.off('unhandledRejection', onUnhandled))

  for (const { what, begin, end, reason, errors = [], mayReport } of DAYS) {
    it(`${what}: the term ends (${reason}), and the next one is another`, async () => {
      const scene = await openScene(cluster)
      const [first] = await scene.untilTerms(1)
      await begin(scene)
      await scene.untilEnded(first!)
      assert.equal((first!.signal.reason as TermEndedError).reason, reason)
      assert.deepEqual([first!.isCurrent(), first!.remainingMillis()], [false, 0])
      await end?.(scene)
      const [, second] = await scene.untilTerms(2)
      assert(second!.number > first!.number, `${second!.number} after ${first!.number}`)
      assert(second!.token > first!.token)
      await scene.close()
      const { spec } = must(await cluster.api.get(Leases, scene.key))
      assert.equal(spec?.holderIdentity, '')
      const reported = [...scene.errors].filter((code) => code !== mayReport)
      assert.deepEqual([reported, unhandled], [errors, []])
    })
  }
})

/** One elector on a Lease of its own, with a role that can be changed. */
class Scene {
  readonly cluster: Cluster
  readonly key: { readonly namespace: string; readonly name: string }
  readonly terms: Term[] = []
  readonly errors = new Set<ElectionErrorCode>()
  readonly #stop = new AbortController()
  #led: Promise<unknown> = Promise.resolve()

  constructor(cluster: Cluster, namespace: string) {
    this.cluster = cluster
    this.key = { namespace, name: 'db' }
  }

  async contend(): Promise<void> {
    const kube = new KubeConfig()
    kube.loadFromFile(await this.cluster.plane.kubeconfigFor(USER))
    const elector = new Elector({
      ...TIMING,
      lock: this.key,
      kube,
      onError: ({ code }) => this.errors.add(code),
    })
    this.#led = elector.lead((term) => this.#work(term), { signal: this.#stop.signal })
  }

  /** Makes the role allow these verbs on Leases, and waits until the API server goes by it. */
  async permit(verbs: readonly string[] = ['get', 'list', 'watch', 'create', 'update']): Promise<void> {
    const { namespace } = this.key
    const rule = { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs }
    await this.#apply({ kind: 'Role', rules: verbs.length === 0 ? [] : [rule] })
    const isPermitted = verbs.includes('update') ? 'yes' : 'no'
    await eventually({ what: `${USER} may update Leases: ${isPermitted}`, millis: RECOVERY_MILLIS }, async () => {
      const question = ['auth', 'can-i', 'update', 'leases', '-n', namespace, `--as=${USER}`]
      const { stdout } = await this.cluster.plane.kubectl(...question)
      return stdout.trim() === isPermitted ? true : undefined
    })
  }

  async bind(): Promise<void> {
    const roleRef = { apiGroup: RBAC, kind: 'Role', name: USER }
    await this.#apply({ kind: 'RoleBinding', roleRef, subjects: [{ apiGroup: RBAC, kind: 'User', name: USER }] })
  }

  /** As somebody with `kubectl replace` would: a renewal of the elector may come between, so the first that fits. */
  async overwrite(spec: object): Promise<void> {
    const { api } = this.cluster
    await eventually({ what: 'an overwritten Lease', intervalMillis: 0 }, async () => {
      const lease = must(await api.get(Leases, this.key))
      const { kind } = await api.replace(Leases, this.key, { ...lease, spec })
      return kind === 'ok' ? true : undefined
    })
  }

  untilTerms(count: number): Promise<readonly Term[]> {
    return eventually({ what: `term ${count} of the elector`, millis: RECOVERY_MILLIS }, () =>
      Promise.resolve(this.terms.length >= count ? this.terms : undefined),
    )
  }

  untilEnded({ signal, number }: Term): Promise<true> {
    return eventually({ what: `the end of term ${number}` }, () => Promise.resolve(signal.aborted || undefined))
  }

  async close(): Promise<void> {
    this.#stop.abort()
    await this.#led
  }

  #work(term: Term): Promise<void> {
    this.terms.push(term)
    return new Promise((resolve) => term.signal.addEventListener('abort', () => resolve(), { once: true }))
  }

  async #apply(object: object): Promise<void> {
    const { namespace } = this.key
    const metadata = { name: USER, namespace }
    await this.cluster.plane.apply(JSON.stringify({ apiVersion: `${RBAC}/v1`, metadata, ...object }))
  }
}

async function openScene(cluster: Cluster): Promise<Scene> {
  const scene = new Scene(cluster, await cluster.createNamespace('elector'))
  await scene.bind()
  await scene.permit()
  await scene.contend()
  return scene
}
