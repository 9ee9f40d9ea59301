import assert from 'node:assert/strict'
import { forbiddenMessage } from './forbidden.ts'

const USER = 'User "system:serviceaccount:a:b"'
const ROWS: readonly (readonly [string, string, RegExp])[] = [
  ['RBAC', `pods "db-0" is forbidden: ${USER} cannot patch resource "pods" in API group ""`, /: config\/rbac$/],
  [
    'a quota',
    'endpointslices "db" is forbidden: exceeded quota: none, requested: 1, limited: 0',
    /0\. That is a quota/,
  ],
  [
    'a policy',
    `pods "db-0" is forbidden: ValidatingAdmissionPolicy 'x' with binding 'x' denied request: pods cannot bear labels`,
    /admission policy, not RBAC/,
  ],
]

describe('what is forbidden', () => {
  for (const [by, said, expected] of ROWS) {
    it(`by ${by} says what to do`, () => assert.match(forbiddenMessage(said), expected))
  }
})
