/** Short histories in which each line is a write: who, what, and what becomes of the object. */
import type { KubeObject } from '../../kube/objects.ts'
import type { Committed, Fact } from './facts.ts'
import { Judge, type JudgeOptions } from './judge.ts'
import { describeViolation } from './violation.ts'

/** One line of a story. What it makes depends on what is there. */
export type Line = (story: Story) => Fact

type Making = (before: Made | undefined) => Made | undefined
/** Loose on purpose: a test writes whatever a server may hold. */
export type Made = KubeObject & Readonly<Record<string, unknown>>

export const NAMESPACE = 'shop'
export const OPERATOR = 'operator-1'
export const GROUP_UID = 'group-uid'
export const LEASE_UID = 'lease-uid'
const MILLIS_PER_LINE = 10

/** Plays lines: keeps the store that they write to, the version and the time. */
export class Story {
  readonly #objects = new Map<string, Made>()
  version = 0
  at = 0

  readonly find = (resource: string, name: string): Made | undefined => this.#objects.get(`${resource}/${name}`)

  commit(resource: string, name: string, by: string | undefined, make: Making): Committed {
    const key = `${resource}/${name}`
    const before = this.#objects.get(key)
    const made = make(before)
    const version = ++this.version
    const after = made && { ...made, metadata: { ...made.metadata, resourceVersion: String(version) } }
    if (after) this.#objects.set(key, after)
    else this.#objects.delete(key)
    return {
      kind: 'committed',
      at: this.at,
      version,
      resource,
      ...(by === undefined ? {} : { by }),
      ...(before ? { before } : {}),
      ...(after ? { after } : {}),
    }
  }
}

export function facts(lines: readonly Line[]): readonly Fact[] {
  const story = new Story()
  return lines.map((line) => {
    story.at += MILLIS_PER_LINE
    return line(story)
  })
}

/** The rules that a story breaks, each with its text, in the order in which it breaks them. */
export function broken(lines: readonly Line[], options: JudgeOptions = {}): readonly string[] {
  const judge = new Judge(options)
  for (const fact of facts([operator(), ...lines])) judge.follow(fact)
  return judge.violations.map(describeViolation)
}

/** Waits before the next line. */
export function after(millis: number, line: Line): Line {
  return (story) => {
    story.at += millis
    return line(story)
  }
}

export function operator(process = OPERATOR): Line {
  return ({ at }) => ({ kind: 'process', at, process, role: 'operator', runs: true })
}

/** A write; the default writer is the operator. */
export function write(resource: string, name: string, make: Making, by: string | undefined = OPERATOR): Line {
  return (story) => story.commit(resource, name, by, make)
}

/** The same write by somebody else. */
export function stranger(line: Line): Line {
  return by(undefined, line)
}

export function by(who: string | undefined, line: Line): Line {
  return (story) => {
    const { by: _, ...fact } = line(story) as Committed
    return { ...fact, ...(who === undefined ? {} : { by: who }) }
  }
}

/** A process was shown an object as it is. */
export function shown(resource: string, name: string, process = OPERATOR): Line {
  return ({ at, version, find }) => ({
    kind: 'shown',
    at: at - MILLIS_PER_LINE / 2,
    process,
    resource,
    namespace: NAMESPACE,
    name,
    uid: find(resource, name)?.metadata.uid ?? '',
    version,
  })
}
