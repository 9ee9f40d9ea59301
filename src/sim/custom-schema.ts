import { readFileSync } from 'node:fs'
import { parse } from 'yaml'

/** What of a structural schema changes objects: which fields there are, and their defaults. */
export interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>
  readonly additionalProperties?: Schema | boolean
  readonly items?: Schema
  readonly default?: unknown
  readonly nullable?: boolean
  readonly 'x-kubernetes-preserve-unknown-fields'?: boolean
}

interface Crd {
  readonly spec: {
    readonly versions: readonly {
      readonly name: string
      readonly schema: { readonly openAPIV3Schema: Schema }
      readonly selectableFields?: readonly { readonly jsonPath: string }[]
    }[]
  }
}

/** The schema and the selectable fields of a version of a CustomResourceDefinition's file. */
export function readCrd(file: URL, version: string): { schema: Schema; selectableFields: readonly string[] } {
  const { spec } = parse(readFileSync(file, 'utf8')) as Crd
  const served = spec.versions.find(({ name }) => name === version)
  if (served === undefined) throw new Error(`${file.pathname} has no version ${version}`)
  const selectableFields = (served.selectableFields ?? []).map(({ jsonPath }) => jsonPath.replace(/^\./, ''))
  return { schema: served.schema.openAPIV3Schema, selectableFields }
}

/**
 * Drops what the schema does not know, and fills in defaults, also within what was filled in. An absent object gets no
 * inner defaults unless it has one itself; a null is as good as absent, unless the field may be null.
 */
export function structured(schema: Schema, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || results.get(value) === schema) return value
  const result = withDefaults(schema, value)
  if (typeof result === 'object' && result !== null) results.set(result, schema)
  return result
}

/** What came out of it already: most of what is written was read before, and is as it was. */
const results = new WeakMap<object, Schema>()

function withDefaults(schema: Schema, value: object): unknown {
  if (schema['x-kubernetes-preserve-unknown-fields']) return value
  if (Array.isArray(value)) return value.map((item) => structured(schema.items ?? {}, item))
  const { properties = {}, additionalProperties } = schema
  const result: Record<string, unknown> = {}
  for (const [key, inner] of Object.entries(value) as [string, unknown][]) {
    const known = Object.hasOwn(properties, key) ? properties[key] : additionalProperties
    if (known === undefined || known === false) continue
    if (inner === null && known !== true && !known.nullable) continue
    result[key] = known === true ? inner : structured(known, inner)
  }
  for (const [key, property] of Object.entries(properties)) {
    if (property.default === undefined || key in result) continue
    result[key] = structured(property, structuredClone(property.default))
  }
  return result
}
