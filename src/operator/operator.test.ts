import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import type { LeaderGroup } from '../group/leadergroup.ts'
import { Api } from '../kube/api.ts'
import { Leases, Pods, type Lease, type Pod } from '../kube/objects.ts'
import { leaseLock } from '../lock/lease-lock.ts'
import { ApiServer, type TransportOptions } from '../sim/apiserver.ts'
import { VirtualClock } from '../sim/clock.ts'
import { EventRecorder } from './events.ts'
import type { Log } from './log.ts'
import { Metrics } from './metrics.ts'
import { GroupOperator } from './operator.ts'
import { LeaderGroups } from './resources.ts'

const NAMESPACE = 'shop'
const ROLE = 'db.leadergroup.io/role'
const SILENT: Log = { debug() {}, info() {}, warn() {}, error() {}, isEnabled: () => false }

/** The real operator over the in-memory API server, on virtual time. */
class Rig {
  readonly clock = new VirtualClock()
  readonly server = new ApiServer(this.clock)
  readonly api = new Api(this.server.transport({ user: 'test' }), this.clock)
  readonly #running: { readonly stop: AbortController; readonly ended: Promise<void> }[] = []
  #seed = 1

  random = (): number => {
    this.#seed = (this.#seed * 16807) % 2147483647
    return this.#seed / 2147483647
  }

  start(
    name: string,
    options: { elect?: boolean; dryRun?: boolean; before?: TransportOptions['before'] } = {},
  ): { readonly stop: AbortController; readonly ended: Promise<void> } {
    const { clock, random } = this
    const { before } = options
    const api = new Api(this.server.transport({ user: name, ...(before ? { before } : {}) }), clock)
    const metrics = new Metrics(clock)
    const { dryRun = false } = options
    const events = new EventRecorder({ api, clock, log: SILENT, metrics, instance: name, dryRun })
    const lock = leaseLock(api, { name: 'leadergroup-operator', namespace: 'leadergroup-system', clock, random })
    const election = {
      name: 'leadergroup-operator',
      lock,
      identity: name,
      leaseDurationSeconds: 5,
      renewDeadlineSeconds: 3,
      retryPeriodSeconds: 1,
    }
    const operator = new GroupOperator({
      api,
      clock,
      random,
      metrics,
      events,
      dryRun,
      namespaces: [],
      log: SILENT,
      election: options.elect === false ? undefined : election,
    })
    const stop = new AbortController()
    const running = { stop, ended: operator.run(stop.signal) }
    this.#running.push(running)
    return running
  }

  async createGroup(name = 'db', spec: object = {}): Promise<void> {
    const group = {
      apiVersion: 'leadergroup.io/v1alpha1',
      kind: 'LeaderGroup',
      metadata: { name },
      spec: { selector: { matchLabels: { app: name } }, ...spec },
    }
    await this.#ok(this.api.create(LeaderGroups, NAMESPACE, group))
  }

  async createPod(name: string, labels: object = { app: 'db' }): Promise<Pod> {
    await this.#ok(this.api.create(Pods, NAMESPACE, { metadata: { name, labels }, spec: { nodeName: 'n1' } }))
    return this.setReady(name, true)
  }

