import { strict as assert } from 'node:assert'
import operatorLibrary from '@dot-i/k8s-operator'
import { KubeConfig } from '@kubernetes/client-node'
import { Api } from '../kube/api.ts'
import { Pods } from '../kube/objects.ts'
import type { Outcome } from '../kube/outcome.ts'
import { leaseLock } from '../lock/lease-lock.ts'
import { Events } from '../operator/event.ts'
import { EventRecorder } from '../operator/events.ts'
import type { Log } from '../operator/log.ts'
import { Metrics } from '../operator/metrics.ts'
import { GroupOperator } from '../operator/operator.ts'
import { LeaderGroups } from '../operator/resources.ts'
import { ApiServer } from '../sim/apiserver.ts'
import { VirtualClock } from '../sim/clock.ts'
import { LeaderGroupOperator, type Runnable } from './leader-group-operator.ts'

type Method = (...args: unknown[]) => unknown

const base = operatorLibrary.default.prototype as unknown as Record<string, Method>
const own = LeaderGroupOperator.prototype as unknown as Record<string, Method>

/** Everything that 1.3.9 has. A method that a later version adds must be judged here before it is let in. */
const BASE_METHODS = [
  'applyAxiosKubeConfigAuth',
  'applyGaxiosKubeConfigAuth',
  'constructor',
  'errorToJson',
  'getCustomResourceApiUri',
  'handleResourceFinalizer',
  'patchResourceStatus',
  'registerCustomResourceDefinition',
  'resourceStatusRequest',
  'setResourceFinalizers',
  'setResourceStatus',
  'start',
  'stop',
  'watchResource',
]
/** What of it may run: the constructor, and these. */
const HARMLESS = ['constructor', 'start', 'errorToJson']
/** Private, so that TypeScript allows no override of it. */
const PRIVATE = ['resourceStatusRequest']

const silent: Log = (() => {
  const ignore = (): void => {}
  return { debug: ignore, info: ignore, warn: ignore, error: ignore, isEnabled: () => false }
})()
const idle: Runnable = { run: () => Promise.resolve() }

describe('LeaderGroupOperator', () => {
  it('knows every method of the base class', () => {
    assert.deepEqual(Object.getOwnPropertyNames(base).toSorted(), BASE_METHODS)
  })

  const ioMethods = BASE_METHODS.filter((name) => ![...HARMLESS, ...PRIVATE, 'stop'].includes(name))
  for (const name of ioMethods) {
    it(`refuses ${name}`, async () => {
      assert(Object.hasOwn(own, name), `${name} is not overridden`)
      const operator = new LeaderGroupOperator(idle, silent)
      await assert.rejects(async () => own[name]!.call(operator), { message: new RegExp(`^${name} of @dot-i`) })
    })
  }

  it('leaves no way to what it cannot override', () => {
    for (const name of PRIVATE) {
      // The constructor's source is that of the whole class; nothing of it is in question here.
      const methods = BASE_METHODS.filter((method) => method !== 'constructor')
      const callers = methods.filter((caller) => base[caller]!.toString().includes(`this.${name}(`))
      assert.deepEqual(callers, ['patchResourceStatus', 'setResourceStatus'])
    }
  })

  it('calls nothing but init when it starts', () => {
    assert.deepEqual(
      [...base['start']!.toString().matchAll(/this\.(\w+)/g)].map(([, name]) => name),
      ['init'],
    )
  })

  it('loads no kubeconfig, and leaves client-node as it was', () => {
    const original = Object.getOwnPropertyDescriptor(KubeConfig.prototype, 'loadFromDefault')!
    const throwing = { ...original, value: () => assert.fail('a kubeconfig was loaded') }
    Object.defineProperty(KubeConfig.prototype, 'loadFromDefault', throwing)
    try {
      assert(new LeaderGroupOperator(idle, silent))
      assert.deepEqual(Object.getOwnPropertyDescriptor(KubeConfig.prototype, 'loadFromDefault'), throwing)
    } finally {
      Object.defineProperty(KubeConfig.prototype, 'loadFromDefault', original)
    }
  })

  it('passes a fault of the operator on to whoever started it', async () => {
    const operator = new LeaderGroupOperator({ run: () => Promise.reject(new Error('a bug')) }, silent)
    await assert.rejects(operator.start(), { message: 'a bug' })
  })

  it('can be stopped before it starts', async () => {
    let aborted: boolean | undefined
    const run = (signal: AbortSignal): Promise<void> => Promise.resolve(void (aborted = signal.aborted))
    const operator = new LeaderGroupOperator({ run }, silent)
    operator.stop()
    await operator.start()
    assert.equal(aborted, true)
  })

  describe('with every method of the base class replaced by a throw, and process.exit too', () => {
    const replaced: [object, string, PropertyDescriptor][] = []
    const forbid = (owner: object, name: string): void => {
      const descriptor = Object.getOwnPropertyDescriptor(owner, name)!
      replaced.push([owner, name, descriptor])
      const value = (): never => assert.fail(`${name} was called`)
      Object.defineProperty(owner, name, { ...descriptor, value })
    }
    before(() => {
      for (const name of BASE_METHODS) if (!HARMLESS.includes(name)) forbid(base, name)
      forbid(process, 'exit')
    })
    after(() => {
      for (const [owner, name, descriptor] of replaced.splice(0)) Object.defineProperty(owner, name, descriptor)
    })

    it('elects, lives through quiet hours without connecting anew all the time, and stops', async () => {
      const { clock, metrics, operator, requests, world } = setUp()
      let ended: unknown = false
      const running = operator.start().then(
        () => (ended = true),
        (error: unknown) => (ended = error),
      )
      await clock.settle()
      await world.createGroup('db', ['db-0', 'db-1'])
      await clock.advance(1000)
      assert.deepEqual(await world.leaders(), ['db-0'])
      assert(
        (await world.events()).includes('Normal LeaderElected: db-0 leads in term 2'),
        String(await world.events()),
      )
      assert.match(await metrics.text(), /^leadergroup_groups_ready 1$/m)

      requests.length = 0
      // The watch of the base class would have ended the process after 30 s.
      await clock.advance(60_000)
      assert.equal(ended, false)
      assert.deepEqual(
        requests.filter((path) => !path.includes('/leases/leadergroup-operator')),
        [],
      )

      await clock.advance(3_600_000)
      assert.equal(ended, false)
      const watches = requests.filter((path) => path.includes('watch=true'))
      // Seven watches, each renewed every 5 to 10 minutes.
      assert(watches.length >= 7 * 6 && watches.length <= 7 * 12, `${watches.length} watches in an hour`)
      // And one list each half an hour, at the end of a watch.
      const lists = requests.filter((path) => path.includes('limit='))
      assert(lists.length >= 7 && lists.length <= 7 * 2, `${lists.length} lists in an hour`)

      await world.deletePod('db-0')
      await clock.advance(1000)
      assert.deepEqual(await world.leaders(), ['db-1'], 'it still works')

      operator.stop()
      await clock.settle()
      await running
      assert.equal(ended, true)
    })
  })
})

