import type { ResourceType } from './resource-types.ts'
import { badRequest } from './status-error.ts'
import { fieldAt, type StoredObject } from './stored-object.ts'

export type Selects = (object: StoredObject) => boolean
type Labels = Readonly<Record<string, string>>
type Requirement = (labels: Labels) => boolean

const KEY = String.raw`[A-Za-z0-9](?:[-A-Za-z0-9_./]*[A-Za-z0-9])?`
const VALUE = String.raw`(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?)?`
const EXISTS = new RegExp(String.raw`^(!?)\s*(${KEY})$`)
const EQUALITY = new RegExp(String.raw`^(${KEY})\s*(==|=|!=)\s*(${VALUE})$`)
const SET = new RegExp(String.raw`^(${KEY})\s+(in|notin)\s*\(\s*(${VALUE}(?:\s*,\s*${VALUE})*)\s*\)$`)

/** `a=b,c!=d,e in (f,g),h notin (i),j,!k`. As in Kubernetes, `!=` and `notin` also select what has no such label. */
export function parseLabelSelector(selector: string): Selects {
  const requirements = splitRequirements(selector).map(parseRequirement)
  return (object) => requirements.every((matches) => matches(object.metadata.labels ?? {}))
}

function splitRequirements(selector: string): string[] {
  // A comma inside parentheses separates values.
  return selector.trim() === '' ? [] : selector.split(/,(?![^(]*\))/).map((part) => part.trim())
}

function parseRequirement(text: string): Requirement {
  const exists = EXISTS.exec(text)
  if (exists !== null) {
    const [, not, key = ''] = exists
    return (labels) => Object.hasOwn(labels, key) === (not === '')
  }
  const equality = EQUALITY.exec(text)
  if (equality !== null) {
    const [, key = '', operator, value = ''] = equality
    return oneOf(key, [value], operator !== '!=')
  }
  const set = SET.exec(text)
  if (set === null) throw badRequest(`unable to parse requirement: ${JSON.stringify(text)}`)
  const [, key = '', operator, values = ''] = set
  return oneOf(key, values.split(/\s*,\s*/), operator === 'in')
}

function oneOf(key: string, values: readonly string[], wanted: boolean): Requirement {
  return (labels) => (Object.hasOwn(labels, key) && values.includes(labels[key] ?? '')) === wanted
}

/** `metadata.name=a,spec.nodeName!=b`, on the fields that the type can be selected by. */
export function parseFieldSelector(type: ResourceType, selector: string): Selects {
  const requirements = splitRequirements(selector).map((text) => parseFieldRequirement(type, text))
  return (object) => requirements.every((matches) => matches(object))
}

function parseFieldRequirement(type: ResourceType, text: string): Selects {
  const [, path = '', operator, value] = /^([^=!]+)(==|=|!=)(.*)$/.exec(text) ?? []
  if (operator === undefined) throw badRequest(`invalid selector: '${text}'; can't understand '${text}'`)
  const known = ['metadata.name', 'metadata.namespace', ...type.selectableFields]
  if (!known.includes(path)) {
    const names = known.map((name) => JSON.stringify(name)).join(', ')
    throw badRequest(`${JSON.stringify(path)} is not a known field selector: only ${names}`)
  }
  return (object) => (textOf(fieldAt(object, path)) === value) === (operator !== '!=')
}

/** An absent field is selected by the empty value. */
function textOf(value: unknown): string {
  if (typeof value === 'string') return value
  return value === undefined || value === null ? '' : JSON.stringify(value)
}
