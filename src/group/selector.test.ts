import assert from 'node:assert/strict'
import { matches, type LabelSelector } from './selector.ts'

type Row = readonly [LabelSelector, Readonly<Record<string, string>> | undefined, boolean]

const needs = (key: string, operator: string, ...values: string[]): LabelSelector => ({
  matchExpressions: [{ key, operator, values }],
})
const labels = (json: string): Readonly<Record<string, string>> => JSON.parse(json) as Record<string, string>

const ROWS: readonly Row[] = [
  [{}, { app: 'db' }, false],
  [{ matchLabels: {}, matchExpressions: [] }, { app: 'db' }, false],
  [{ matchLabels: { app: 'db' } }, { app: 'db', more: 'x' }, true],
  [{ matchLabels: { app: 'db' } }, { app: 'DB' }, false],
  [{ matchLabels: { app: 'db' } }, {}, false],
  [{ matchLabels: { app: 'db' } }, undefined, false],
  [{ matchLabels: { app: '' } }, { app: '' }, true],
  [{ matchLabels: { app: '' } }, {}, false],
  [{ matchLabels: { app: 'db', tier: 'x' } }, { app: 'db' }, false],
  [needs('app', 'In', 'a', 'b'), { app: 'b' }, true],
  [needs('app', 'In', 'a', 'b'), { app: 'c' }, false],
  [needs('app', 'In', 'a'), {}, false],
  [needs('app', 'In'), { app: 'a' }, false],
  [needs('app', 'NotIn', 'a'), { app: 'b' }, true],
  [needs('app', 'NotIn', 'a'), { app: 'a' }, false],
  [needs('app', 'NotIn', 'a'), {}, true],
  [needs('app', 'Exists'), { app: '' }, true],
  [needs('app', 'Exists'), {}, false],
  [needs('app', 'DoesNotExist'), {}, true],
  [needs('app', 'DoesNotExist'), { app: '' }, false],
  [needs('app', 'Gt', '1'), { app: '2' }, false],
  [needs('app', 'exists'), { app: '2' }, false],
  [{ matchLabels: { app: 'db' }, ...needs('x', 'Exists') }, { app: 'db' }, false],
  [{ matchLabels: { app: 'db' }, ...needs('x', 'Exists') }, { app: 'db', x: '' }, true],
  [needs('constructor', 'Exists'), {}, false],
  [needs('__proto__', 'Exists'), {}, false],
  [needs('__proto__', 'DoesNotExist'), {}, true],
  [needs('__proto__', 'In', 'a'), labels('{"__proto__":"a"}'), true],
  [{ matchLabels: labels('{"__proto__":"a"}') }, labels('{"__proto__":"a"}'), true],
  [{ matchLabels: labels('{"__proto__":"a"}') }, {}, false],
  [needs('hasOwnProperty', 'In', 'a'), { hasOwnProperty: 'a' }, true],
]

describe('selector', () => {
  for (const [selector, of, expected] of ROWS) {
    it(`${JSON.stringify(selector)} ${expected ? 'selects' : 'does not select'} ${JSON.stringify(of)}`, () =>
      assert.equal(matches(selector, of), expected))
  }
})
