/** Many groups lose their leaders at once. */
import { EndpointSlices, type EndpointSlice, type Pod, Pods } from '../src/kube/objects.ts'
import { LeaderGroups } from '../src/operator/resources.ts'
import { eventually } from '../e2e/controlplane/eventually.ts'
import { must } from '../e2e/controlplane/must.ts'
import { type Commit, watchCommits } from './commits.ts'
import { type Figure, atMost, single, spread } from './figure.ts'
import { type Bare, createBare, isBareLeader, nameBare } from './floor.ts'
import { type RunningOperator, type StartOptions, startOperator } from './operator.ts'
import { type Member, Population, createReadyPod, inParallel } from './population.ts'
import { type Stage, createNamespace } from './stage.ts'
import { isLabelled } from './trigger.ts'
import { vanish } from './vanish.ts'

/** For so many groups. */
const GOAL_GROUPS = 1_000
const GOAL_SECONDS = { labels: 3, slices: 4 }
const LIMIT_MILLIS = 60_000

/** Labels alone, then the same groups with a Service of routing Direct each. */
export async function measureHealing(stage: Stage, groups: number, options: StartOptions): Promise<Figure[]> {
  await using operator = await startOperator(stage, options)
  await operator.untilActing(stage.signal)
  const population = new Population(stage)
  await population.grow(groups)
  const labels = await measure(stage, operator, population, { direct: false })
  stage.progress.say(`heal: a Service with routing Direct for each of ${groups} groups`)
  await inParallel(population.groups, (member) => addService(stage, member))
  return [...labels, ...(await measure(stage, operator, population, { direct: true }))]
}

async function measure(
  stage: Stage,
  operator: RunningOperator,
  population: Population,
  { direct }: { readonly direct: boolean },
): Promise<Figure[]> {
  const { size } = await population.settle()
  stage.progress.say(`heal: the floor, ${size} dead pods answered with bare writes`)
  const floor = await healBare(stage, size, { direct })
  const holders = await population.settle()
  await stage.audit.skip()
  const before = await operator.usage()
  stage.progress.say(`heal: ${size} leaders die at once`)
  const healing = await heal(stage, holders, { direct })
  const cpuSeconds = (await operator.usage()).cpuSeconds - before.cpuSeconds
  const requests = (await stage.audit.requests()).length
  await inParallel([...holders.keys()], (member) => population.addPod(member))
  const what = `${size} leaders die at once${direct ? ', Direct' : ''}`
  const limit = direct ? GOAL_SECONDS.slices : GOAL_SECONDS.labels
  return [
    {
      what: `${what}: first death → last label${direct ? ' and slice' : ''}`,
      unit: 's',
      value: single(healing.seconds),
      floor: single(floor.seconds),
      ...(size >= GOAL_GROUPS ? { goal: atMost(healing.seconds, limit, 's') } : {}),
    },
    { what: `${what}: first death → last death`, unit: 's', value: single(healing.dying), floor: single(floor.dying) },
    { what: `${what}: each from death to label`, unit: 'ms', value: spread(healing.each), floor: spread(floor.each) },
    { what: `${what}: requests of each group until all are healed`, unit: 'requests', value: single(requests / size) },
    { what: `${what}: CPU of each group until all are healed`, unit: 'ms', value: single((1000 * cpuSeconds) / size) },
  ]
}

interface Healing {
  /** From the first death's commit to the last commit that heals. */
  readonly seconds: number
  /** From the first death's commit to the last one's: how far "at once" goes. */
  readonly dying: number
  /** Milliseconds of each group until its label. */
  readonly each: readonly number[]
}

async function heal(
  stage: Stage,
  holders: ReadonlyMap<Member, string>,
  { direct }: { readonly direct: boolean },
): Promise<Healing> {
  const groupOf = (pod: Pod): string => `${pod.metadata.namespace}/${pod.metadata.labels?.['app']}`
  await using pods = await watchCommits(stage.observer, Pods)
  await using slices = await watchCommits(stage.observer, EndpointSlices)
  const timer = new Timer()
  const dead = new Set<string>()
  pods.on((commit) => {
    const { object, gone, at } = commit
    if (gone) {
      dead.add(object.metadata.uid)
      timer.died(groupOf(object), at)
    } else if (isLabelled(commit, object.metadata.labels?.['app'] ?? '')) timer.labelled(groupOf(object), at)
  })
  slices.on(({ object, gone, at }) => {
    const { namespace, labels } = object.metadata
    const [uid, ...more] = uidsIn(object)
    if (gone || uid === undefined || more.length > 0 || dead.has(uid)) return
    timer.routed(`${namespace}/${labels?.['leadergroup.io/group']}`, at)
  })
  await vanish(
    stage,
    [...holders].map(([{ namespace }, name]) => ({ namespace, name })),
  )
  return await Promise.race([timer.until(stage, holders.size, direct), pods.lost, slices.lost])
}

