import type { LeaderGroup } from '../group/leadergroup.ts'
import { GROUP_LABEL, SERVICE_NAME_LABEL } from '../group/routing/routing-keys.ts'
import { serviceOfSliceName } from '../group/routing/slice-name.ts'
import type { EndpointSlice, KubeObject, Service } from '../kube/objects.ts'
import { Multimap } from './multimap.ts'

/** Which Services and EndpointSlices belong to which group, in one namespace. All are named by their names. */
export class RoutingIndex {
  /** Service → groups whose spec names it. */
  readonly #wishing = new Multimap()
  /** Group → Services that bear its label. */
  readonly #services = new Multimap()
  /** Group → slices that bear its label. */
  readonly #slices = new Multimap()
  /** Service → slices that are behind it by their label, or bear a name that is kept for its slices. */
  readonly #behind = new Multimap()

  servicesOf(group: LeaderGroup): ReadonlySet<string> {
    return new Set([...wishedBy(group), ...this.#services.get(group.metadata.name)])
  }

  /** Of a group that no longer exists, those that bear its label. */
  slicesOf(name: string, group: LeaderGroup | undefined): Iterable<string> {
    const labelled = this.#slices.get(name)
    const wished = group ? wishedBy(group) : []
    return wished.length === 0
      ? labelled
      : new Set([...labelled, ...wished.flatMap((each) => [...this.#behind.get(each)])])
  }

  /** Names of groups that slices bear the label of, whether the groups exist or not. */
  groupsWithSlices(): IterableIterator<string> {
    return this.#slices.keys()
  }

  setGroup(after: LeaderGroup | undefined, before: LeaderGroup | undefined): void {
    for (const service of before ? wishedBy(before) : []) this.#wishing.delete(service, before!.metadata.name)
    for (const service of after ? wishedBy(after) : []) this.#wishing.add(service, after!.metadata.name)
  }

  /** Files a changed Service; returns the groups that may see it differently now. */
  setService(after: Service | undefined, before: Service | undefined): ReadonlySet<string> {
    const { name } = (after ?? before)!.metadata
    const labelled = file(this.#services, after, before)
    return new Set([...labelled, ...this.#wishing.get(name)])
  }

  setSlice(after: EndpointSlice | undefined, before: EndpointSlice | undefined): ReadonlySet<string> {
    const { name } = (after ?? before)!.metadata
    const touched = new Set(file(this.#slices, after, before))
    for (const service of before ? servicesAt(before) : []) this.#behind.delete(service, name)
    for (const service of after ? servicesAt(after) : []) this.#behind.add(service, name)
    for (const each of [before, after]) {
      for (const service of each ? servicesAt(each) : []) {
        for (const group of this.#wishing.get(service)) touched.add(group)
      }
    }
    return touched
  }
}

function wishedBy({ spec }: LeaderGroup): readonly string[] {
  return spec.services?.map(({ name }) => name) ?? []
}

/** Files the object under the group whose label it bears; returns the groups that it bore and bears. */
function file(index: Multimap, after: KubeObject | undefined, before: KubeObject | undefined): readonly string[] {
  const was = before?.metadata.labels?.[GROUP_LABEL]
  const is = after?.metadata.labels?.[GROUP_LABEL]
  if (before && was !== undefined) index.delete(was, before.metadata.name)
  if (after && is !== undefined) index.add(is, after.metadata.name)
  return [was, is].filter((group) => group !== undefined)
}

function servicesAt({ metadata }: EndpointSlice): readonly string[] {
  const services = [metadata.labels?.[SERVICE_NAME_LABEL], serviceOfSliceName(metadata.name)]
  return services.filter((service) => service !== undefined)
}
