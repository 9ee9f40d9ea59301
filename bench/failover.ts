/** One failover after the other, each of a group at rest, in turn with its floor. */
import { systemClock as clock } from '../src/clock.ts'
import { groupKeys } from '../src/group/keys.ts'
import { EndpointSlices, type EndpointSlice, type KubeObject, type Pod, Pods, Services } from '../src/kube/objects.ts'
import { eventually } from '../e2e/controlplane/eventually.ts'
import { must } from '../e2e/controlplane/must.ts'
import { setReady } from '../e2e/pods.ts'
import { type Request, isWrite } from './audit.ts'
import { type Commits, watchCommits } from './commits.ts'
import { type Figure, type Goal, spread } from './figure.ts'
import { openFloor } from './floor.ts'
import { type StartOptions, startOperator } from './operator.ts'
import { createGroup, createReadyPod } from './population.ts'
import { type Stage, createNamespace } from './stage.ts'
import { TRIGGERS, type Trigger, deletePod, isLabelled, triggered } from './trigger.ts'

/** They take turns, so that each has written its status and rests when its next leader is lost. */
const GROUPS = 20
const GROUP = 'db'
const PORTS = [{ name: 'sql', port: 5432 }]

/** `Selector`: a user's own Service on the label, which the standard controller fills. */
const ROUTINGS = ['Selector', 'Direct'] as const
type Routing = (typeof ROUTINGS)[number]

/** One failover: milliseconds from the trigger's commit, and when it was, in wall time. */
interface Sample {
  readonly namespace: string
  readonly label: number
  readonly slice: number
  readonly floor: number
  readonly from: number
  until: number
}

export async function measureFailovers(stage: Stage, failovers: number, options: StartOptions): Promise<Figure[]> {
  await using operator = await startOperator(stage, options)
  await operator.untilActing(stage.signal)
  await using watched = await watchCommits(stage.api, Pods, 'floor')
  await using pods = await watchCommits(stage.observer, Pods)
  await using slices = await watchCommits(stage.observer, EndpointSlices)
  const figures: Figure[] = []
  for (const routing of ROUTINGS) {
    const floor = await openFloor(stage, routing === 'Direct')
    const scenes: Scene[] = []
    for (let index = 0; index < GROUPS; index++) {
      scenes.push(await openScene(stage, routing, `${routing.toLowerCase()}-${index}`, pods, slices))
    }
    for (const trigger of TRIGGERS) {
      await stage.audit.skip()
      const what = `${trigger.name}, ${routing}`
      const samples: Sample[] = []
      // The first round is not counted: connections open, code is compiled.
      for (let index = -GROUPS; index < failovers; index++) {
        stage.signal.throwIfAborted()
        stage.progress.update(`${what}: ${Math.max(index, 0)} of ${failovers}`)
        const bare = await floor.measure(trigger, watched, pods)
        const sample = await scenes[(index + GROUPS) % GROUPS]!.failOver(trigger, bare)
        const before = samples.findLast(({ namespace }) => namespace === sample.namespace)
        if (before) before.until = sample.from
        samples.push(sample)
      }
      const requests = await stage.audit.requests()
      figures.push(...latencies(trigger, routing, samples.slice(GROUPS)))
      figures.push(...counts(trigger, routing, samples.slice(0, -GROUPS), requests))
      stage.progress.say(`${what}: ${failovers} failovers`)
    }
  }
  return figures
}

async function openScene(
  stage: Stage,
  routing: Routing,
  namespace: string,
  pods: Commits<Pod>,
  slices: Commits<EndpointSlice>,
): Promise<Scene> {
  await createNamespace(stage.api, namespace)
  if (routing === 'Direct') {
    await createGroup(stage, { namespace, group: GROUP }, { services: [{ name: GROUP, role: 'Leader', ports: PORTS }] })
  } else {
    const selector = { [groupKeys(GROUP).role]: 'leader' }
    const service = { apiVersion: 'v1', kind: 'Service', metadata: { name: GROUP }, spec: { selector, ports: PORTS } }
    must(await stage.api.create(Services, namespace, service))
    await createGroup(stage, { namespace, group: GROUP })
  }
  const scene = new Scene(stage, namespace, pods, slices)
  for (let index = 0; index < 3; index++) await scene.addPod()
  return scene
}

class Scene {
  readonly #stage: Stage
  readonly #namespace: string
  readonly #podCommits: Commits<Pod>
  readonly #slices: Commits<EndpointSlice>
  #pods = 0

  constructor(stage: Stage, namespace: string, pods: Commits<Pod>, slices: Commits<EndpointSlice>) {
    this.#stage = stage
    this.#namespace = namespace
    this.#podCommits = pods
    this.#slices = slices
  }

