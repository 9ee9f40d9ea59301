import assert from 'node:assert/strict'
import { Api } from '../kube/api.ts'
import { Leases, type Resource, type Lease } from '../kube/objects.ts'
import { ApiServer } from '../sim/apiserver.ts'
import { VirtualClock } from '../sim/clock.ts'
import { listAll } from './list-all.ts'

const NEVER = new AbortController().signal

describe('listAll', () => {
  const clock = new VirtualClock()
  const server = new ApiServer(clock)
  const paths: string[] = []
  const api = new Api(server.transport({ before: ({ path }) => (paths.push(path), Promise.resolve(undefined)) }), clock)

  before(async () => {
    for (let i = 0; i < 501; i++) {
      const metadata = { name: `lease-${i}` }
      await api.create(Leases, i === 0 ? 'other' : 'shop', {
        apiVersion: 'coordination.k8s.io/v1',
        kind: 'Lease',
        metadata,
      })
    }
  })
  beforeEach(() => (paths.length = 0))

  it('reads page by page, in all namespaces or in one', async () => {
    assert.equal((await listAll(api, Leases, undefined, NEVER))?.length, 501)
    assert.equal(paths.length, 2)
    const names = (await listAll(api, Leases, 'shop', NEVER))?.map(({ metadata }) => metadata.name)
    assert.deepEqual([names?.length, new Set(names).size, names?.includes('lease-0')], [500, 500, false])
  })

  it('keeps of each object what it is told to', async () => {
    const keep = ({ metadata }: Lease): Lease => ({ metadata })
    const [first] = (await listAll(api, Leases, 'other', NEVER, keep)) ?? []
    assert.deepEqual(Object.keys(first!), ['metadata'])
  })

  it('tells a type that the server does not know from an empty list', async () => {
    const unknown: Resource<Lease> = { ...Leases, plural: 'nothings' }
    const refusing = new Api(
      { send: () => Promise.resolve({ status: 404, headers: {}, body: new Blob(['404 page not found\n']).stream() }) },
      clock,
    )
    assert.equal(await listAll(refusing, unknown, 'shop', NEVER), undefined)
    assert.deepEqual(await listAll(api, Leases, 'empty', NEVER), [])
  })

  it('rejects with a refusal', async () => {
    const expired = new Api(
      { send: () => Promise.resolve({ status: 410, headers: {}, body: new Blob(['{}']).stream() }) },
      clock,
    )
    await assert.rejects(listAll(expired, Leases, 'shop', NEVER), { name: 'ApiError', reason: 'expired' })
  })
})