  setReady(name: string, ready: boolean): Promise<Pod> {
    const conditions = [{ type: 'Ready', status: ready ? 'True' : 'False', lastTransitionTime: '2026-01-01T00:00:00Z' }]
    return this.#ok(
      this.api.mergePatch(
        Pods,
        { namespace: NAMESPACE, name },
        { status: { phase: 'Running', conditions } },
        { subresource: 'status' },
      ),
    )
  }

  async deletePod(name: string): Promise<void> {
    await this.#ok(this.api.delete(Pods, { namespace: NAMESPACE, name }, { gracePeriodSeconds: 0 }))
  }

  group(name = 'db'): Promise<LeaderGroup> {
    return this.#ok(this.api.get(LeaderGroups, { namespace: NAMESPACE, name }))
  }

  lease(name = 'db'): Promise<Lease> {
    return this.#ok(this.api.get(Leases, { namespace: NAMESPACE, name }))
  }

  async labelled(): Promise<readonly string[]> {
    const { items } = await this.#ok(this.api.list(Pods, { namespace: NAMESPACE, labelSelector: `${ROLE}=leader` }))
    return items.map(({ metadata }) => metadata.name)
  }

  /** The most labels at one version of the store's history. */
  mostLabels(): number {
    const labelled = new Set<string>()
    let most = 0
    for (const { type, object } of this.server.history) {
      if (object.kind !== 'Pod') continue
      const { uid, labels } = object.metadata as Pod['metadata']
      if (type !== 'DELETED' && labels?.[ROLE] === 'leader') labelled.add(uid)
      else labelled.delete(uid)
      most = Math.max(most, labelled.size)
    }
    return most
  }

  writesOf(user: string): number {
    return this.server.history.filter((revision) => revision.user === user).length
  }

  async end(): Promise<void> {
    for (const { stop } of this.#running) stop.abort(new Error('the test is over'))
    await this.clock.advance(10_000)
    await Promise.all(this.#running.map(({ ended }) => ended))
  }

  async #ok<T>(call: Promise<{ kind: 'ok'; object: T } | { kind: string; message: string }>): Promise<T> {
    const settled = await this.#drive(call)
    if (settled.kind !== 'ok' || !('object' in settled))
      throw new Error(`${settled.kind}: ${'message' in settled ? settled.message : ''}`)
    return settled.object
  }

  async #drive<T>(promise: Promise<T>): Promise<T> {
    await this.clock.settle()
    return promise
  }
}

