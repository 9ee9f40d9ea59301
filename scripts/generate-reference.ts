import { readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { format, resolveConfig } from 'prettier'
import { parse } from 'yaml'

/** Where the reference goes. */
export const REFERENCE_FILE = fileURLToPath(new URL('../docs/reference.md', import.meta.url))
const CRD_FILE = fileURLToPath(new URL('../crds/leadergroup.yaml', import.meta.url))

interface Schema {
  readonly type?: string
  readonly description?: string
  readonly default?: unknown
  readonly enum?: readonly string[]
  readonly required?: readonly string[]
  readonly properties?: Readonly<Record<string, Schema>>
  readonly additionalProperties?: Schema
  readonly items?: Schema
  readonly pattern?: string
  readonly minimum?: number
  readonly maximum?: number
  readonly minLength?: number
  readonly maxLength?: number
  readonly minItems?: number
  readonly maxItems?: number
  readonly maxProperties?: number
  readonly 'x-kubernetes-int-or-string'?: boolean
  readonly 'x-kubernetes-validations'?: readonly Rule[]
}

interface Rule {
  readonly message?: string
  readonly messageExpression?: string
}

interface Version {
  readonly name: string
  readonly schema: { readonly openAPIV3Schema: Schema }
  readonly selectableFields: readonly { readonly jsonPath: string }[]
  readonly additionalPrinterColumns: readonly Column[]
}

interface Column {
  readonly name: string
  readonly description: string
  readonly jsonPath: string
  readonly priority?: number
}

interface Definition {
  readonly spec: {
    readonly group: string
    readonly names: { readonly kind: string; readonly plural: string; readonly shortNames: readonly string[] }
    readonly versions: readonly Version[]
  }
}

/** The reference of the resource, from the CRD: fields, bounds, rules with their messages, columns. */
export async function generateReference(crd: string): Promise<string> {
  const { spec } = parse(crd) as Definition
  const { group, names } = spec
  const version = spec.versions[0]!
  const schema = version.schema.openAPIV3Schema
  const text = [
    '<!-- Generated from crds/leadergroup.yaml by `npm run generate`: change it there. -->',
    `# Reference: ${names.kind}`,
    `\`${group}/${version.name}\`, namespaced, \`kubectl get ${names.plural}\` or \`${names.shortNames.join('`, `')}\`. The ` +
      'same is in the cluster: `kubectl explain leadergroup.spec --recursive`.',
    schema.description ?? '',
    ...rulesOf(schema),
    ...sections(schema.properties?.['spec'], 'spec'),
    ...sections(schema.properties?.['status'], 'status'),
    '## Columns',
    'Of `kubectl get`; those marked *wide* with `-o wide`.',
    tableOf(
      ['Column', 'Field', 'What it says'],
      version.additionalPrinterColumns.map(({ name, jsonPath, description, priority }) => [
        `${name}${priority ? ' (*wide*)' : ''}`,
        `\`${jsonPath.replaceAll('|', '\\|')}\``,
        description,
      ]),
    ),
    '## Field selectors',
    'Of `kubectl get --field-selector`, beside `metadata.name` and `metadata.namespace`:',
    version.selectableFields.map(({ jsonPath }) => `- \`${jsonPath.slice(1)}\``).join('\n'),
  ].join('\n\n')
  const layout = await resolveConfig(REFERENCE_FILE)
  return format(text, { ...layout, proseWrap: 'always', filepath: REFERENCE_FILE })
}

/** One for the object, then one for each object in it. */
function sections(schema: Schema | undefined, path: string): readonly string[] {
  if (!schema) throw new Error(`${CRD_FILE}: there is no ${path}`)
  const properties = Object.entries(schema.properties ?? {})
  return [
    `## \`${path}\``,
    schema.description ?? '',
    properties.map(([name, field]) => inWords(name, field, schema.required?.includes(name))).join('\n'),
    ...rulesOf(schema, properties),
    ...properties.flatMap(([name, field]) => {
      if (field.properties) return sections(field, `${path}.${name}`)
      return field.items?.properties ? sections(field.items, `${path}.${name}[]`) : []
    }),
  ]
}

function typeOf(schema: Schema): string {
  if (schema['x-kubernetes-int-or-string']) return 'integer or string'
  if (schema.items) return `list of ${typeOf(schema.items)}s`
  if (schema.additionalProperties) return `map of ${typeOf(schema.additionalProperties)}s`
  return schema.type ?? 'any'
}

function inWords(name: string, field: Schema, required = false): string {
  const facts = [typeOf(field), ...(required ? ['required'] : []), ...bounds(field)]
  return `- **\`${name}\`** (${facts.join('; ')}): ${field.description ?? ''}`
}

function* bounds(schema: Schema): Iterable<string> {
  const { minimum, maximum, minLength, maxLength, minItems, maxItems, maxProperties, pattern } = schema
  if (schema.default !== undefined) yield `default \`${textOf(schema.default)}\``
  if (schema.enum) yield `one of ${schema.enum.map((each) => `\`${each}\``).join(', ')}`
  yield* range('', minimum, maximum)
  yield* range(' characters', minLength, maxLength)
  yield* range(' items', minItems, maxItems)
  yield* range(' keys', undefined, maxProperties)
  if (pattern !== undefined) yield `matches \`${pattern}\``
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function* range(unit: string, least: number | undefined, most: number | undefined): Iterable<string> {
  if (least !== undefined && most !== undefined) yield `${least} to ${most}${unit}`
  else if (least !== undefined) yield `at least ${least}${unit}`
  else if (most !== undefined) yield `at most ${most}${unit}`
}

/** What the server answers when a rule is broken: of the object, and of its fields that are no objects themselves. */
function rulesOf(schema: Schema, properties: readonly (readonly [string, Schema])[] = []): readonly string[] {
  const fields = properties.flatMap(([, field]) => (field.properties ? [] : withItems(field)))
  const messages = [schema, ...fields].flatMap((each) => each['x-kubernetes-validations'] ?? []).map(messageOf)
  if (messages.length === 0) return []
  return ['Refused, with these words:', [...new Set(messages)].map((message) => `- ${message}`).join('\n')]
}

function withItems(schema: Schema): readonly Schema[] {
  const { items, additionalProperties } = schema
  return [
    schema,
    ...(items && !items.properties ? [items] : []),
    ...(additionalProperties ? [additionalProperties] : []),
  ]
}

/** Of an expression only its texts are known; what it puts between them is shown as `…`. */
function messageOf({ message, messageExpression = '' }: Rule): string {
  if (message !== undefined) return message
  const pieces = [...messageExpression.matchAll(/"([^"]*)"|([^"]+)/g)].map(([, text, code = '']) => {
    if (text !== undefined) return text
    return /^[\s+]*$/.test(code) ? '' : '…'
  })
  return pieces.join('')
}

function tableOf(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n')
}

if (import.meta.main) await writeFile(REFERENCE_FILE, await generateReference(await readFile(CRD_FILE, 'utf8')))
