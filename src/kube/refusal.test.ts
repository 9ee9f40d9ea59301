import assert from 'node:assert/strict'
import { ApiError } from './outcome.ts'
import { readRefusal } from './refusal.ts'

/** `kind`, with its wait when throttled; or `!status reason` for a fault. */
function read(status: number, body: unknown, headers: Record<string, string> = {}): string {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  const refusal = readRefusal('PUT /x', { status, headers }, text)
  if (refusal instanceof ApiError) return `!${refusal.status} ${refusal.reason}`
  return refusal.kind === 'throttled' ? `throttled ${refusal.retryAfterMillis}` : refusal.kind
}

const uidCause = { details: { causes: [{ reason: 'FieldValueInvalid', field: 'metadata.uid', message: 'immutable' }] } }
const otherCause = { details: { causes: [{ field: 'spec.leaseDurationSeconds' }] } }

describe('refusal', () => {
  const rows: readonly [string, number, unknown, Record<string, string>?][] = [
    ['invalid', 400, { reason: 'BadRequest' }],
    ['notFound', 404, { reason: 'NotFound' }],
    ['notFound', 404, '404 page not found'],
    ['conflict', 409, { reason: 'Conflict' }],
    ['exists', 409, { reason: 'AlreadyExists' }],
    ['conflict', 409, ''],
    ['expired', 410, { reason: 'Expired' }],
    ['expired', 410, { reason: 'Gone' }],
    ['conflict', 422, { reason: 'Invalid', ...uidCause }],
    ['invalid', 422, { reason: 'Invalid', ...otherCause }],
    ['invalid', 422, { reason: 'Invalid' }],
    ['throttled 3000', 429, {}, { 'retry-after': '3' }],
    ['throttled 3000', 429, { details: { retryAfterSeconds: 9 } }, { 'retry-after': '3' }],
    ['throttled 9000', 429, { details: { retryAfterSeconds: 9 } }],
    ['throttled 9000', 429, { details: { retryAfterSeconds: 9 } }, { 'retry-after': 'Sat, 21 Nov 2026 12:00:00 GMT' }],
    ['throttled 1000', 429, ''],
    ['throttled 1000', 429, { details: { retryAfterSeconds: 0 } }],
    ['throttled 2000', 500, {}, { 'retry-after': '2' }],
    ['throttled 2000', 503, {}, { 'retry-after': '2' }],
    ['!500 InternalError', 500, { reason: 'InternalError' }],
    ['!503 ServiceUnavailable', 503, '<html>'],
    ['!401 Unauthorized', 401, { reason: 'Unauthorized' }],
    ['!403 Forbidden', 403, { reason: 'Forbidden' }],
    ['!504 Timeout', 504, { reason: 'Timeout' }, { 'retry-after': '2' }],
    ['!405 MethodNotAllowed', 405, { reason: 'MethodNotAllowed' }],
    ['!302 Unexpected', 302, ''],
    ['!418 Unexpected', 418, 'null'],
  ]
  for (const [expected, status, body, headers] of rows) {
    it(`${status} ${JSON.stringify(body)} ${JSON.stringify(headers ?? {})}: ${expected}`, () => {
      assert.equal(read(status, body, headers), expected)
    })
  }

  it('says which request was refused and what the server said', () => {
    const forbidden = readRefusal('PUT /x', { status: 403, headers: {} }, '{"reason":"Forbidden","message":"no, you"}')
    assert.ok(forbidden instanceof ApiError)
    assert.equal(forbidden.message, 'PUT /x: 403 Forbidden: no, you')
    const conflict = readRefusal('PUT /x', { status: 409, headers: {} }, '{"message":"was modified"}')
    assert.deepEqual(conflict, { kind: 'conflict', message: 'PUT /x: was modified' })
  })

  it('quotes only the start of an answer that is no Status', () => {
    const gateway = readRefusal('GET /x', { status: 502, headers: {} }, `<html>${'x'.repeat(10_000)}`)
    assert.ok(gateway instanceof ApiError)
    assert.ok(gateway.message.includes('<html>xxx') && gateway.message.length < 300)
  })
})
