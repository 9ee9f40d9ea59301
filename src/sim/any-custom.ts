import * as fc from 'fast-check'
import { readCrd } from './custom-schema.ts'

/** What of an OpenAPI schema bounds a value. */
interface Schema {
  readonly type?: string
  readonly enum?: readonly string[]
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: Schema
  readonly items?: Schema
  readonly maxItems?: number
  readonly minItems?: number
  readonly maxProperties?: number
  readonly minLength?: number
  readonly maxLength?: number
  readonly minimum?: number
  readonly maximum?: number
  readonly format?: string
  readonly pattern?: string
  readonly 'x-kubernetes-int-or-string'?: boolean
  readonly 'x-kubernetes-list-map-keys'?: readonly string[]
}

/** What has a meaning somewhere, and what has one in JavaScript. */
const words = fc.constantFrom(
  'db',
  'db-0',
  'db-1',
  'app',
  'sql',
  'leader',
  'follower',
  'db.leadergroup.io/role',
  'leadergroup.io/group',
  '__proto__',
  'constructor',
  'toString',
)

const LEADER_GROUP = readCrd(new URL('../../crds/leadergroup.yaml', import.meta.url), 'v1alpha1').schema as Schema

/** Any spec that the schema of the LeaderGroup admits. Its CEL rules are not heeded: an older CRD may have had others. */
export const anySpec = valueOf(LEADER_GROUP.properties!['spec']!)

/** Any status that the schema admits, and its CEL rules, which nothing was ever stored against. */
export const anyStatus = valueOf(LEADER_GROUP.properties!['status']!).map((any) => {
  const { holder, holderUID, eligible, candidates = 0, history, ...status } = any as Status
  return {
    ...status,
    candidates,
    ...(holder !== undefined && holderUID !== undefined ? { holder, holderUID } : {}),
    ...(eligible !== undefined && eligible <= candidates ? { eligible } : {}),
    ...(history ? { history: history.map(ended) } : {}),
  }
})

interface Status {
  readonly holder?: string
  readonly holderUID?: string
  readonly eligible?: number
  readonly candidates?: number
  readonly history?: readonly Entry[]
}

interface Entry {
  readonly endTime?: string
  readonly reason?: string
}

function ended({ endTime, reason, ...entry }: Entry): Entry {
  return endTime !== undefined && reason !== undefined ? { ...entry, endTime, reason } : entry
}

/** Values that a schema admits, with its bounds among them; lists and maps are short. */
function valueOf(schema: Schema): fc.Arbitrary<unknown> {
  if (schema['x-kubernetes-int-or-string']) {
    return fc.oneof(fc.integer({ min: 1, max: 65_535 }), fc.constantFrom('sql', 'a', 'x'.repeat(15), 'http-2'))
  }
  if (schema.type === 'boolean') return fc.boolean()
  if (schema.type === 'integer') return integerOf(schema)
  if (schema.type === 'array') return arrayOf(schema)
  return schema.type === 'object' ? objectOf(schema) : textOf(schema)
}

function integerOf({ minimum = 0, maximum = 2 ** 53 - 2 }: Schema): fc.Arbitrary<number> {
  const near = fc.constantFrom(minimum, minimum + 1, maximum - 1, maximum)
  return fc.oneof(near, fc.integer({ min: minimum, max: Math.min(minimum + 20, maximum) }))
}

function arrayOf(schema: Schema): fc.Arbitrary<unknown[]> {
  const { items = {}, minItems = 0, maxItems = 3 } = schema
  const keys = schema['x-kubernetes-list-map-keys']
  const size = { minLength: minItems, maxLength: Math.min(maxItems, 3) }
  if (!keys) return fc.array(valueOf(items), size)
  const key = (value: unknown): string =>
    JSON.stringify(keys.map((name) => (value as Readonly<Record<string, unknown>>)[name]))
  return fc.uniqueArray(valueOf(items), { ...size, selector: key })
}

function objectOf({
  properties,
  required = [],
  additionalProperties,
  maxProperties = 4,
}: Schema): fc.Arbitrary<object> {
  if (!properties) {
    return fc
      .array(fc.tuple(words, valueOf(additionalProperties ?? {})), { maxLength: Math.min(maxProperties, 4) })
      .map((entries) => Object.fromEntries(entries))
  }
  const fields = Object.entries(properties).map(([name, property]) => [name, valueOf(property)] as const)
  return fc.record(Object.fromEntries(fields), { requiredKeys: [...required] })
}

function textOf({ enum: among, format, minLength = 0, maxLength = 63, pattern }: Schema): fc.Arbitrary<string> {
  if (among) return fc.constantFrom(...among)
  if (format === 'date-time') return fc.constantFrom('2026-01-01T00:01:30.000000Z', '1970-01-01T00:00:00Z')
  if (pattern) return fc.constantFrom('Ready', 'ServicesReady', 'Pending', 'A')
  const any = fc.string({ unit: 'grapheme', minLength, maxLength: Math.min(maxLength, 40) })
  return fc.oneof(
    { weight: 6, arbitrary: words },
    { weight: 1, arbitrary: any.filter((text) => text.length >= minLength && text.length <= maxLength) },
    { weight: 1, arbitrary: fc.constant('x'.repeat(Math.min(maxLength, 5_000))) },
  )
}