/** The same deaths, answered at once with the writes that each needs. */
async function healBare(stage: Stage, size: number, { direct }: { readonly direct: boolean }): Promise<Healing> {
  const { api, observer } = stage
  const namespace = direct ? 'heal-floor-direct' : 'heal-floor'
  await createNamespace(api, namespace)
  const next = new Map<string, { readonly pod: Pod; readonly bare: Bare }>()
  await inParallel([...Array(size).keys()], async (index) => {
    await createReadyPod(stage, namespace, `old-${index}`, `floor-${index}`)
    const pod = await createReadyPod(stage, namespace, `new-${index}`, `floor-${index}`)
    next.set(`old-${index}`, { pod, bare: await createBare(api, namespace, `floor-${index}`, { direct }) })
  })
  await using pods = await watchCommits(observer, Pods, namespace)
  await using watched = await watchCommits(api, Pods, namespace)
  const timer = new Timer()
  pods.on((commit) => {
    const app = commit.object.metadata.labels?.['app'] ?? ''
    if (commit.gone) timer.died(app, commit.at)
    else if (isBareLeader(commit)) timer.labelled(app, commit.at)
  })
  const deaths = new Map([...next.keys()].map((name) => [name, Promise.withResolvers<void>()] as const))
  watched.on(({ gone, object }: Commit<Pod>) => gone && deaths.get(object.metadata.name)?.resolve())
  // Some at a time, as an operator would: more only wait for each other, each on a connection of its own.
  const reacting = inParallel([...next], async ([name, { bare, pod }]) => {
    await Promise.race([deaths.get(name)!.promise, watched.lost])
    await nameBare(api, bare, pod)
  })
  await vanish(
    stage,
    [...next.keys()].map((name) => ({ namespace, name })),
  )
  const healing = await Promise.race([reacting.then(() => timer.until(stage, size, false)), pods.lost, watched.lost])
  await vanish(
    stage,
    [...next.values()].map(({ pod }) => ({ namespace, name: pod.metadata.name })),
  )
  return healing
}

async function addService(stage: Stage, { namespace, group }: Member): Promise<void> {
  const services = [{ name: group, role: 'Leader', ports: [{ name: 'sql', port: 5432 }] }]
  must(await stage.api.mergePatch(LeaderGroups, { namespace, name: group }, { spec: { services } }))
}

function uidsIn({ endpoints }: EndpointSlice): readonly (string | undefined)[] {
  return endpoints?.map(({ targetRef }) => targetRef?.uid) ?? []
}

class Timer {
  readonly #diedAt = new Map<string, number>()
  readonly #labelledAt = new Map<string, number>()
  readonly #routedAt = new Map<string, number>()

  died(group: string, at: number): void {
    first(this.#diedAt, group, at)
  }

  labelled(group: string, at: number): void {
    first(this.#labelledAt, group, at)
  }

  routed(group: string, at: number): void {
    first(this.#routedAt, group, at)
  }

  async until({ signal, progress }: Stage, size: number, direct: boolean): Promise<Healing> {
    const needed = direct ? [this.#labelledAt, this.#routedAt] : [this.#labelledAt]
    await eventually({ what: `${size} groups to heal`, millis: LIMIT_MILLIS, signal }, async () => {
      progress.update(`labels: ${this.#labelledAt.size} of ${size}`)
      return needed.every((each) => each.size === size) ? true : undefined
    })
    const begun = Math.min(...this.#diedAt.values())
    const dying = (Math.max(...this.#diedAt.values()) - begun) / 1000
    const last = Math.max(...needed.flatMap((each) => [...each.values()]))
    const each = [...this.#labelledAt].map(([group, at]) => at - this.#diedAt.get(group)!)
    return { seconds: (last - begun) / 1000, dying, each }
  }
}

function first(times: Map<string, number>, group: string, at: number): void {
  if (!times.has(group)) times.set(group, at)
}
