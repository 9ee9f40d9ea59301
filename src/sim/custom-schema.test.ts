import { strict as assert } from 'node:assert'
import { structured, type Schema } from './custom-schema.ts'

const schema: Schema = {
  properties: {
    mode: { default: 'Assign' },
    maybe: { default: 'x', nullable: true },
    labels: { additionalProperties: {} },
    inner: { properties: { on: { default: true } } },
    filled: { default: {}, properties: { seconds: { default: 5 } } },
    ports: { items: { properties: { port: {}, protocol: { default: 'TCP' } } } },
    anything: { 'x-kubernetes-preserve-unknown-fields': true },
  },
}
const defaults = { mode: 'Assign', maybe: 'x', filled: { seconds: 5 } }

describe('structural schema', () => {
  for (const [what, given, expected] of [
    ['fills in defaults', {}, defaults],
    [
      'leaves what is given',
      { mode: 'Observe', filled: { seconds: 1 } },
      { ...defaults, mode: 'Observe', filled: { seconds: 1 } },
    ],
    ['takes null for absent, unless null is allowed', { mode: null, maybe: null }, { ...defaults, maybe: null }],
    ['drops a null that no default replaces', { inner: null, labels: null }, defaults],
    [
      'fills in within what is there, and within defaults',
      { inner: {}, filled: {} },
      { ...defaults, inner: { on: true } },
    ],
    ['fills in within items', { ports: [{ port: 1, x: 2 }] }, { ...defaults, ports: [{ port: 1, protocol: 'TCP' }] }],
    ['drops unknown fields, but of free maps', { x: 1, labels: { x: '1' } }, { ...defaults, labels: { x: '1' } }],
    ['keeps all where the schema says so', { anything: { a: [null] } }, { ...defaults, anything: { a: [null] } }],
  ] as const) {
    it(what, () => assert.deepEqual(structured(schema, given), expected))
  }

  it('does not hand out its own defaults', () => {
    const first = structured(schema, {}) as { filled: { seconds: number } }
    first.filled.seconds = 9
    assert.deepEqual(structured(schema, {}), defaults)
  })
})
