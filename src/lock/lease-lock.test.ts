import { strict as assert } from 'node:assert'
import type { LeaseRecord, Versioned } from '../election/record.ts'
import { Api } from '../kube/api.ts'
import { Leases } from '../kube/objects.ts'
import type { TransportRequest } from '../kube/transport.ts'
import { ApiServer } from '../sim/apiserver.ts'
import { VirtualClock } from '../sim/clock.ts'
import { ElectionError } from './errors.ts'
import { leaseLock } from './lease-lock.ts'

const KEY = { namespace: 'default', name: 'db' }
const never = new AbortController().signal
const record = (holderIdentity: string, change: Partial<LeaseRecord> = {}): LeaseRecord => ({
  holderIdentity,
  leaseDurationSeconds: 15,
  acquireTime: '2026-11-21T05:17:25.123456Z',
  renewTime: '2026-11-21T05:17:25.123456Z',
  leaseTransitions: 0,
  ...change,
})

describe('lease lock', () => {
  it('creates, reads and replaces, all in the lease lane', async () => {
    const { lock, requests, api } = open()
    assert.equal(await lock.read(never), 'absent')
    const created = expectWritten(await lock.write(record('a'), undefined, never))
    assert.deepEqual([created.record, await lock.read(never)], [record('a'), created])
    const renewed = expectWritten(await lock.write(record('b', { leaseTransitions: 1 }), created.version, never))
    assert(BigInt(renewed.version) > BigInt(created.version))
    assert.deepEqual(new Set(requests.map(({ lane }) => lane)), new Set(['lease']))
    const stored = await api.get(Leases, KEY)
    assert(stored.kind === 'ok')
    assert.deepEqual(stored.object.metadata.labels, { app: 'db' })
    assert.deepEqual(Object.keys(stored.object.spec ?? {}).toSorted(), [
      'acquireTime',
      'holderIdentity',
      'leaseDurationSeconds',
      'leaseTransitions',
      'renewTime',
    ])
  })

  it('keeps what it does not know: labels, annotations, owners', async () => {
    const { lock, api } = open()
    const metadata = {
      ...KEY,
      labels: { theirs: 'yes' },
      annotations: { note: 'mine' },
      ownerReferences: [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'x', uid: 'u' }],
      finalizers: ['example.com/keep'],
    }
    await api.create(Leases, 'default', { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata })
    const read = await lock.read(never)
    assert(read !== 'absent')
    assert.deepEqual(read.record, { holderIdentity: '', leaseDurationSeconds: 0, leaseTransitions: 0 })
    expectWritten(await lock.write(record('a'), read.version, never))
    const stored = await api.get(Leases, KEY)
    assert(stored.kind === 'ok')
    const { labels, annotations, ownerReferences, finalizers } = stored.object.metadata as unknown as typeof metadata
    const { name: _name, namespace: _namespace, ...given } = metadata
    assert.deepEqual({ labels, annotations, ownerReferences, finalizers }, given)
  })

  it('replaces the whole of a record, drops what the new one has not, and keeps unknown fields of the spec', async () => {
    const { clock, server } = open()
    const sent: string[] = []
    const transport = server.transport()
    const send = async (request: TransportRequest) => {
      if (request.method === 'PUT') sent.push(request.body ?? '')
      const response = await transport.send(request)
      if (request.method !== 'GET') return response
      const chunks: Uint8Array[] = []
      for await (const chunk of response.body) chunks.push(chunk)
      const lease = JSON.parse(Buffer.concat(chunks).toString()) as { spec: object }
      const later = {
        ...lease,
        spec: { ...lease.spec, fieldOfTomorrow: 1, strategy: 'OldestEmulationVersion', preferredHolder: 'z' },
      }
      return {
        ...response,
        body: (async function* () {
          yield Buffer.from(JSON.stringify(later))
        })(),
      }
    }
    const lock = leaseLock(new Api({ send }, clock), { ...KEY, clock, random: () => 0.5 })
    expectWritten(await lock.write(record('a'), undefined, never))
    const read = await lock.read(never)
    assert(read !== 'absent')
    assert.deepEqual([read.record.strategy, read.record.preferredHolder], ['OldestEmulationVersion', 'z'])
    expectWritten(await lock.write(record('b'), read.version, never))
    assert.deepEqual((JSON.parse(sent[0] ?? '{}') as { spec: object }).spec, { fieldOfTomorrow: 1, ...record('b') })
  })

  it('answers conflict when another was faster: by version, by creation, by deletion, by deletion and creation', async () => {
    const { lock, other, api } = open()
    const first = expectWritten(await lock.write(record('a'), undefined, never))
    assert.equal(await other.write(record('b'), undefined, never), 'conflict')
    const second = expectWritten(await other.write(record('b'), first.version, never))
    assert.equal(await lock.write(record('a'), first.version, never), 'conflict')
    await lock.read(never)
    await api.delete(Leases, KEY)
    assert.equal(await lock.write(record('a'), second.version, never), 'conflict')
    assert.equal(await lock.read(never), 'absent', 'a write to a deleted Lease must not create it')
    await other.write(record('b'), undefined, never)
    assert.equal(await lock.write(record('a'), second.version, never), 'conflict')
    assert.equal((await api.get(Leases, KEY)).kind, 'ok')
  })

  it('writes over a version that it has forgotten by reading it again, if it still is there', async () => {
    const { lock, other } = open()
    const { version } = expectWritten(await lock.write(record('a'), undefined, never))
    const next = expectWritten(await other.write(record('b'), version, never))
    assert.equal(await other.write(record('c'), '1', never), 'conflict')
    assert.equal(expectWritten(await lock.write(record('c'), next.version, never)).record.holderIdentity, 'c')
  })

  it('reads nulls, as other electors leave them', async () => {
    const { lock, api } = open()
    const spec = {
      holderIdentity: null,
      leaseDurationSeconds: 10,
      acquireTime: null,
      renewTime: null,
      leaseTransitions: null,
    }
    await api.create(Leases, 'default', { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: KEY, spec })
    const read = await lock.read(never)
    assert(read !== 'absent')
    assert.deepEqual(read.record, { holderIdentity: '', leaseDurationSeconds: 10, leaseTransitions: 0 })
  })

  it('marks the Lease of a group in mode Assign as refused, and no other', async () => {
    const { lock, api } = open()
    for (const [mode, isRefused] of [
      ['Assign', true],
      ['Observe', false],
    ] as const) {
      const metadata = { ...KEY, annotations: { 'leadergroup.io/mode': mode } }
      await api.create(Leases, 'default', { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata })
      const read = await lock.read(never)
      assert(read !== 'absent')
      assert.equal(read.refused !== undefined, isRefused)
      await api.delete(Leases, KEY)
    }
  })

  it('tells what the server refuses and what it forbids', async () => {
    const { clock } = open()
    for (const [status, code] of [
      [422, 'invalid'],
      [429, 'unreachable'],
    ] as const) {
      const send = () => Promise.resolve({ status, headers: {}, body: (async function* () {})() })
      const lock = leaseLock(new Api({ send }, clock), { ...KEY, clock, random: () => 0.5 })
      await assert.rejects(lock.read(never), (error) => error instanceof ElectionError && error.code === code)
    }
  })

  it('takes a Lease that is gone for a conflict, also from a server that says so', async () => {
    const { clock, server } = open()
    const transport = server.transport()
    const send = (request: TransportRequest) =>
      request.method === 'PUT'
        ? Promise.resolve({ status: 404, headers: {}, body: goneStatus() })
        : transport.send(request)
    async function* goneStatus(): AsyncGenerator<Uint8Array> {
      yield Buffer.from(JSON.stringify({ kind: 'Status', code: 404, reason: 'NotFound' }))
    }
    const lock = leaseLock(new Api({ send }, clock), { ...KEY, clock, random: () => 0.5 })
    const { version } = expectWritten(await lock.write(record('a'), undefined, never))
    assert.equal(await lock.write(record('b'), version, never), 'conflict')
  })

  it('watches its own Lease only, from its present state on, and ends when told', async () => {
    const { lock, other, clock, api } = open()
    await api.create(Leases, 'default', {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { namespace: 'default', name: 'another' },
    })
    const abort = new AbortController()
    const seen: string[] = []
    const watching = (async () => {
      for await (const found of lock.watch?.(abort.signal) ?? []) {
        seen.push(found === 'absent' ? found : found.record.holderIdentity)
      }
    })()
    await clock.settle()
    const { version } = expectWritten(await other.write(record('a'), undefined, never))
    await clock.settle()
    await other.write(record('b'), version, never)
    await clock.settle()
    await api.delete(Leases, KEY)
    await clock.settle()
    assert.deepEqual(seen, ['absent', 'a', 'b', 'absent'])
    abort.abort()
    await clock.settle()
    await watching
    assert.equal(clock.nextTimerAt(), undefined)
  })
})

function expectWritten(outcome: Versioned | 'conflict'): Versioned {
  assert(outcome !== 'conflict')
  return outcome
}

function open() {
  const clock = new VirtualClock()
  const server = new ApiServer(clock)
  const requests: TransportRequest[] = []
  const transport = server.transport()
  const api = new Api({ send: (request) => (requests.push(request), transport.send(request)) }, clock)
  const options = { ...KEY, clock, random: () => 0.5 }
  const lock = leaseLock(api, { ...options, labels: { app: 'db' } })
  return { clock, server, api, lock, requests, other: leaseLock(api, options) }
}
