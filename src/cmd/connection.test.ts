import assert from 'node:assert/strict'
import { ApiError } from '../kube/outcome.ts'
import { explained } from './connection.ts'

const where = { server: 'https://api:6443', source: 'context work' }

describe('explained', () => {
  const rows: readonly [string, { status?: number; reason: string }, RegExp][] = [
    [
      'no identity',
      { status: 401, reason: 'Unauthorized' },
      /^the API server https:\/\/api:6443 \(from context work\) does not accept these credentials: said$/,
    ],
    [
      'no permission',
      { status: 403, reason: 'Forbidden' },
      /^not permitted: said\. Ask for a role with this verb on this resource$/,
    ],
    ['a fault of the server', { status: 500, reason: 'InternalError' }, /answers: said$/],
    ['something that is no API server', { reason: 'Malformed' }, /answers: said$/],
    ['no server', { reason: 'Unreachable' }, /cannot be reached: said\. .*--kubeconfig or --context$/],
    ['a silent server', { reason: 'Timeout' }, /cannot be reached: said\./],
    ['a refusal', { reason: 'throttled' }, /^said$/],
  ]
  for (const [what, options, expected] of rows) {
    it(`tells of ${what}`, () => assert.match(explained(new ApiError('said', options), where).message, expected))
  }
})
