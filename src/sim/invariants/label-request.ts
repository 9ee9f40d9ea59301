import type { Asked } from './facts.ts'
import { groupOf, readTerm } from './wire.ts'

/** A process asks to label a pod as the leader of a term. */
export interface LabelRequest {
  /** `<namespace>/<name>` of the group. */
  readonly group: string
  readonly pod: string
  readonly uid: string | undefined
  readonly term: number | undefined
}

interface PodPatch {
  readonly metadata?: {
    readonly labels?: Readonly<Record<string, string | null>>
    readonly annotations?: Readonly<Record<string, string | null>>
  }
}

/** Undefined: it asks for something else. */
export function labelRequest({ resource, verb, namespace, name, uid, body }: Asked): LabelRequest | undefined {
  if (resource !== 'pods' || verb !== 'patch' || name === undefined) return undefined
  const patch: PodPatch | undefined = body
  const { labels = {}, annotations = {} } = patch?.metadata ?? {}
  for (const [key, value] of Object.entries(labels)) {
    const group = value === 'leader' ? groupOf(key) : undefined
    if (group === undefined) continue
    const term = readTerm(annotations[`${group}.leadergroup.io/term`] ?? undefined)
    return { group: `${namespace}/${group}`, pod: name, uid, term }
  }
  return undefined
}
