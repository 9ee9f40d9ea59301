import { strict as assert } from 'node:assert'
import type { Clock } from '../clock.ts'
import type { LeaseRecord, Versioned } from '../election/record.ts'
import { Api } from '../kube/api.ts'
import { ConfigMaps, Endpoints, Leases, type KubeObject, type Resource } from '../kube/objects.ts'
import type { Transport } from '../kube/transport.ts'
import { annotationLock } from './annotation-lock.ts'
import { configMapLock } from './configmap-lock.ts'
import { endpointsLock } from './endpoints-lock.ts'
import { leaseLock } from './lease-lock.ts'
import type { Lock } from './lock.ts'
import { multiLock } from './multi-lock.ts'

/** A server that the locks lie on. */
export interface LockSetting {
  readonly transport: Transport
  readonly clock: Clock
  /** Empty, and made for this run. */
  readonly namespace: string
  /** Lets time pass: really, or on a virtual clock. */
  advance(millis: number): Promise<void>
  tearDown(): Promise<void>
}

export interface LockKind {
  readonly name: string
  /** The objects that it is made of. */
  readonly objects: readonly Resource<KubeObject>[]
  /** Whether an edit of such an object that leaves the record alone is none of the lock's business. */
  readonly bearsEdits: boolean
  readonly open: (api: Api, options: { name: string; namespace: string; clock: Clock; random: () => number }) => Lock
  /** Made beforehand, where an elector may not create it. */
  readonly body?: object
}

const Claims: Resource<KubeObject> = {
  group: '',
  version: 'v1',
  plural: 'persistentvolumeclaims',
  kind: 'PersistentVolumeClaim',
}

export const LOCK_KINDS: readonly LockKind[] = [
  { name: 'Lease', objects: [Leases], bearsEdits: false, open: leaseLock },
  { name: 'ConfigMap', objects: [ConfigMaps], bearsEdits: true, open: configMapLock },
  { name: 'Endpoints', objects: [Endpoints], bearsEdits: true, open: endpointsLock },
  {
    name: 'annotation of a PersistentVolumeClaim',
    objects: [Claims],
    bearsEdits: true,
    open: (api, { name, namespace, ...rest }) =>
      annotationLock(api, { object: { ...Claims, name, namespace }, ...rest }),
    body: { spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } },
  },
  {
    name: 'ConfigMap with Lease',
    objects: [ConfigMaps, Leases],
    bearsEdits: false,
    open: (api, options) => multiLock(configMapLock(api, options), leaseLock(api, options)),
  },
  {
    name: 'Endpoints with ConfigMap',
    objects: [Endpoints, ConfigMaps],
    bearsEdits: true,
    open: (api, options) => multiLock(endpointsLock(api, options), configMapLock(api, options)),
  },
]

const never = new AbortController().signal
const STEP_MILLIS = 10
const WAIT_MILLIS = 10_000

export const leaseRecord = (holderIdentity: string, change: Partial<LeaseRecord> = {}): LeaseRecord => ({
  holderIdentity,
  leaseDurationSeconds: 15,
  acquireTime: '2026-11-21T05:17:25.123456Z',
  renewTime: '2026-11-21T05:17:25.123456Z',
  leaseTransitions: 0,
  ...change,
})

/** What an elector takes for granted about its lock: one suite for every lock, on the in-memory and on the real server. */
export function describeLockContract(name: string, setUp: () => Promise<LockSetting>): void {
  describe(`lock contract: ${name}`, () => {
    let setting: LockSetting | undefined
    before(async () => {
      setting = await setUp()
    })
    after(() => setting?.tearDown())
    for (const kind of LOCK_KINDS) describeLock(kind, () => new Subject(setting!, kind))
  })
}

