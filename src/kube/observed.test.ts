import { strict as assert } from 'node:assert'
import { VirtualClock } from '../sim/clock.ts'
import { observedTransport } from './observed.ts'
import type { Transport, TransportRequest, TransportResponse } from './transport.ts'

const request: TransportRequest = { method: 'GET', path: '/api/v1/pods', signal: new AbortController().signal }
const response: TransportResponse = { status: 409, headers: {}, body: (async function* () {})() }

describe('observedTransport', () => {
  const cases: readonly [string, () => Promise<TransportResponse>, number | string][] = [
    ['a response, whatever its status', () => Promise.resolve(response), 409],
    ['an error', () => Promise.reject(new Error('connection refused')), 'connection refused'],
    // oxlint-disable-next-line typescript/prefer-promise-reject-errors
    ['something thrown that is no Error', () => Promise.reject('gone'), 'gone'],
  ]
  for (const [what, answer, expected] of cases) {
    it(`reports and passes on ${what}`, async () => {
      const clock = new VirtualClock()
      const seen: unknown[] = []
      const slow: Transport = {
        send: () => new Promise((resolve) => clock.timer(250, () => resolve(answer()))),
      }
      const observed = observedTransport(slow, clock, (sent, result, seconds) => {
        seen.push([sent, result instanceof Error ? result.message : result, seconds])
      })
      const sent = observed.send(request).then(
        (got) => got.status,
        (error: unknown) => (error instanceof Error ? error.message : error),
      )
      await clock.advance(250)
      assert.equal(await sent, expected)
      assert.deepEqual(seen, [[request, expected, 0.25]])
    })
  }
})