describe('operator, the whole stack on virtual time', () => {
  let rig: Rig
  beforeEach(() => {
    rig = new Rig()
  })
  afterEach(() => rig.end())

  async function running(pods = ['db-0', 'db-1', 'db-2']): Promise<void> {
    await rig.createGroup()
    for (const pod of pods) await rig.createPod(pod)
    await rig.clock.advance(5000)
  }

  it('elects, labels and reports one leader', async () => {
    rig.start('op')
    await running()
    assert.deepEqual(await rig.labelled(), ['db-0'])
    const { status } = await rig.group()
    assert.equal(status?.holder, 'db-0')
    assert.equal(status?.candidates, 3)
    assert.equal(status?.conditions?.[0]?.reason, 'LeaderElected')
    assert.equal((await rig.lease()).spec?.leaseTransitions, status?.term)
  })

  it('replaces a leader that is deleted, with two writes before the label', async () => {
    rig.start('op')
    await running()
    const before = rig.server.history.length
    await rig.deletePod('db-0')
    await rig.clock.advance(0)
    assert.deepEqual(await rig.labelled(), ['db-1'])
    const writes = rig.server.history.slice(before).filter(({ user }) => user === 'op')
    assert.deepEqual(
      writes.slice(0, 2).map(({ object }) => object.kind),
      ['Lease', 'Pod'],
    )
    await rig.clock.advance(5000)
    const { status } = await rig.group()
    assert.deepEqual(
      status?.history?.map(({ holder, reason }) => [holder, reason]),
      [
        ['db-1', undefined],
        ['db-0', 'PodDeleted'],
      ],
    )
  })

  it('writes nothing in a quiet world but its own Lease', async () => {
    rig.start('op')
    await running()
    const before = rig.server.history.length
    await rig.clock.advance(300_000)
    const kinds = rig.server.history.slice(before).map(({ object }) => `${object.kind} ${object.metadata.name}`)
    assert.deepEqual([...new Set(kinds)], ['Lease leadergroup-operator'])
  })

  it('hands over from replica to replica, and only one acts', async () => {
    const first = rig.start('op-a')
    await rig.clock.advance(100)
    rig.start('op-b')
    await running()
    assert.equal(
      rig.server.history.some(({ user, object }) => user === 'op-b' && object.kind === 'Pod'),
      false,
    )
    first.stop.abort(new Error('stopped'))
    await rig.clock.advance(1000)
    await first.ended
    await rig.deletePod('db-0')
    await rig.clock.advance(1000)
    assert.deepEqual(await rig.labelled(), ['db-1'])
    assert.equal(rig.mostLabels(), 1)
  })

  it('never shows two labels while two act at once and pods come and go', async () => {
    rig.start('op-a', { elect: false })
    rig.start('op-b', { elect: false })
    await running()
    for (let round = 0; round < 50; round++) {
      const [leader] = await rig.labelled()
      if (!leader) break
      if (round % 3 === 0) await rig.setReady(leader, false)
      else await rig.deletePod(leader)
      await rig.clock.advance(20)
      if (round % 3 === 0) await rig.setReady(leader, true)
      else await rig.createPod(leader)
      await rig.clock.advance(3000)
    }
    assert.equal(rig.mostLabels(), 1)
    assert.equal((await rig.labelled()).length, 1)
    assert.ok(((await rig.group()).status?.term ?? 0) >= 50)
  })

  it('takes a label off that somebody else put on, and puts back one that was taken', async () => {
    rig.start('op')
    await running()
    await rig.api.mergePatch(
      Pods,
      { namespace: NAMESPACE, name: 'db-2' },
      { metadata: { labels: { [ROLE]: 'leader' } } },
    )
    await rig.clock.advance(100)
    assert.deepEqual(await rig.labelled(), ['db-0'])
    await rig.api.mergePatch(Pods, { namespace: NAMESPACE, name: 'db-0' }, { metadata: { labels: { [ROLE]: null } } })
    await rig.clock.advance(100)
    assert.deepEqual(await rig.labelled(), ['db-0'])
  })

  it('survives the deletion of its Lease with the same leader and a higher term', async () => {
    rig.start('op')
    await running()
    const before = (await rig.group()).status?.term ?? 0
    await rig.api.delete(Leases, { namespace: NAMESPACE, name: 'db' })
    await rig.clock.advance(2000)
    assert.deepEqual(await rig.labelled(), ['db-0'])
    assert.ok(((await rig.group()).status?.term ?? 0) > before)
    assert.equal(rig.mostLabels(), 1)
  })

  it("refuses a Lease that is not the group's", async () => {
    rig.start('op')
    const spec = { holderIdentity: 'app-7f', leaseDurationSeconds: 15 }
    await rig.api.create(Leases, NAMESPACE, { metadata: { name: 'db' }, spec })
    const { metadata } = await rig.lease()
    await running()
    assert.deepEqual(await rig.labelled(), [])
    assert.equal((await rig.group()).status?.conditions?.[0]?.reason, 'LeaseHeldByAnother')
    assert.equal((await rig.lease()).metadata.resourceVersion, metadata.resourceVersion)
  })

  it('keeps the leader and chooses none while paused', async () => {
    rig.start('op')
    await running()
    await rig.api.mergePatch(LeaderGroups, { namespace: NAMESPACE, name: 'db' }, { spec: { paused: true } })
    await rig.clock.advance(1000)
    assert.deepEqual(await rig.labelled(), ['db-0'])
    await rig.deletePod('db-0')
    await rig.clock.advance(1000)
    assert.deepEqual(await rig.labelled(), [])
    const { status } = await rig.group()
    assert.equal(status?.conditions?.[0]?.reason, 'Paused')
    assert.equal(status?.holder, undefined)
    await rig.api.mergePatch(LeaderGroups, { namespace: NAMESPACE, name: 'db' }, { spec: { paused: false } })
    await rig.clock.advance(1000)
    assert.deepEqual(await rig.labelled(), ['db-1'])
  })

  it('takes off what a deleted group left, also when it was deleted while no operator ran', async () => {
    const first = rig.start('op')
    await running()
    first.stop.abort(new Error('stopped'))
    await rig.clock.advance(1000)
    await rig.api.delete(LeaderGroups, { namespace: NAMESPACE, name: 'db' })
    await rig.clock.advance(1000)
    rig.start('op-2')
    await rig.clock.advance(5000)
    const pods = await rig.api.list(Pods, { namespace: NAMESPACE })
    assert.ok(pods.kind === 'ok')
    for (const { metadata } of pods.object.items) {
      assert.deepEqual([metadata.labels, metadata.annotations ?? {}], [{ app: 'db' }, {}])
    }
  })

  it('fails over at once while something else of the group keeps failing', async () => {
    const body = { kind: 'Status', status: 'Failure', code: 500, reason: 'InternalError', message: 'a webhook is down' }
    rig.start('op', {
      before: async ({ method, path }) => {
        if (method !== 'PATCH' || !path.includes('/pods/db-2')) return undefined
        return { status: 500, headers: {}, body: Readable.from([Buffer.from(JSON.stringify(body))]) }
      },
    })
    await running()
    await rig.clock.advance(60_000)
    await rig.deletePod('db-0')
    await rig.clock.advance(10)
    assert.deepEqual(await rig.labelled(), ['db-1'])
  })

  it('writes nothing in a dry run', async () => {
    rig.start('op', { dryRun: true, elect: false })
    await running()
    assert.equal(rig.writesOf('op'), 0)
  })
})
