import { strict as assert } from 'node:assert'
import { Api } from '../kube/api.ts'
import { Leases } from '../kube/objects.ts'
import type { TransportRequest, TransportResponse } from '../kube/transport.ts'
import { InvalidOptionsError, type ElectionError } from '../lock/errors.ts'
import { leaseLock } from '../lock/lease-lock.ts'
import type { Lock } from '../lock/lock.ts'
import { ApiServer } from '../sim/apiserver.ts'
import { VirtualClock } from '../sim/clock.ts'
import { SimEtcd } from '../sim/etcd.ts'
import { newLeaderElection, type LeaderElectionOptions } from './new-leader-election.ts'

const NEW_LOCK = { namespace: 'kube-system', name: 'openshift-controller-manager' }
const ETCD_KEY = 'openshift.io/leases/controllers'
const TTL = 30
const LEGACY: LeaderElectionOptions = { controllerLeaseTTLSeconds: TTL }
const MIGRATING: LeaderElectionOptions = { controllerLeaseTTLSeconds: TTL, election: {} }
const MIGRATED: LeaderElectionOptions = { election: {} }

/** A fleet on an etcd and an API server, of which at most one works at any time: that is checked at every start. */
class Fleet {
  readonly clock = new VirtualClock()
  readonly etcd = new SimEtcd(this.clock)
  readonly server = new ApiServer(this.clock)
  readonly admin = new Api(this.server.transport(), this.clock)
  readonly working = new Set<string>()
  readonly log: string[] = []

  member(identity: string, options: LeaderElectionOptions, { hasWatch = true, workMillis = 0 } = {}) {
    const abort = new AbortController()
    const errors: ElectionError[] = []
    const api = { isCut: false }
    const lock = leaseLock(new Api({ send: (request) => this.#send(api, request) }, this.clock), {
      ...NEW_LOCK,
      clock: this.clock,
      random: () => 0.5,
    })
    const election = newLeaderElection({
      identity,
      etcd: this.etcd.transport(),
      lock: hasWatch ? lock : withoutWatch(lock),
      clock: this.clock,
      random: () => 0.5,
      onError: (error) => errors.push(error),
      onOverrun: () => this.#say(`${identity} overruns`),
      ...options,
    })
    const { plug } = election
    plug
      .whileStarted(async (signal) => {
        this.working.add(identity)
        this.#say(`${identity} works`)
        assert.deepEqual([...this.working], [identity], `two at ${this.clock.now()}`)
        await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
        if (workMillis > 0)
          await new Promise<void>((resolve) => this.clock.timer(this.clock.now() + workMillis, resolve))
        this.working.delete(identity)
      })
      .catch((error: unknown) => this.#say(String(error)))
    const run = election.start({ signal: abort.signal }).then(
      () => this.#say(`${identity} is over`),
      (error: Error) => this.#say(`${identity} failed: ${error.message}`),
    )
    return { ...election, errors, api, run, stop: () => abort.abort() }
  }

  #say(what: string): void {
    this.log.push(`${this.clock.now()} ${what}`)
  }

  async #send(api: { isCut: boolean }, request: TransportRequest): Promise<TransportResponse> {
    if (!api.isCut) return this.server.transport().send(request)
    return new Promise((_resolve, reject) => {
      request.signal.addEventListener('abort', () => reject(request.signal.reason as Error), { once: true })
    })
  }

  /** What somebody else's elector would leave there. */
  async createLock(): Promise<void> {
    const lease = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { ...NEW_LOCK }, spec: {} }
    assert.equal((await this.admin.create(Leases, NEW_LOCK.namespace, lease)).kind, 'ok')
  }

  async deleteLock(): Promise<void> {
    assert.equal((await this.admin.delete(Leases, NEW_LOCK)).kind, 'ok')
  }
}

function withoutWatch(lock: Lock): Lock {
  return {
    describe: lock.describe,
    read: (signal) => lock.read(signal),
    write: (next, version, signal) => lock.write(next, version, signal),
  }
}

