import assert from 'node:assert/strict'
import { systemClock as clock } from '../src/clock.ts'
import { Api } from '../src/kube/api.ts'
import { type Lease, Leases } from '../src/kube/objects.ts'
import type { TransportRequest, TransportResponse } from '../src/kube/transport.ts'
import type { UndiciTransport } from '../src/kube/undici.ts'
import { Elector } from '../src/lock/elector.ts'
import { leaseLock } from '../src/lock/lease-lock.ts'
import { CANDIDATE, candidateToken } from './candidates/account.ts'
import { Contender } from './contender.ts'
import { eventually } from './controlplane/eventually.ts'
import { must } from './controlplane/must.ts'
import { adminApi, createNamespace, sharedCluster } from './controlplane/shared.ts'

const TIMING = { leaseDurationSeconds: 3, renewDeadlineSeconds: 2, retryPeriodSeconds: 0.5 }
const NAMES = Array.from({ length: 12 }, (_, index) => `db-${index}`)

/** A client, and which watches it has open: of one Lease, or of all. */
class Client implements AsyncDisposable {
  readonly api: Api
  readonly open: string[] = []
  readonly #transport: UndiciTransport

  constructor(transport: UndiciTransport) {
    this.#transport = transport
    this.api = new Api({ send: (request) => this.#send(request) }, clock)
  }

  async #send(request: TransportRequest): Promise<TransportResponse> {
    const query = new URLSearchParams(request.path.split('?')[1])
    const response = await this.#transport.send(request)
    if (!query.has('watch') || response.status !== 200) return response
    const what = query.get('fieldSelector')?.replace('metadata.name=', '') ?? 'all'
    return { ...response, body: this.#followed(what, response.body) }
  }

  async *#followed(what: string, body: TransportResponse['body']): AsyncGenerator<Uint8Array, void> {
    this.open.push(what)
    try {
      yield* body
    } finally {
      this.open.splice(this.open.indexOf(what), 1)
    }
  }

  async untilOpen(expected: readonly string[]): Promise<void> {
    const text = JSON.stringify(expected.toSorted())
    await eventually({ what: `watches ${text}`, millis: 30_000 }, () =>
      Promise.resolve(JSON.stringify(this.open.toSorted()) === text || undefined),
    )
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#transport.close()
  }
}

describe('many electors of a process', function () {
  this.timeout(120_000)
  for (const { what, rules, watches } of [
    { what: 'share a watch where they may', rules: undefined, watches: ['all'] },
    {
      what: 'have one each where their role names the Leases',
      rules: [
        { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['create'] },
        {
          apiGroups: ['coordination.k8s.io'],
          resources: ['leases'],
          resourceNames: NAMES,
          verbs: ['get', 'list', 'watch', 'update'],
        },
      ],
      watches: NAMES,
    },
  ]) {
    it(`${what}, and take over at once from who releases`, async () => {
      const cluster = await sharedCluster()
      const namespace = await createNamespace('many')
      const token = await candidateToken(cluster, namespace)
      if (rules) {
        const role = {
          apiVersion: 'rbac.authorization.k8s.io/v1',
          kind: 'Role',
          metadata: { name: CANDIDATE, namespace },
        }
        await cluster.plane.apply(JSON.stringify({ ...role, rules }))
      }
      await using leaders = new Client(cluster.transport(token, 'leadergroup-many-leaders'))
      await using others = new Client(cluster.transport(token, 'leadergroup-many-others'))
      const start = ({ api }: Client, identity: string): Contender[] =>
        NAMES.map((name) => {
          const lock = leaseLock(api, { namespace, name, clock, random: Math.random })
          // While roles change they may be refused.
          return new Contender(identity, new Elector({ ...TIMING, lock, identity, onError: () => undefined }))
        })
      const first = start(leaders, 'first')
      const second: Contender[] = []
      try {
        await Promise.all(first.map((each) => each.leads()))
        second.push(...start(others, 'second'))
        await leaders.untilOpen(watches)
        await others.untilOpen(watches)
        await Promise.all(first.map((each) => each.leave()))
        await Promise.all(second.map((each) => each.leads()))
      } finally {
        await Promise.all([...first, ...second].map((each) => each.leave()))
      }
      await others.untilOpen([])
    })
  }
})

describe('a lock on a Lease', () => {
  it('leaves who wrote which field to the server', async () => {
    const api = await adminApi()
    const key = { namespace: await createNamespace('fields'), name: 'db' }
    const metadata = { ...key, labels: { theirs: 'yes' } }
    const created = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata }
    must(await api.create<Lease>(Leases, key.namespace, created, { fieldManager: 'somebody-else' }))
    const lock = leaseLock(api, { ...key, clock, random: Math.random })
    const { signal } = new AbortController()
    const found = await lock.read(signal)
    assert(found !== 'absent')
    const record = { holderIdentity: 'a', leaseDurationSeconds: 15, leaseTransitions: 0 }
    assert.notEqual(await lock.write(record, found.version, signal), 'conflict')
    const lease = must(await api.get<Lease>(Leases, key))
    const { managedFields } = lease.metadata as unknown as {
      managedFields: { manager: string; fieldsV1: Record<string, object> }[]
    }
    const theirs = managedFields.find(({ manager }) => manager === 'somebody-else')
    assert.deepEqual(theirs?.fieldsV1, { 'f:metadata': { 'f:labels': { '.': {}, 'f:theirs': {} } } })
    assert.equal(managedFields.length, 2, 'theirs and ours')
  })
})
