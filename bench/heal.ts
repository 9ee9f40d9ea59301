/** Many groups lose their leaders at once. */
import { systemClock as clock } from '../src/clock.ts'
import { type Lease, Leases, type Pod, Pods } from '../src/kube/objects.ts'
import { must } from '../e2e/controlplane/must.ts'
import { eventually } from '../e2e/controlplane/eventually.ts'
import { type Commit, watchCommits } from './commits.ts'
import { type Figure, atMost, single, spread } from './figure.ts'
import { advanceBare, bareLease, patchBare } from './floor.ts'
import { type Member, type Population, createReadyPod, inParallel } from './population.ts'
import { type Stage, createNamespace } from './stage.ts'
import { isLabelled } from './trigger.ts'

const GOAL_SECONDS = 3
const LIMIT_MILLIS = 60_000

export async function measureHealing(stage: Stage, population: Population): Promise<Figure[]> {
  const holders = await population.settle()
  stage.progress.say(`heal: the floor, ${holders.size} deletions answered with bare writes`)
  const floor = await healBare(stage, holders.size)
  await population.settle()
  stage.progress.say(`heal: ${holders.size} leaders die at once`)
  const { seconds, each } = await heal(stage, holders)
  await inParallel([...holders.keys()], (member) => population.addPod(member))
  await population.settle()
  const what = `${holders.size} leaders deleted at once`
  return [
    {
      bench: 'heal',
      what: `${what}: first deletion → last label`,
      unit: 's',
      value: single(seconds),
      floor: single(floor.seconds),
      ...(holders.size === 1_000 ? { goal: atMost(seconds, GOAL_SECONDS, 's') } : {}),
    },
    {
      bench: 'heal',
      what: `${what}: each from deletion to label`,
      unit: 'ms',
      value: spread(each),
      floor: spread(floor.each),
    },
  ]
}

interface Healing {
  /** From the first deletion's commit to the last label's. */
  readonly seconds: number
  /** Milliseconds of each group. */
  readonly each: readonly number[]
}

async function heal(stage: Stage, holders: ReadonlyMap<Member, string>): Promise<Healing> {
  const groupOf = (pod: Pod): string => `${pod.metadata.namespace}/${pod.metadata.labels?.['app']}`
  await using pods = await watchCommits(stage.observer, Pods)
  const timer = new Timer()
  pods.on((commit) => {
    if (isDying(commit)) timer.deleted(groupOf(commit.object), commit.at)
    else if (isLabelled(commit, commit.object.metadata.labels?.['app'] ?? ''))
      timer.labelled(groupOf(commit.object), commit.at)
  })
  await inParallel([...holders], async ([{ namespace }, name]) => {
    must(await stage.api.delete(Pods, { namespace, name }, { gracePeriodSeconds: 0 }))
  })
  return Promise.race([timer.until(holders.size), pods.lost])
}

/** The same events, answered at once with the writes that each needs. */
async function healBare(stage: Stage, size: number): Promise<Healing> {
  const { api, observer } = stage
  const namespace = 'heal-floor'
  await createNamespace(api, namespace)
  const next = new Map<string, { lease: Lease; pod: Pod }>()
  await inParallel([...Array(size).keys()], async (index) => {
    await createReadyPod(stage, namespace, `old-${index}`, `floor-${index}`)
    const pod = await createReadyPod(stage, namespace, `new-${index}`, `floor-${index}`)
    next.set(`old-${index}`, { pod, lease: must(await api.create<Lease>(Leases, namespace, bareLease(`l-${index}`))) })
  })
  await using pods = await watchCommits(observer, Pods, namespace)
  await using watched = await watchCommits(api, Pods, namespace)
  const timer = new Timer()
  pods.on((commit) => {
    const app = commit.object.metadata.labels?.['app'] ?? ''
    if (isDying(commit)) timer.deleted(app, commit.at)
    else if (isLabelled(commit, 'floor')) timer.labelled(app, commit.at)
  })
  watched.on(({ gone, object }) => {
    const answer = next.get(object.metadata.name)
    if (gone && answer) void react(stage, answer).catch(timer.failed)
  })
  await inParallel([...next.keys()], async (name) => {
    must(await api.delete(Pods, { namespace, name }, { gracePeriodSeconds: 0 }))
  })
  const healing = await Promise.race([timer.until(size), pods.lost, watched.lost])
  await inParallel([...next.values()], async ({ pod, lease }) => {
    must(await api.delete(Pods, { namespace, name: pod.metadata.name }, { gracePeriodSeconds: 0 }))
    must(await api.delete(Leases, { namespace, name: lease.metadata.name }))
  })
  return healing
}

async function react({ api }: Stage, { lease, pod }: { lease: Lease; pod: Pod }): Promise<void> {
  must(await advanceBare(api, lease, pod))
  must(await patchBare(api, pod, { seal: false }))
}

/** A deletion by force takes two writes. The first is enough for an operator that seals, and it begins the time. */
function isDying({ gone, object }: Commit<Pod>): boolean {
  return gone || object.metadata.deletionTimestamp !== undefined
}

class Timer {
  readonly #deletedAt = new Map<string, number>()
  readonly #labelledAt = new Map<string, number>()
  #failure: unknown

  deleted(group: string, at: number): void {
    this.#deletedAt.set(group, this.#deletedAt.get(group) ?? at)
  }

  labelled(group: string, at: number): void {
    this.#labelledAt.set(group, this.#labelledAt.get(group) ?? at)
  }

  readonly failed = (error: unknown): void => {
    this.#failure ??= error
  }

  async until(size: number): Promise<Healing> {
    const end = clock.now() + LIMIT_MILLIS
    await eventually({ what: `${size} groups healed`, millis: end - clock.now() }, async () => {
      if (this.#failure !== undefined) throw this.#failure
      return this.#labelledAt.size === size ? true : undefined
    })
    const first = Math.min(...this.#deletedAt.values())
    const last = Math.max(...this.#labelledAt.values())
    const each = [...this.#labelledAt].map(([group, at]) => at - this.#deletedAt.get(group)!)
    return { seconds: (last - first) / 1000, each }
  }
}
