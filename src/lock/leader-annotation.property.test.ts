import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import type { LeaseRecord } from '../election/record.ts'
import { runs } from '../sim/runs.ts'
import { formatLeader, parseLeader } from './leader-annotation.ts'

const name = fc.constantFrom(
  'holderIdentity',
  'leaseDurationSeconds',
  'acquireTime',
  'renewTime',
  'leaderTransitions',
  'strategy',
  'preferredHolder',
  '__proto__',
  'x',
)
const value = fc.oneof(
  fc.constantFrom('a', '', '2026-01-01T00:00:00Z', null, 15, 0, -1, 1e300, 2 ** 53),
  fc.jsonValue(),
)
const object = fc
  .array(fc.tuple(name, value))
  .map((entries) => `{${entries.map(([key, of]) => `${JSON.stringify(key)}:${JSON.stringify(of)}`).join()}}`)
/** As an annotation may hold it: a record, one that has something wrong, or anything. */
const anyText = fc.oneof(object, fc.json(), fc.string())

const record: fc.Arbitrary<LeaseRecord> = fc.record(
  {
    holderIdentity: fc.string(),
    leaseDurationSeconds: fc.nat(),
    leaseTransitions: fc.nat(),
    acquireTime: fc.constantFrom('2026-01-01T00:00:00.000001Z'),
    renewTime: fc.constantFrom('2026-01-01T00:00:01Z'),
    strategy: fc.constantFrom('OldestEmulationVersion'),
    preferredHolder: fc.constantFrom('b'),
  },
  { requiredKeys: ['holderIdentity', 'leaseDurationSeconds', 'leaseTransitions'], noNullPrototype: true },
)

describe('a record in an annotation', () => {
  it('is read whatever the text is, or is none, and what is read is well formed', () => {
    let records = 0
    fc.assert(
      fc.property(anyText, (text) => {
        const found = parseLeader(text)
        if (!found) return
        records++
        assert.equal(typeof found.holderIdentity, 'string')
        assert.ok(Number.isSafeInteger(found.leaseDurationSeconds) && Number.isSafeInteger(found.leaseTransitions))
        for (const time of [found.acquireTime, found.renewTime])
          assert.ok(time === undefined || typeof time === 'string')
      }),
      runs(2000),
    )
    assert.ok(records > 0, 'there was never a record, so nothing was shown')
  })

  it('is read back as it was written, on top of whatever was there, and what nobody knows stays', () => {
    fc.assert(
      fc.property(record, fc.option(anyText, { nil: undefined }), (next, before) => {
        const text = formatLeader(next, before)
        assert.deepEqual(parseLeader(text), next)
        const kept = objectIn(before ?? '')
        const written = JSON.parse(text) as object
        for (const unknown of ['x', '__proto__']) {
          assert.equal(Object.hasOwn(written, unknown), Object.hasOwn(kept, unknown))
          if (Object.hasOwn(kept, unknown)) assert.deepEqual(valueIn(written, unknown), valueIn(kept, unknown))
        }
      }),
      runs(1000),
    )
  })
})

const valueIn = (object: object, name: string): unknown => Object.getOwnPropertyDescriptor(object, name)?.value

function objectIn(text: string): object {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {}
  } catch {
    // No JSON: there is nothing in it to keep.
    return {}
  }
}