  async addPod(): Promise<void> {
    await createReadyPod(this.#stage, this.#namespace, `db-${(this.#pods += 1)}`, GROUP)
  }

  async failOver(trigger: Trigger, floor: number): Promise<Sample> {
    const leader = await this.#rest()
    const { uid } = leader.metadata
    const inside = ({ metadata }: KubeObject): boolean => metadata.namespace === this.#namespace
    const begun = this.#podCommits.next(trigger.name, (commit) => triggered(trigger, uid, commit))
    const labelled = this.#podCommits.next(
      'a label on the next pod',
      (commit) => inside(commit.object) && commit.object.metadata.uid !== uid && isLabelled(commit, GROUP),
    )
    const routed = this.#slices.next('a slice with the next pod alone', ({ gone, object }) => {
      const uids = object.endpoints?.map(({ targetRef }) => targetRef?.uid) ?? []
      return !gone && inside(object) && uids.length === 1 && uids[0] !== uid
    })
    const from = clock.wallNow()
    await trigger.pull(this.#stage.api, leader)
    const [start, label, slice] = await Promise.all([begun, labelled, routed])
    await this.#mend(trigger, leader)
    const [toLabel, toSlice] = [label.at - start.at, slice.at - start.at]
    return { namespace: this.#namespace, label: toLabel, slice: toSlice, floor, from, until: Infinity }
  }

  /** Three ready pods again. */
  async #mend(trigger: Trigger, old: Pod): Promise<void> {
    const { api } = this.#stage
    if (trigger.gone) return this.addPod()
    const { namespace, name } = old.metadata
    const pod = must(await api.get(Pods, { namespace: namespace!, name }))
    if (pod.metadata.deletionTimestamp === undefined) return void (await setReady(api, pod, true))
    await deletePod(api, pod, 0)
    await this.addPod()
  }

  /** Until all three are enrolled and one leads; resolves to that one. */
  #rest(): Promise<Pod> {
    const { sealed, role } = groupKeys(GROUP)
    return eventually({ what: `${this.#namespace} at rest`, millis: 30_000, intervalMillis: 10 }, async () => {
      const { items } = must(await this.#stage.api.list(Pods, { namespace: this.#namespace }))
      const enrolled = items.filter(({ metadata }) => metadata.annotations?.[sealed] !== undefined)
      const leaders = items.filter(({ metadata }) => metadata.labels?.[role] === 'leader')
      return enrolled.length === 3 && leaders.length === 1 ? leaders[0] : undefined
    })
  }
}

function latencies(trigger: Trigger, routing: Routing, samples: readonly Sample[]): Figure[] {
  const floor = spread(samples.map((each) => each.floor))
  const label = spread(samples.map((each) => each.label))
  const slice = spread(samples.map((each) => each.slice))
  const reached = label.median <= 1.5 * floor.median && label.p99! <= 30
  const goal =
    trigger.gone && routing === 'Selector' ? { goal: { text: 'median ≤ 1.5 × floor, p99 ≤ 30 ms', reached } } : {}
  const what = `${trigger.name}, ${routing}`
  return [
    { what: `${what} → label`, unit: 'ms', value: label, floor, ...goal },
    { what: `${what} → slice with the new pod alone`, unit: 'ms', value: slice, floor },
  ]
}

/** Of those after which the same group failed over once more: their traces are complete. */
function counts(
  trigger: Trigger,
  routing: Routing,
  samples: readonly Sample[],
  requests: readonly Request[],
): Figure[] {
  const byNamespace = Map.groupBy(requests, ({ namespace }) => namespace)
  const seen = samples.map(({ namespace, from, until }) => {
    // The bench's clock has whole milliseconds.
    const own = (byNamespace.get(namespace) ?? []).filter(({ receivedAt }) => receivedAt >= from && receivedAt < until)
    const label = own.findIndex(isLabel)
    if (label === -1) throw new Error(`${trigger.name} in ${namespace}: no label in the audit log`)
    return { before: own.slice(0, label + 1), after: own.slice(label + 1) }
  })
  const count = (select: (each: (typeof seen)[number]) => readonly Request[]) =>
    spread(seen.map((each) => select(each).length))
  const of = (resource: string) =>
    count(({ after }) => after.filter((each) => isWrite(each) && each.resource === resource))
  const limit = (trigger.gone ? 2 : 3) + (routing === 'Direct' ? 1 : 0)
  // One that is refused writes nothing: a slice that the garbage collector took along with its pod is created instead.
  const writes = count(({ before }) => before.filter((each) => isWrite(each) && each.code < 300))
  const perSecond = spread(
    seen.map(({ after }) => mostInASecond(after.filter(({ resource }) => resource === 'leadergroups/status'))),
  )
  const figure = (what: string, value: Figure['value'], goal?: Goal): Figure => ({
    what: `${trigger.name}, ${routing}: ${what}`,
    unit: 'requests',
    value,
    ...(goal ? { goal } : {}),
  })
  return [
    figure('writes until the label', writes, { text: `≤ ${limit} each`, reached: writes.max! <= limit }),
    figure(
      'refused writes until the label',
      count(({ before }) => before.filter((each) => isWrite(each) && each.code >= 300)),
    ),
    figure(
      'reads until the label',
      count(({ before }) => before.filter((each) => each.verb === 'get')),
    ),
    figure('status writes after it', of('leadergroups/status')),
    figure('of these in one second', perSecond, {
      text: '≤ 1 each',
      reached: perSecond.max! <= 1,
    }),
    figure('events after it', of('events')),
    figure('enrolments and other pod patches after it', of('pods')),
  ]
}

function isLabel({ resource, verb, body }: Request): boolean {
  const { metadata } = (body ?? {}) as { metadata?: { labels?: Record<string, string | null> } }
  return resource === 'pods' && verb === 'patch' && metadata?.labels?.[groupKeys(GROUP).role] === 'leader'
}

/** The writer waits a second by its own clock, so two may reach the server a little closer. */
const SECOND_MILLIS = 950

/** How many of them fall into any one second, at most. */
function mostInASecond(requests: readonly Request[]): number {
  const times = requests.map(({ receivedAt }) => receivedAt)
  return Math.max(
    0,
    ...times.map((time) => times.filter((other) => other >= time && other < time + SECOND_MILLIS).length),
  )
}
