import assert from 'node:assert/strict'
import { systemClock } from '../src/clock.ts'
import { connectEtcd } from '../src/etcd/connect-etcd.ts'
import { Api } from '../src/kube/api.ts'
import { undiciTransport } from '../src/kube/undici.ts'
import { leaseLock } from '../src/lock/lease-lock.ts'
import { type LeaderElectionOptions, newLeaderElection } from '../src/openshift/new-leader-election.ts'
import type { Cluster } from './controlplane/cluster.ts'
import { eventually } from './controlplane/eventually.ts'
import { sharedCluster } from './controlplane/shared.ts'
import { type EtcdServer, openEtcd } from './etcd-server.ts'
import { openTcpProxy } from './tcp-proxy.ts'

/** Long enough for a busy machine: the lock is read every quarter, and half of that may fail. */
const TTL = 8
const LEGACY: LeaderElectionOptions = { controllerLeaseTTLSeconds: TTL }
const TIMES = { leaseDurationSeconds: 6, renewDeadlineSeconds: 4, retryPeriodSeconds: 1 }
const MIGRATING: LeaderElectionOptions = { controllerLeaseTTLSeconds: TTL, election: TIMES }
const MIGRATED: LeaderElectionOptions = { election: TIMES }
const ETCD_KEY = 'openshift.io/leases/controllers'
const TURN_MILLIS = 30_000

/** Members of both generations on one etcd and one API server; what works, and whether ever two did. */
class Fleet {
  readonly working = new Set<string>()
  readonly log: string[] = []
  /** What must not happen. */
  readonly faults: string[] = []
  readonly #cluster: Cluster
  readonly #etcd: EtcdServer
  readonly #namespace: string

  constructor(cluster: Cluster, etcd: EtcdServer, namespace: string) {
    this.#cluster = cluster
    this.#etcd = etcd
    this.#namespace = namespace
  }

  /** @param port of the API server, or of what stands before it */
  member(identity: string, options: LeaderElectionOptions, port?: number) {
    const { plane } = this.#cluster
    const access = { tls: { ca: plane.ca }, headers: { authorization: `Bearer ${plane.adminToken}` } }
    const server = port === undefined ? plane.server : `https://127.0.0.1:${port}`
    const transport = undiciTransport({
      credentials: { server, load: () => Promise.resolve(access) },
      userAgent: 'leadergroup-e2e',
    })
    const etcd = connectEtcd({ endpoints: [this.#etcd.url] })
    const lock = leaseLock(new Api(transport, systemClock), {
      namespace: this.#namespace,
      name: 'openshift-controller-manager',
      clock: systemClock,
      random: Math.random,
    })
    const abort = new AbortController()
    const overrun = (): void => void this.faults.push(`${identity} overran`)
    const errors: string[] = []
    const election = newLeaderElection({
      identity,
      etcd,
      lock,
      onError: ({ message }) => errors.push(message),
      onOverrun: overrun,
      ...options,
    })
    const work = election.plug.whileStarted(async (signal) => {
      this.working.add(identity)
      this.log.push(`${identity} works`)
      if (this.working.size > 1) this.faults.push(`${[...this.working].join(' and ')} work`)
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
      this.working.delete(identity)
    })
    const run = election.start({ signal: abort.signal }).then(
      () => `${identity} is over`,
      (error: Error) => `${identity} failed: ${error.message}`,
    )
    const gone = Promise.all([run, work]).then(async ([end]) => {
      await transport.close()
      await etcd[Symbol.asyncDispose]()
      this.log.push(end)
      return end
    })
    const stop = (): Promise<string> => {
      abort.abort()
      return gone
    }
    return { ...election, errors, gone, stop }
  }

  /** Resolves to who works. */
  async worker(...among: string[]): Promise<string> {
    return await eventually({ what: `one of ${among.join(', ')} to work`, millis: TURN_MILLIS }, () => {
      return Promise.resolve([...this.working].find((name) => among.includes(name)))
    })
  }
}

describe('a migration from an etcd lease to a Lease', function () {
  this.timeout(300_000)
  let cluster: Cluster
  let etcd: EtcdServer
  before(async () => {
    cluster = await sharedCluster()
    etcd = await openEtcd()
  })
  after(() => etcd[Symbol.asyncDispose]())

  it('has never two that work, both generations side by side, from the first step to the last', async () => {
    const fleet = new Fleet(cluster, etcd, await cluster.createNamespace('migration'))
    const names = ['a', 'b', 'c']
    const members = new Map(names.map((name) => [name, fleet.member(name, LEGACY)]))
    await fleet.worker(...names)
    const ends: string[] = []
    for (const step of [MIGRATING, MIGRATED]) {
      for (const name of names) {
        ends.push(await members.get(name)!.stop())
        members.set(name, fleet.member(name, step))
        // Those of the old way may have stood down with the first of the new ones: they are there no more.
        await fleet.worker(...names)
      }
    }
    assert.deepEqual(fleet.faults, [], fleet.log.join(', '))
    assert.deepEqual(
      ends.filter((end) => !end.endsWith('is over')),
      [],
    )
    assert.equal(await etcd.value(ETCD_KEY), undefined)
    await Promise.all([...members.values()].map((member) => member.stop()))
    assert.deepEqual([fleet.faults, fleet.working.size], [[], 0])
  })

  it('waits for one of the old way that is cut off from the API server when the lock is made', async () => {
    const fleet = new Fleet(cluster, etcd, await cluster.createNamespace('migration'))
    await using proxy = await openTcpProxy(Number(new URL(cluster.plane.server).port))
    const old = fleet.member('old', LEGACY, proxy.port)
    await fleet.worker('old')
    proxy.set('stall')
    const young = fleet.member('young', MIGRATING)
    assert.match(await old.gone, /^old failed: .*can't be told whether Lease .* exists by now$/)
    await fleet.worker('young')
    assert.deepEqual([fleet.log, fleet.faults], [['old works', fleet.log[1], 'young works'], []])
    await young.stop()
  })
})
