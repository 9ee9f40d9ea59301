/** Groups of three pods each, made as fast as the API server takes them. */
import { sleepUntil, systemClock as clock } from '../src/clock.ts'
import type { LeaderGroupService } from '../src/group/leadergroup.ts'
import { Pods, type Pod } from '../src/kube/objects.ts'
import { LeaderGroups } from '../src/operator/resources.ts'
import { must } from '../e2e/controlplane/must.ts'
import { patchStatus, podManifest, runningStatus } from '../e2e/pods.ts'
import { type Stage, createNamespace } from './stage.ts'

export const PODS_PER_GROUP = 3
const GROUPS_PER_NAMESPACE = 100
/** More under way at a time only wait for each other: the API server gives 200 writes a turn by default. */
const WIDTH = 48
/** Nobody writes for so long: it has come to rest. */
const REST_MILLIS = 4_000

export interface Member {
  readonly namespace: string
  readonly group: string
}

/** Runs `work` over all items, some at a time, in order. */
export async function inParallel<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  let next = 0
  const one = async (): Promise<void> => {
    while (next < items.length) await work(items[next++]!)
  }
  await Promise.all(Array.from({ length: Math.min(WIDTH, items.length) }, one))
}

export async function createReadyPod(stage: Stage, namespace: string, name: string, app: string): Promise<Pod> {
  const manifest = podManifest({ namespace, name, labels: { app }, node: 'node-1' })
  const created = must(await stage.api.create(Pods, namespace, manifest))
  return must(await patchStatus(stage.api, created, runningStatus(created, { ready: true })))
}

export async function createGroup(
  stage: Stage,
  { namespace, group }: Member,
  { app = group, services }: { readonly app?: string; readonly services?: readonly LeaderGroupService[] } = {},
): Promise<void> {
  must(
    await stage.api.create(LeaderGroups, namespace, {
      apiVersion: 'leadergroup.io/v1alpha1',
      kind: 'LeaderGroup',
      metadata: { name: group },
      spec: { selector: { matchLabels: { app } }, ...(services ? { services } : {}) },
    }),
  )
}

export class Population {
  readonly #stage: Stage
  readonly #groups: Member[] = []
  #pods = 0

  constructor(stage: Stage) {
    this.#stage = stage
  }

  get groups(): readonly Member[] {
    return this.#groups
  }

  async grow(size: number): Promise<void> {
    const begunAt = clock.now()
    const added = Array.from({ length: size - this.#groups.length }, (_, index) => {
      const number = this.#groups.length + index
      return { namespace: `bench-${Math.floor(number / GROUPS_PER_NAMESPACE)}`, group: `g${number}` }
    })
    const namespaces = [...new Set(added.map(({ namespace }) => namespace))]
    await inParallel(namespaces, (name) => createNamespace(this.#stage.api, name))
    let done = 0
    await inParallel(added, async (member) => {
      this.#stage.signal.throwIfAborted()
      await createGroup(this.#stage, member)
      for (let pod = 0; pod < PODS_PER_GROUP; pod++) await this.addPod(member)
      this.#stage.progress.update(`groups with ${PODS_PER_GROUP} pods each: ${(done += 1)} of ${added.length}`)
    })
    this.#groups.push(...added)
    const seconds = Math.round((clock.now() - begunAt) / 1000)
    if (added.length > 0)
      this.#stage.progress.say(`${size} groups with ${PODS_PER_GROUP} pods each, after ${seconds} s`)
  }

  async addPod({ namespace, group }: Member): Promise<void> {
    await createReadyPod(this.#stage, namespace, `${group}-${(this.#pods += 1)}`, group)
  }

  /** Until each group says in its status who leads it, and the operator writes no more. Resolves to the holders. */
  async settle(): Promise<ReadonlyMap<Member, string>> {
    const { audit, signal, progress } = this.#stage
    const end = clock.now() + 60_000 + this.#groups.length * 60
    for (let restsSince = clock.now(); ;) {
      await sleepUntil(clock, clock.now() + 500, signal)
      const writes = await audit.writes()
      if (writes.length > 0) restsSince = clock.now()
      progress.update(`until the operator rests: ${writes.length * 2} writes/s`)
      if (clock.now() - restsSince < REST_MILLIS && clock.now() < end) continue
      const holders = await this.#holders()
      const without = this.#groups.filter((member) => !holders.has(member))
      if (without.length === 0 && clock.now() < end) return holders
      // After a failure the operator waits for up to 8 s before it tries again.
      if (clock.now() < end) continue
      const [first] = without
      const why = first ? `${without.length} groups have no leader, ${first.group} among them` : 'it goes on writing'
      throw new Error(`the operator does not come to rest: ${why}`)
    }
  }

  async #holders(): Promise<ReadonlyMap<Member, string>> {
    const held = new Map<string, string>()
    let continueToken: string | undefined
    do {
      const options = { limit: 500, ...(continueToken === undefined ? {} : { continueToken }) }
      const page = must(await this.#stage.api.list(LeaderGroups, options))
      for (const { metadata, status } of page.items) {
        if (status?.holder !== undefined) held.set(`${metadata.namespace}/${metadata.name}`, status.holder)
      }
      continueToken = page.continueToken
    } while (continueToken !== undefined)
    const found = this.#groups.map((member) => [member, held.get(`${member.namespace}/${member.group}`)] as const)
    return new Map(found.filter((each): each is [Member, string] => each[1] !== undefined))
  }
}
