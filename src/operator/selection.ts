import type { LeaderGroup } from '../group/leadergroup.ts'
import { groupOfKey } from '../group/keys.ts'
import { matches, type LabelSelector } from '../group/selector.ts'
import type { Pod } from '../kube/objects.ts'
import { Multimap } from './multimap.ts'

/**
 * Which groups of one namespace a pod concerns, without asking each: a group is filed under one label that its pods must
 * carry, so that a pod event costs as much as the pod has labels, not as much as there are groups.
 */
export class Selection {
  readonly #selectors = new Map<string, LabelSelector>()
  readonly #filed = new Multimap()

  set({ metadata: { name }, spec: { selector } }: LeaderGroup): void {
    this.remove(name)
    this.#selectors.set(name, selector)
    for (const place of placesOf(selector)) this.#filed.add(place, name)
  }

  remove(name: string): void {
    for (const place of placesOf(this.#selectors.get(name) ?? {})) this.#filed.delete(place, name)
    this.#selectors.delete(name)
  }

  selects(name: string, pod: Pod): boolean {
    return matches(this.#selectors.get(name) ?? {}, pod.metadata.labels)
  }

  /** The groups that select the pod. */
  selecting(pod: Pod): readonly string[] {
    const places = [ANYWHERE, ...Object.entries(pod.metadata.labels ?? {}).map(([key, value]) => place(key, value))]
    return places.flatMap((filed) => [...this.#filed.get(filed)]).filter((name) => this.selects(name, pod))
  }
}

/** The groups whose keys the pod bears. */
export function ownersOfKeys(pod: Pod): readonly string[] {
  const keys = [...Object.keys(pod.metadata.labels ?? {}), ...Object.keys(pod.metadata.annotations ?? {})]
  return keys.map(groupOfKey).filter((name) => name !== undefined)
}

const ANYWHERE = ''

/** Labels of which each selected pod has one; `ANYWHERE` when the selector demands no particular value. */
function placesOf(selector: LabelSelector): readonly string[] {
  const [required] = Object.entries(selector.matchLabels ?? {})
  if (required) return [place(...required)]
  const choice = selector.matchExpressions?.find(({ operator }) => operator === 'In')
  return choice?.values?.map((value) => place(choice.key, value)) ?? [ANYWHERE]
}

function place(key: string, value: string): string {
  return `${key}=${value}`
}
