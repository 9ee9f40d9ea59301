import assert from 'node:assert/strict'
import type { Lease, ObjectMeta, Pod } from '../../src/kube/objects.ts'
import { OPERATOR_USER } from '../operator-process.ts'
import type { AuditEvent } from './audit-events.ts'
import { judged } from './judgement.ts'
import type { Seen } from './witness.ts'

const NAMESPACE = 'chaos'

const metadata = (name: string, version: number): ObjectMeta => ({
  namespace: NAMESPACE,
  name,
  uid: `uid-of-${name}`,
  resourceVersion: String(version),
})
const pod = (version: number): Pod => ({ metadata: metadata('db-0', version) })
const lease = (version: number, leaseTransitions: number): Lease => ({
  metadata: metadata('db', version),
  spec: { holderIdentity: 'db-0', leaseTransitions },
})

const podMade: Seen = {
  atMillis: 5,
  before: undefined,
  change: { kind: 'pod', gone: false, version: 5, object: pod(5) },
}
const leaseWritten: Seen = {
  atMillis: 6,
  before: lease(4, 1),
  change: { kind: 'lease', gone: false, version: 6, object: lease(6, 2) },
}

/** What the operator is accused of, if the log knows that it did it. */
function accusations(seen: Seen, isLogged: boolean): readonly string[] {
  const event: AuditEvent = {
    verb: 'create',
    user: { username: OPERATOR_USER },
    requestReceivedTimestamp: '2026-01-01T00:00:00.000000Z',
    stageTimestamp: '2026-01-01T00:00:00.000000Z',
    stage: 'ResponseComplete',
  }
  return judged({
    namespace: NAMESPACE,
    groups: [],
    history: [seen],
    writes: new Map(isLogged ? [[seen.change.version, event]] : []),
    beliefs: [],
    millis: () => 1,
  }).map(({ rule, text }) => `${rule}: ${text}`)
}

describe('the judge of a run', () => {
  it('accuses an operator of a pod that the log says it made', () => {
    assert.ok(accusations(podMade, true).some((text) => text === 'I12: operator made a pod'))
  })
  it('accuses nobody of a pod whose making was not logged', () => {
    assert.deepEqual(accusations(podMade, false), [])
  })
  it('takes a write of a gate that was not logged for one that names what it followed', () => {
    assert.deepEqual(
      accusations(leaseWritten, false).filter((text) => text.startsWith('I7')),
      [],
    )
  })
})
