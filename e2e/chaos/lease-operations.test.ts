import assert from 'node:assert/strict'
import { whyNotLinearizable } from '../../src/sim/invariants/linearizable.ts'
import type { AuditEvent } from './audit-events.ts'
import { leaseOperations } from './lease-operations.ts'
import type { Seen } from './witness.ts'

/** `received` to `answered`, in milliseconds. */
function asked(
  verb: string,
  received: number,
  answered: number,
  code: number,
  version?: number,
  expected?: number,
): AuditEvent {
  const rv = (value: number | undefined): object =>
    value === undefined ? {} : { metadata: { resourceVersion: String(value) } }
  return {
    verb,
    user: { username: 'somebody' },
    stage: 'ResponseComplete',
    responseStatus: { code },
    requestObject: rv(expected),
    responseObject: rv(version),
    requestReceivedTimestamp: String(received),
    stageTimestamp: String(answered),
  }
}

function seen(version: number, atMillis: number, before?: number): Seen {
  const lease = (at: number) => ({ metadata: { name: 'db', uid: 'u', resourceVersion: String(at) } })
  const change = { kind: 'lease', version, gone: false, object: lease(version) } as const
  return { change, before: before === undefined ? undefined : lease(before), atMillis }
}

const why = (events: readonly AuditEvent[], changes: readonly Seen[]): string | undefined =>
  whyNotLinearizable({ operations: leaseOperations(events, changes, Number), initial: 'absent' })

describe('the requests about a Lease', () => {
  const created = asked('create', 0, 10, 201, 5)
  const updated = asked('update', 20, 30, 200, 6, 5)

  it('are explained by a server that does one after the other', () => {
    const events = [created, updated, asked('get', 25, 40, 200, 6), asked('update', 31, 35, 409, undefined, 5)]
    assert.equal(why(events, [seen(5, 12), seen(6, 33, 5)]), undefined)
  })

  it('are not explained when a read shows what had been replaced before it was asked', () => {
    assert.match(why([created, updated, asked('get', 40, 50, 200, 5)], [seen(5, 12), seen(6, 33, 5)]) ?? '', /5/)
  })

  it('are not explained when a write that fitted is refused', () => {
    assert.ok(why([created, asked('update', 15, 18, 409, undefined, 5), updated], [seen(5, 12), seen(6, 33, 5)]))
  })

  it('are explained with what the store shows and the log lost', () => {
    assert.equal(why([created, asked('get', 40, 50, 200, 6)], [seen(5, 12), seen(6, 33, 5)]), undefined)
  })

  it('are passed over when they were refused before anybody looked', () => {
    assert.equal(
      why([created, asked('update', 11, 12, 403, undefined, 5), updated], [seen(5, 12), seen(6, 33, 5)]),
      undefined,
    )
  })
})