function describeLock(kind: LockKind, open: () => Subject): void {
  describe(kind.name, () => {
    it('writes a record where there is none, reads it, and replaces it under a higher version', async () => {
      const subject = await open().prepare()
      const { lock } = subject
      const first = await subject.write(lock, leaseRecord('a'))
      assert.deepEqual([first.record, await lock.read(never)], [leaseRecord('a'), first])
      const next = leaseRecord('b', { leaseTransitions: 1, renewTime: '2026-11-21T05:17:27.000001Z' })
      const second = expectWritten(await lock.write(next, first.version, never))
      assert.deepEqual(second.record, next)
      assert(BigInt(second.version) > BigInt(first.version))
      assert.deepEqual(await subject.open().read(never), second)
    })

    if (!kind.body) {
      it('is absent before it is created, and again when it is deleted; a write does not bring it back', async () => {
        const { lock, ...subject } = open()
        assert.equal(await lock.read(never), 'absent')
        const { version } = expectWritten(await lock.write(leaseRecord('a'), undefined, never))
        await subject.delete()
        assert.equal(await lock.write(leaseRecord('b'), version, never), 'conflict')
        assert.equal(await lock.read(never), 'absent')
        assert.equal(await lock.write(leaseRecord('b'), version, never), 'conflict')
        const again = expectWritten(await lock.write(leaseRecord('a'), undefined, never))
        assert(BigInt(again.version) > BigInt(version), 'the token of a later term')
      })
    }

    it('answers conflict to whoever was slower, creating or replacing', async () => {
      const subject = await open().prepare()
      const { lock } = subject
      const other = subject.open()
      const seen = await lock.read(never)
      const before = seen === 'absent' ? undefined : seen.version
      await other.read(never)
      const first = expectWritten(await lock.write(leaseRecord('a'), before, never))
      assert.equal(await other.write(leaseRecord('b'), before, never), 'conflict')
      await other.read(never)
      const second = expectWritten(await other.write(leaseRecord('b'), first.version, never))
      assert.equal(await lock.write(leaseRecord('c'), first.version, never), 'conflict')
      assert.deepEqual(await lock.read(never), second)
    })

    it('lets one of many win', async () => {
      const subject = await open().prepare()
      await subject.write(subject.lock, leaseRecord(''))
      const names = Array.from({ length: 8 }, (_, index) => `c-${index}`)
      const readers = names.map(() => subject.open())
      const seen = await Promise.all(readers.map((lock) => lock.read(never)))
      const outcomes = await Promise.all(
        readers.map((lock, index) => {
          const found = seen[index]!
          assert(found !== 'absent')
          return lock.write(leaseRecord(names[index]!), found.version, never)
        }),
      )
      const winners = names.filter((_name, index) => outcomes[index] !== 'conflict')
      const found = await subject.lock.read(never)
      assert(found !== 'absent')
      assert.deepEqual(winners, [found.record.holderIdentity])
    })

    it('writes over a version that it has forgotten, if that is still there', async () => {
      const subject = await open().prepare()
      const { version } = await subject.write(subject.lock, leaseRecord('a'))
      const other = subject.open()
      assert.equal(await other.write(leaseRecord('b'), '1', never), 'conflict')
      assert.equal(
        expectWritten(await subject.open().write(leaseRecord('c'), version, never)).record.holderIdentity,
        'c',
      )
    })

    it('keeps labels, annotations and finalizers of its objects, through every write', async () => {
      const subject = await open().prepare()
      const metadata = { labels: { theirs: 'yes' }, annotations: { note: 'mine' }, finalizers: ['example.com/keep'] }
      await subject.write(subject.lock, leaseRecord('a'))
      await subject.edit({ metadata })
      const found = await subject.lock.read(never)
      assert(found !== 'absent')
      expectWritten(await subject.lock.write(leaseRecord('b'), found.version, never))
      for (const object of await subject.stored()) {
        const { labels, finalizers, annotations } = object.metadata
        assert.deepEqual([labels, annotations?.['note']], [metadata.labels, 'mine'])
        assert(finalizers?.includes('example.com/keep'))
      }
      await subject.edit({ metadata: { finalizers: null } })
    })

    it(`${kind.bearsEdits ? 'bears' : 'notices'} an edit that leaves the record alone`, async () => {
      const subject = await open().prepare()
      const first = await subject.write(subject.lock, leaseRecord('a'))
      await subject.edit({ metadata: { labels: { by: 'hand' } } })
      const next = leaseRecord('a', { renewTime: '2026-11-21T05:17:27.000001Z' })
      if (kind.bearsEdits) {
        // Without a look at it in between, and after one.
        const second = expectWritten(await subject.lock.write(next, first.version, never))
        await subject.edit({ metadata: { labels: { by: 'another-hand' } } })
        assert.deepEqual(await subject.lock.read(never), second)
        expectWritten(await subject.lock.write(leaseRecord('a'), second.version, never))
      } else {
        assert.equal(await subject.lock.write(next, first.version, never), 'conflict')
        const found = await subject.lock.read(never)
        assert(found !== 'absent' && BigInt(found.version) > BigInt(first.version))
      }
    })

    it('tells apart an object that was deleted and put back as it was', async () => {
      const subject = await open().prepare()
      const { version } = await subject.write(subject.lock, leaseRecord('a'))
      const objects = await subject.stored()
      await subject.delete()
      for (const [index, object] of objects.entries()) await subject.putBack(kind.objects[index]!, object)
      assert.equal(await subject.lock.write(leaseRecord('a'), version, never), 'conflict')
      const found = await subject.lock.read(never)
      assert(found !== 'absent')
      assert.deepEqual(found.record, leaseRecord('a'))
      assert(BigInt(found.version) > BigInt(version))
    })

    it('watches its own objects from their present state on, and ends when told', async () => {
      const subject = await open().prepare()
      const watched = subject.open()
      const written = await subject.write(subject.lock, leaseRecord('a'))
      const abort = new AbortController()
      const seen: (Versioned | 'absent')[] = []
      const watching = (async () => {
        for await (const found of watched.watch!(abort.signal)) seen.push(found)
      })()
      const tells = (what: string) =>
        subject.eventually(`the watch tells of ${what}`, () => {
          const last = seen.at(-1)
          return (last === undefined || last === 'absent' ? last : last.record.holderIdentity) === what
        })
      await tells('a')
      expectWritten(await subject.lock.write(leaseRecord('b'), written.version, never))
      await tells('b')
      await subject.delete()
      await tells('absent')
      abort.abort()
      let hasEnded = false
      void watching.then(() => (hasEnded = true))
      await subject.eventually('the watch ends', () => hasEnded)
      await watching
    })
  })
}

