import { strict as assert } from 'node:assert'
import { Api } from '../kube/api.ts'
import type { TransportRequest } from '../kube/transport.ts'
import { VirtualClock } from '../sim/clock.ts'
import { answered, type Answer } from '../sim/election-stage.ts'
import { newEventRecorder } from './event-recorder.ts'

const LEASE = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', namespace: 'shop', name: 'db' }
const found: Answer = { status: 200, body: JSON.stringify({ metadata: { uid: '6f0c', resourceVersion: '7' } }) }
const written: Answer = { status: 201, body: '{"metadata":{}}' }
const refused = (status: number): Answer => ({ status, body: '{}' })

/** Answers one request after the other. */
function recorder(...answers: Answer[]) {
  const clock = new VirtualClock()
  const requests: TransportRequest[] = []
  const send = (request: TransportRequest) => {
    requests.push(request)
    return Promise.resolve(answered(answers.shift()!))
  }
  const made = newEventRecorder(new Api({ send }, clock), { component: 'billing', clock })
  return { requests, record: (object = LEASE) => made.event(object, 'Normal', 'LeaderElection', 'a became leader') }
}

describe('an event recorder', () => {
  it('names the object with its UID, without which nobody finds the event', async () => {
    const { record, requests } = recorder(found, written)
    await record()
    assert.deepEqual(
      requests.map(({ method, path }) => `${method} ${path}`),
      ['GET /apis/coordination.k8s.io/v1/namespaces/shop/leases/db', 'POST /api/v1/namespaces/shop/events'],
    )
    const { involvedObject, type, reason, message, source, firstTimestamp } = JSON.parse(
      requests[1]!.body!,
    ) as Readonly<Record<string, unknown>>
    assert.deepEqual(involvedObject, { ...LEASE, uid: '6f0c' })
    assert.deepEqual(
      [type, reason, message, source],
      ['Normal', 'LeaderElection', 'a became leader', { component: 'billing' }],
    )
    // In whole seconds, which is all that the field takes.
    assert.match(String(firstTimestamp), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
  })

  it('writes nothing about what is gone', async () => {
    const body = JSON.stringify({ kind: 'Status', code: 404, reason: 'NotFound' })
    const { record, requests } = recorder({ status: 404, body })
    await record()
    assert.equal(requests.length, 1)
  })

  it('rejects with what the server says, for onError', async () => {
    await assert.rejects(recorder(found, refused(422)).record() as Promise<void>, /POST .*events/)
    await assert.rejects(recorder(refused(429)).record() as Promise<void>, /GET .*leases/)
    await assert.rejects(recorder(refused(403)).record() as Promise<void>, /403 Forbidden/)
    const pod = { ...LEASE, apiVersion: 'v1', kind: 'Pod' }
    await assert.rejects(recorder().record(pod) as Promise<void>, /Leases, ConfigMaps and Endpoints: this is a Pod/)
  })
})
