import { readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { compile } from 'json-schema-to-typescript'
import { format, resolveConfig } from 'prettier'
import { parse } from 'yaml'

/** Where the types go. */
export const TYPES_FILE = fileURLToPath(new URL('../src/group/leadergroup.ts', import.meta.url))
const CRD_FILE = fileURLToPath(new URL('../crds/leadergroup.yaml', import.meta.url))

const LINE_WIDTH = 120

const BANNER = `/*
 * Generated from crds/leadergroup.yaml by \`npm run generate\`: change it there. Bounds and the rules between fields are
 * the CRD's alone; what the API server returns has passed them.
 */
import type { ObjectMeta } from '../kube/objects.ts'
`

/** The interface that each object of the schema becomes, by its path; `[]` stands for the items of a list. */
const INTERFACE_NAMES: Readonly<Record<string, string>> = {
  '': 'LeaderGroup',
  '.spec': 'LeaderGroupSpec',
  '.spec.selector': 'LeaderGroupSelector',
  '.spec.selector.matchExpressions[]': 'LeaderGroupSelectorRequirement',
  '.spec.failover': 'LeaderGroupFailover',
  '.spec.services[]': 'LeaderGroupService',
  '.spec.services[].ports[]': 'LeaderGroupServicePort',
  '.spec.services[].metadata': 'LeaderGroupServiceMetadata',
  '.status': 'LeaderGroupStatus',
  '.status.conditions[]': 'LeaderGroupCondition',
  '.status.history[]': 'LeaderGroupHistoryEntry',
}

/** The part of OpenAPI v3 that a structural schema of ours uses. */
interface Schema {
  readonly type?: string
  readonly description?: string
  readonly enum?: readonly string[]
  readonly required?: readonly string[]
  readonly properties?: Readonly<Record<string, Schema>>
  readonly additionalProperties?: Schema
  readonly items?: Schema
  readonly 'x-kubernetes-int-or-string'?: boolean
}

/** The TypeScript source of the types of `crd` (YAML), formatted. */
export async function generateTypes(crd: string): Promise<string> {
  const types = await compile(nameObjects(schemaOf(crd)), 'LeaderGroup', {
    additionalProperties: false,
    bannerComment: BANNER,
    format: false,
    ignoreMinAndMaxItems: true,
  })
  const formatted = await format(asReadonly(types), { ...(await resolveConfig(TYPES_FILE)), filepath: TYPES_FILE })
  return layOut(formatted)
}

export function readCrd(): Promise<string> {
  return readFile(CRD_FILE, 'utf8')
}

function schemaOf(crd: string): Schema {
  const { spec } = parse(crd) as {
    spec: { versions: { storage: boolean; schema: { openAPIV3Schema: Schema } }[] }
  }
  const stored = spec.versions.find((version) => version.storage)
  if (!stored) throw new Error(`${CRD_FILE}: no version has storage: true`)
  return stored.schema.openAPIV3Schema
}

/** Copies what matters for types, with a title on each object: else the compiler inlines it or numbers its name. */
function nameObjects(schema: Schema, path = ''): object {
  if (path === '.metadata') return { tsType: 'ObjectMeta' }
  const { type, required, additionalProperties, items } = schema
  // The strings of a list have no comment of their own; that of the list says enough.
  const description = schema.properties || !path.endsWith('[]') ? schema.description : undefined
  const properties = Object.entries(schema.properties ?? {}).map(
    ([name, property]) => [name, nameObjects(property, `${path}.${name}`)] as const,
  )
  return {
    ...(type && { type }),
    ...(schema['x-kubernetes-int-or-string'] && { tsType: 'number | string' }),
    ...(description && { description }),
    ...(schema.enum && { enum: schema.enum }),
    ...(schema.properties && { title: interfaceName(path), properties: Object.fromEntries(properties) }),
    // The API server never returns an object without metadata.
    ...((required || path === '') && { required: [...(required ?? []), ...(path === '' ? ['metadata'] : [])] }),
    ...(additionalProperties && { tsType: `Readonly<Record<string, ${additionalProperties.type}>>` }),
    ...(items && { items: nameObjects(items, `${path}[]`) }),
  }
}

function interfaceName(path: string): string {
  const name = INTERFACE_NAMES[path]
  if (!name) throw new Error(`The schema has a new object at "${path}": name its interface in INTERFACE_NAMES`)
  return name
}

/** Objects from the API server are shared through the cache, so nobody may change them in place. */
function asReadonly(types: string): string {
  return types.replace(/^( *)(\w+\??): /gm, '$1readonly $2: ').replace(/: (\w+\[\])/g, ': readonly $1')
}

/** Comments wrapped, one line where they fit, and a blank line before each interface. */
function layOut(types: string): string {
  return types
    .replace(/^( *)\/\*\*\n([^]*?)\*\//gm, (_, indent: string, body: string) => {
      const words = body.replace(/^ *\*/gm, '').trim().split(/\s+/)
      const lines = wrapWords(words, LINE_WIDTH - `${indent} * `.length)
      const [only] = lines
      if (lines.length === 1 && only && `${indent}/** ${only} */`.length <= LINE_WIDTH) return `${indent}/** ${only} */`
      return [`${indent}/**`, ...lines.map((line) => `${indent} * ${line}`), `${indent} */`].join('\n')
    })
    .replace(/^}\n(?=\/\*\*)/gm, '}\n\n')
}

function wrapWords(words: readonly string[], width: number): string[] {
  const lines: string[] = []
  for (const word of words) {
    const line = lines.at(-1)
    if (line === undefined || line.length + 1 + word.length > width) lines.push(word)
    else lines[lines.length - 1] = `${line} ${word}`
  }
  return lines
}

if (import.meta.main) await writeFile(TYPES_FILE, await generateTypes(await readCrd()))