class Subject {
  readonly setting: LockSetting
  readonly lock: Lock
  readonly #api: Api
  readonly #kind: LockKind
  readonly #name: string

  static #names = 0

  constructor(setting: LockSetting, kind: LockKind) {
    this.setting = setting
    this.#api = new Api(setting.transport, setting.clock)
    this.#kind = kind
    this.#name = `l-${++Subject.#names}`
    this.lock = this.open()
  }

  /** Another process's. */
  open(): Lock {
    const { namespace, clock } = this.setting
    return this.#kind.open(this.#api, { name: this.#name, namespace, clock, random: () => 0.5 })
  }

  async prepare(): Promise<this> {
    const { body } = this.#kind
    if (body) await this.putBack(this.#kind.objects[0]!, { metadata: { name: this.#name }, ...body })
    return this
  }

  /** Whatever is there. */
  async write(lock: Lock, record: LeaseRecord): Promise<Versioned> {
    const found = await lock.read(never)
    return expectWritten(await lock.write(record, found === 'absent' ? undefined : found.version, never))
  }

  stored(): Promise<KubeObject[]> {
    return this.#each(async (resource, key) => {
      const outcome = await this.#api.get(resource, key)
      assert(outcome.kind === 'ok', outcome.kind)
      return outcome.object
    })
  }

  async edit(patch: object): Promise<void> {
    await this.#each(async (resource, key) => {
      assert.equal((await this.#api.mergePatch(resource, key, patch)).kind, 'ok')
    })
  }

  delete = async (): Promise<void> => {
    await this.#each(async (resource, key) => {
      // A claim is protected until a controller, where there is one, has seen that nobody uses it.
      await this.#api.mergePatch(resource, key, { metadata: { finalizers: null } })
      await this.#api.delete(resource, key)
      await this.eventually(`${key.name} is gone`, async () => (await this.#api.get(resource, key)).kind === 'notFound')
    })
  }

  async putBack(resource: Resource<KubeObject>, object: object & { metadata: object }): Promise<void> {
    const { name, labels, annotations } = object.metadata as KubeObject['metadata']
    const { namespace } = this.setting
    const body = { ...object, metadata: { name, labels, annotations } }
    const outcome = await this.#api.create(resource, namespace, body)
    assert.equal(outcome.kind, 'ok', JSON.stringify(outcome))
  }

  async eventually(what: string, probe: () => boolean | Promise<boolean>): Promise<void> {
    const end = this.setting.clock.now() + WAIT_MILLIS
    while (!(await probe())) {
      if (this.setting.clock.now() >= end) assert.fail(`not within 10 s: ${what}`)
      await this.setting.advance(STEP_MILLIS)
    }
  }

  async #each<T>(
    act: (resource: Resource<KubeObject>, key: { namespace: string; name: string }) => Promise<T>,
  ): Promise<T[]> {
    const results: T[] = []
    const key = { namespace: this.setting.namespace, name: this.#name }
    for (const resource of this.#kind.objects) results.push(await act(resource, key))
    return results
  }
}

export function expectWritten(outcome: Versioned | 'conflict'): Versioned {
  assert(outcome !== 'conflict')
  return outcome
}
