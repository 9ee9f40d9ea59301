import { parseMark } from '../group/gate.ts'
import type { World } from './seal-world.ts'

export interface Exploration {
  readonly states: number
  /** Everything within the budgets was visited. */
  readonly complete: boolean
  readonly highestTerm: number
  readonly violation: string | undefined
  /** The steps that lead to the violation. */
  readonly story: readonly string[]
}

/** Visits every world that the steps lead to, breadth first, so that the story of a violation is a shortest one. */
export function explore(
  first: World,
  successors: (world: World) => Iterable<readonly [string, World]>,
  limits: { readonly states: number; readonly term: number },
): Exploration {
  const parents = new Map<string, readonly [string, string] | undefined>([[canonical(first), undefined]])
  let frontier = [first]
  let highestTerm = 0
  while (frontier.length > 0) {
    const next: World[] = []
    for (const world of frontier) {
      const at = canonical(world)
      highestTerm = Math.max(highestTerm, termOf(world))
      if (termOf(world) > limits.term) continue
      for (const [step, then] of successors(world)) {
        const key = canonical(then)
        if (parents.has(key)) continue
        parents.set(key, [at, step])
        if (then.violation) {
          return {
            states: parents.size,
            complete: false,
            highestTerm,
            violation: then.violation,
            story: storyOf(parents, key),
          }
        }
        if (parents.size >= limits.states) {
          return { states: parents.size, complete: false, highestTerm, violation: undefined, story: [] }
        }
        next.push(then)
      }
    }
    frontier = next
  }
  return { states: parents.size, complete: true, highestTerm, violation: undefined, story: [] }
}

function termOf({ lease }: World): number {
  return lease?.transitions ?? 0
}

function storyOf(parents: ReadonlyMap<string, readonly [string, string] | undefined>, last: string): readonly string[] {
  const steps: string[] = []
  for (let at = parents.get(last); at; at = parents.get(at[0])) steps.unshift(at[1])
  return steps
}

/**
 * Worlds that differ only in names are one: a UID is named by its first appearance, a version counts as the present one
 * or not, of the ticks only the comparisons that `decide` makes are kept, and the operators are interchangeable.
 */
function canonical(world: World): string {
  const names = new Map<string, number>()
  const id = (text: string | undefined): number => {
    if (text === undefined) return -1
    const known = names.get(text) ?? names.size
    names.set(text, known)
    return known
  }
  const stamp = (text: string | undefined): string =>
    text === undefined ? '' : `${id(text.split('/')[0])}/${text.split('/')[1]}`
  const pod = (p: World['pods'][number]): unknown => p && [id(p.uid), p.ready, p.role, p.term, stamp(p.sealed)]
  const mark = (text: string | undefined): unknown => {
    const parsed = parseMark(text)
    return parsed && [id(parsed.holder?.uid), id(parsed.gateUID), parsed.term]
  }
  const lease = (l: World['lease']): unknown => l && [id(l.uid), mark(l.mark), id(l.holderIdentity)]
  const server = [
    world.pods.map(pod),
    lease(world.lease),
    world.highestTerm,
    world.status.term,
    id(world.status.holderUID),
    Object.values(world.budget),
  ]
  const operators = world.operators.map((op) => {
    const begunAt = op.sent?.begunAt ?? 0
    const named = [op.lease?.mark, world.lease?.mark].map((text) => parseMark(text)?.holder?.uid)
    return JSON.stringify([
      op.pods.map(
        (p, i) =>
          p && [
            pod(p),
            p.resourceVersion === world.pods[i]?.resourceVersion,
            (op.lease?.readAt ?? 0) > p.seenAt,
            begunAt > p.seenAt,
          ],
      ),
      op.lease && [lease(op.lease), op.lease.resourceVersion === world.lease?.resourceVersion],
      [op.podsListedAt, op.statusReadAt, begunAt].map((tick) => (tick ?? 0) > (op.lease?.seenAt ?? 0)),
      [op.status.version === world.status.version, op.status.term, id(op.status.holderUID)],
      op.gone.filter((uid) => named.includes(uid)).map(id),
      op.sent && sentKey(op.sent.action, world, id),
    ])
  })
  return JSON.stringify([server, operators.toSorted()])
}

function sentKey(
  action: NonNullable<World['operators'][number]['sent']>['action'],
  world: World,
  id: (text: string | undefined) => number,
): unknown {
  switch (action.kind) {
    case 'patchPod': {
      const pod = world.pods[Number(action.pod.name.slice(1))]
      const fresh = pod?.uid === action.pod.uid && pod.resourceVersion === action.pod.resourceVersion
      return [
        action.step,
        action.pod.name,
        pod?.uid === action.pod.uid,
        fresh,
        Object.values(action.annotations).map((v) => v && [id(v.split('/')[0]), v.split('/')[1]]),
      ]
    }
    case 'advanceGate':
      return [action.kind, id(action.holder.uid), action.term, action.resourceVersion === world.lease?.resourceVersion]
    case 'deleteGate':
      return [action.kind, action.resourceVersion === world.lease?.resourceVersion]
    case 'writeStatus':
      return [
        action.kind,
        action.status.term,
        id(action.status.holderUID),
        Number(action.resourceVersion) === world.status.version,
      ]
    case 'readPod':
      return [action.kind, action.name, id(action.uid)]
    case 'createGate':
    case 'readGate':
    case 'readGroup':
    case 'listPods':
      return action.kind
    case 'readLease':
    case 'releaseLease':
    case 'createService':
    case 'patchService':
    case 'deleteService':
    case 'createSlice':
    case 'replaceSlice':
    case 'deleteSlice':
      throw new Error(`${action.kind}: the group of this world assigns, and has no Services`)
  }
}