function setUp() {
  const clock = new VirtualClock()
  const server = new ApiServer(clock)
  const requests: string[] = []
  const transport = server.transport({
    before: ({ path }) => {
      requests.push(path)
      return Promise.resolve(undefined)
    },
  })
  const api = new Api(transport, clock)
  const random = (): number => 0.5
  const metrics = new Metrics(clock)
  const lock = leaseLock(api, { name: 'leadergroup-operator', namespace: 'ops', clock, random })
  const groupOperator = new GroupOperator({
    api,
    clock,
    random,
    namespaces: [],
    log: silent,
    metrics,
    events: new EventRecorder({ api, clock, log: silent, metrics, instance: 'pod-1', dryRun: false }),
    election: {
      name: 'leadergroup-operator',
      lock,
      identity: 'pod-1_uid',
      leaseDurationSeconds: 5,
      renewDeadlineSeconds: 3,
      retryPeriodSeconds: 1,
    },
    dryRun: false,
  })
  const operator = new LeaderGroupOperator(groupOperator, silent)
  return { clock, metrics, operator, requests, world: worldOf(new Api(server.transport(), clock)) }
}

/** What users and kubelets do. */
function worldOf(api: Api) {
  const namespace = 'shop'
  return {
    async createGroup(name: string, pods: readonly string[]): Promise<void> {
      const labels = { app: name }
      const spec = { selector: { matchLabels: labels } }
      const group = { apiVersion: 'leadergroup.io/v1alpha1', kind: 'LeaderGroup', metadata: { name }, spec }
      done(await api.create(LeaderGroups, namespace, group))
      for (const pod of pods) {
        done(await api.create(Pods, namespace, { metadata: { name: pod, labels }, spec: { containers: [] } }))
        const conditions = [{ type: 'Ready', status: 'True', lastTransitionTime: '2026-01-01T00:00:00Z' }]
        const status = { phase: 'Running', conditions }
        done(await api.mergePatch(Pods, { namespace, name: pod }, { status }, { subresource: 'status' }))
      }
    },
    async deletePod(name: string): Promise<void> {
      done(await api.delete(Pods, { namespace, name }, { gracePeriodSeconds: 0 }))
    },
    async events(): Promise<string[]> {
      const events = done(await api.list(Events, { namespace }))
      return events.items.map(({ type, reason, note }) => `${type} ${reason}: ${note}`)
    },
    async leaders(): Promise<string[]> {
      const pods = done(await api.list(Pods, { namespace, labelSelector: 'db.leadergroup.io/role=leader' }))
      return pods.items.map(({ metadata }) => metadata.name)
    },
  }
}

function done<T>(outcome: Outcome<T>): T {
  assert(outcome.kind === 'ok', outcome.kind === 'ok' ? '' : outcome.message)
  return outcome.object
}
