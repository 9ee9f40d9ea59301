import { strict as assert } from 'node:assert'
import type { LeaseRecord } from '../election/record.ts'
import { formatLeader, parseLeader } from './leader-annotation.ts'

const RECORD: LeaseRecord = {
  holderIdentity: 'a',
  leaseDurationSeconds: 15,
  acquireTime: '2026-11-21T05:17:25.123456Z',
  renewTime: '2026-11-21T05:17:27.000001Z',
  leaseTransitions: 3,
}

const NOTHING = { holderIdentity: '', leaseDurationSeconds: 0, leaseTransitions: 0 }

const ROWS: readonly (readonly [what: string, text: string, record: LeaseRecord | undefined])[] = [
  [
    'what client-go writes',
    '{"holderIdentity":"a","leaseDurationSeconds":15,"acquireTime":"2026-11-21T05:17:25Z",' +
      '"renewTime":"2026-11-21T05:17:27Z","leaderTransitions":3}',
    { ...RECORD, acquireTime: '2026-11-21T05:17:25Z', renewTime: '2026-11-21T05:17:27Z' },
  ],
  [
    'what client-go releases',
    '{"holderIdentity":"","leaseDurationSeconds":1,"acquireTime":null,"renewTime":null,"leaderTransitions":3}',
    { holderIdentity: '', leaseDurationSeconds: 1, leaseTransitions: 3 },
  ],
  ['nothing at all', '{}', NOTHING],
  ['nulls', '{"holderIdentity":null,"leaseDurationSeconds":null,"leaderTransitions":null}', NOTHING],
  ['no JSON', 'db-1', undefined],
  ['an empty text', '', undefined],
  ['a list', '[]', undefined],
  ['null', 'null', undefined],
  ['a holder that is no text', '{"holderIdentity":1}', undefined],
  ['a duration that is no number', '{"leaseDurationSeconds":"15s"}', undefined],
  ['a fraction of a term', '{"leaderTransitions":1.5}', undefined],
]

describe('leader annotation', () => {
  for (const [what, text, record] of ROWS) {
    it(`reads ${what}`, () => assert.deepEqual(parseLeader(text), record))
  }

  it('writes client-go’s names in its order, and reads them back', () => {
    const text = formatLeader(RECORD, undefined)
    assert.equal(
      text,
      '{"holderIdentity":"a","leaseDurationSeconds":15,"acquireTime":"2026-11-21T05:17:25.123456Z",' +
        '"renewTime":"2026-11-21T05:17:27.000001Z","leaderTransitions":3}',
    )
    assert.deepEqual(parseLeader(text), RECORD)
  })

  it('keeps what it does not know, and drops what the new record has not', () => {
    const before = JSON.stringify({ ...RECORD, fieldOfTomorrow: { a: 1 }, strategy: 's', preferredHolder: 'z' })
    const after = JSON.parse(formatLeader({ ...NOTHING, leaseDurationSeconds: 1 }, before)) as Record<string, unknown>
    assert.deepEqual(
      [after['fieldOfTomorrow'], after['holderIdentity'], after['acquireTime'], after['strategy']],
      [{ a: 1 }, '', null, undefined],
    )
    assert.equal('preferredHolder' in after, false)
  })

  it('overwrites what is no record', () => {
    assert.deepEqual(parseLeader(formatLeader(RECORD, 'nonsense')), RECORD)
  })
})