describe('newLeaderElection', () => {
  let fleet: Fleet
  beforeEach(() => {
    fleet = new Fleet()
  })

  describe('without an election', () => {
    it('starts at once', async () => {
      const { plug, stop } = fleet.member('a', {})
      await fleet.clock.settle()
      assert.deepEqual([plug.isStarted(), fleet.log], [true, ['0 a works']])
      stop()
      await fleet.clock.settle()
      assert.deepEqual([plug.isStarted(), fleet.log], [false, ['0 a works', '0 a is over']])
    })

    it('does not start while paused, until it is told to', async () => {
      const { plug } = fleet.member('a', { pauseControllers: true })
      await fleet.clock.advance(3_600_000)
      assert.equal(plug.isStarted(), false)
      plug.start()
      await fleet.clock.settle()
      assert.equal(plug.isStarted(), true)
    })
  })

  describe('with an etcd lease', () => {
    it('leads as long as there is no lock of the new way', async () => {
      const [a, b] = [fleet.member('a', LEGACY), fleet.member('b', LEGACY)]
      await fleet.clock.advance(600_000)
      assert.deepEqual([fleet.log, fleet.etcd.get(ETCD_KEY)?.value], [['0 a works'], 'a'])
      a.stop()
      await fleet.clock.settle()
      assert.deepEqual(fleet.log.slice(1), ['600000 a is over', '600000 b works'])
      assert.deepEqual([a.errors, b.errors], [[], []])
    })

    for (const hasWatch of [true, false]) {
      it(`stands down when the lock appears, ${hasWatch ? 'at once' : 'at the next read without a watch'}`, async () => {
        const a = fleet.member('a', LEGACY, { hasWatch })
        await fleet.clock.advance(100_000)
        await fleet.createLock()
        await fleet.clock.settle()
        await fleet.clock.advance(TTL * 250)
        assert.deepEqual(fleet.log, ['0 a works', `${hasWatch ? 100_000 : 105_000} a is over`])
        assert.deepEqual([fleet.etcd.leases, a.plug.isStarted()], [[], false])
      })
    }

    it('stands by while the lock exists, and leads when that is deleted', async () => {
      await fleet.createLock()
      fleet.member('a', LEGACY)
      await fleet.clock.advance(100_000)
      assert.deepEqual([fleet.log, fleet.etcd.leases], [[], []])
      await fleet.deleteLock()
      await fleet.clock.settle()
      assert.deepEqual(fleet.log, ['100000 a works'])
    })

    it('leaves the queue, and no process, when the lock appears while it waits', async () => {
      fleet.etcd.put(ETCD_KEY, 'x')
      fleet.member('a', LEGACY)
      await fleet.clock.advance(10_000)
      await fleet.createLock()
      await fleet.clock.settle()
      fleet.etcd.delete(ETCD_KEY)
      await fleet.clock.advance(100_000)
      assert.deepEqual([fleet.log, fleet.etcd.leases], [[], []])
    })

    it('stops when it cannot tell any more whether the lock exists, in time for the new way', async () => {
      const a = fleet.member('a', LEGACY)
      await fleet.clock.advance(100_000)
      a.api.isCut = true
      await fleet.clock.advance(TTL * 1000)
      const [, end] = fleet.log
      // The last read began at 97.5 s; half a ttl later it proves nothing any more.
      assert.match(end!, /^112500 a failed: etcd key .*can't be told whether Lease kube-system.* exists by now$/)
      assert.equal(fleet.etcd.get(ETCD_KEY), undefined)
    })

    it('goes on over a short outage of the API server', async () => {
      const a = fleet.member('a', LEGACY)
      await fleet.clock.advance(100_000)
      a.api.isCut = true
      await fleet.clock.advance(9_000)
      a.api.isCut = false
      await fleet.clock.advance(100_000)
      assert.deepEqual([fleet.log, a.errors.length > 0], [['0 a works'], true])
    })

    it('never acquires while it cannot tell whether the lock exists', async () => {
      const a = fleet.member('a', LEGACY)
      a.api.isCut = true
      await fleet.clock.advance(100_000)
      assert.deepEqual([fleet.log, fleet.etcd.leases], [[], []])
      a.api.isCut = false
      await fleet.clock.advance(TTL * 250)
      assert.match(fleet.log[0]!, /a works$/)
    })

    it('is off by the clock when the machine was suspended, though nothing had time to stop it', async () => {
      const a = fleet.member('a', LEGACY)
      await fleet.clock.advance(1_000)
      fleet.clock.stepWall(14_500)
      assert.equal(a.plug.isStarted(), false)
    })
  })

  describe('on a lock of Kubernetes', () => {
    it('leads, and says what it lost', async () => {
      const a = fleet.member('a', MIGRATED)
      await fleet.clock.advance(61_000)
      await fleet.deleteLock()
      await fleet.clock.settle()
      assert.deepEqual(fleet.log, ['0 a works', '61000 a failed: controllers a lost election, stepping down'])
      await assert.rejects(a.plug.waitForStop(), /lost election, stepping down/)
    })

    it('hands over when it is stopped, after its work', async () => {
      const a = fleet.member('a', MIGRATED, { workMillis: 3_000 })
      await fleet.clock.settle()
      fleet.member('b', MIGRATED)
      await fleet.clock.advance(60_000)
      a.stop()
      await fleet.clock.advance(10_000)
      assert.deepEqual(fleet.log, ['0 a works', '63000 a is over', '63000 b works'])
    })

    it('reports work that overruns, and holds nothing up for ever', async () => {
      const a = fleet.member('a', MIGRATED, { workMillis: 60_000 })
      await fleet.clock.advance(60_000)
      a.stop()
      await fleet.clock.advance(20_000)
      assert.deepEqual(fleet.log, ['0 a works', '72500 a overruns', '72500 a is over'])
    })

    it('starts only a ttl after it acquired while there are others of the old way', async () => {
      const a = fleet.member('a', MIGRATING)
      await fleet.clock.advance(TTL * 1000 - 1)
      assert.equal(a.plug.isStarted(), false)
      await fleet.clock.advance(1)
      assert.deepEqual([a.plug.isStarted(), fleet.log], [true, [`${TTL * 1000} a works`]])
    })

    it('does not start when it is stopped, or loses, while it is held back', async () => {
      const a = fleet.member('a', MIGRATING)
      await fleet.clock.advance(10_000)
      a.stop()
      await fleet.clock.settle()
      const b = fleet.member('b', MIGRATING)
      await fleet.clock.advance(11_000)
      await fleet.deleteLock()
      await fleet.clock.advance(100_000)
      assert.deepEqual(fleet.log, ['10000 a is over', '21000 b failed: controllers b lost election, stepping down'])
      await b.run
    })
  })

  describe('a migration', () => {
    for (const hasWatch of [true, false]) {
      for (const workMillis of [0, 8_000]) {
        const how = `${hasWatch ? 'with' : 'without'} watches, work that takes ${workMillis} ms to stop`
        it(`never has two that work, one member after the other, from the first to the last step (${how})`, async () => {
          const has = { hasWatch, workMillis }
          const names = ['a', 'b', 'c']
          const members = new Map(names.map((name) => [name, fleet.member(name, LEGACY, has)]))
          await fleet.clock.advance(60_000)
          for (const step of [MIGRATING, MIGRATED]) {
            for (const name of names) {
              members.get(name)!.stop()
              await fleet.clock.advance(1_000 + workMillis)
              await members.get(name)!.run
              members.set(name, fleet.member(name, step, has))
              await fleet.clock.advance(120_000)
              assert.equal(fleet.working.size, 1, `nobody works after ${name}: ${fleet.log.join(', ')}`)
            }
          }
          assert.deepEqual(
            fleet.log.filter((line) => /overruns|failed/.test(line)),
            [],
          )
          assert.equal(fleet.etcd.get(ETCD_KEY), undefined)
        })
      }
    }

    it('goes back: when the new ones are gone and the lock is deleted, those of the old way lead again', async () => {
      const a = fleet.member('a', LEGACY)
      await fleet.clock.settle()
      const b = fleet.member('b', MIGRATING)
      await fleet.clock.advance(120_000)
      assert.deepEqual([...fleet.working], ['b'])
      await a.run
      b.stop()
      await fleet.clock.settle()
      await b.run
      fleet.member('c', LEGACY)
      await fleet.clock.advance(120_000)
      assert.equal(fleet.working.size, 0)
      await fleet.deleteLock()
      await fleet.clock.settle()
      assert.deepEqual([...fleet.working], ['c'])
    })

    it('is safe with a member of the old way that is cut off from the API server when the lock appears', async () => {
      const a = fleet.member('a', LEGACY, { workMillis: 9_000, hasWatch: false })
      await fleet.clock.advance(100_000)
      a.api.isCut = true
      fleet.member('b', MIGRATING)
      await fleet.clock.advance(120_000)
      assert.deepEqual([...fleet.working], ['b'])
      assert.match(fleet.log[1]!, /^121500 a failed/)
      assert.deepEqual(fleet.log[2], '130000 b works')
    })
  })

  it('says all that is wrong with its options', () => {
    const options = { controllerLeaseTTLSeconds: 1.5, identity: '' }
    assert.throws(
      () => newLeaderElection(options),
      (error: InvalidOptionsError) => {
        assert.deepEqual(error.violations, [
          'controllerLeaseTTL must be a whole number of seconds, 0 or more: it is 1.5 s',
          'identity must not be empty',
          'etcd must be given for an etcd lease: controllerLeaseTTL is set, election is not',
          'lock must be given for an etcd lease as well: the lock that is elected on one day, to stand by for',
        ])
        return true
      },
    )
    assert.throws(() => newLeaderElection({ election: {} }), /lock must be given to elect on/)
    assert.throws(() => fleet.member('a', { ...MIGRATED, election: { leaseDurationSeconds: 5 } }), InvalidOptionsError)
  })

  it('draws an identity', () => {
    const { identity } = newLeaderElection({})
    assert.match(identity, /^master-[bcdfghjklmnpqrstvwxz2456789]{8}$/)
    assert.notEqual(identity, newLeaderElection({}).identity)
  })
})
