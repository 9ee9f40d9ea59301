/** Many groups share a few pods, each of which leads many of them, and all those pods die at once. */
import { groupKeys } from '../src/group/keys.ts'
import { type Pod, Pods } from '../src/kube/objects.ts'
import { LeaderGroups } from '../src/operator/resources.ts'
import { eventually } from '../e2e/controlplane/eventually.ts'
import { must } from '../e2e/controlplane/must.ts'
import { watchCommits } from './commits.ts'
import { type Figure, single, spread } from './figure.ts'
import { advanceBare, type Bare, createBare } from './floor.ts'
import { type StartOptions, startOperator } from './operator.ts'
import { createGroup, createReadyPod, inParallel } from './population.ts'
import { type Stage, createNamespace } from './stage.ts'
import { vanish } from './vanish.ts'

export interface Shards {
  readonly groups: number
  /** That lead, and as many that stand by. */
  readonly pods: number
}

const NAMESPACE = 'shards'
const FLOOR_NAMESPACE = 'shards-floor'
const LIMIT_MILLIS = 120_000
const REST_MILLIS = 4_000

export async function measureShards(stage: Stage, shards: Shards, options: StartOptions): Promise<Figure[]> {
  await using operator = await startOperator(stage, options)
  await operator.untilActing(stage.signal)
  await createNamespace(stage.api, NAMESPACE)
  await createPods(stage, NAMESPACE, shards.pods, 'first')
  await inParallel(range(shards.groups), (index) =>
    createGroup(stage, { namespace: NAMESPACE, group: `g${index}` }, { app: `shard-${index % shards.pods}` }),
  )
  await untilLed(stage, shards, 'first')
  await createPods(stage, NAMESPACE, shards.pods, 'next')
  await untilResting(stage)
  stage.progress.say(
    `shards: the floor, ${shards.pods} dead pods answered with bare writes for ${shards.groups} groups`,
  )
  const floor = await healBare(stage, shards)
  await stage.audit.skip()
  const before = await operator.usage()
  stage.progress.say(`shards: ${shards.pods} pods die that lead ${shards.groups} groups`)
  const keys = range(shards.groups).map((index) => groupKeys(`g${index}`).role)
  const healing = await heal(stage, NAMESPACE, shards, keys)
  const cpuSeconds = (await operator.usage()).cpuSeconds - before.cpuSeconds
  const requests = (await stage.audit.requests()).length
  const what = `${shards.pods} pods die that lead ${shards.groups} groups`
  return [
    {
      what: `${what}: first death → last label`,
      unit: 's',
      value: single(healing.seconds),
      floor: single(floor.seconds),
    },
    {
      what: `${what}: each from the first death to its label`,
      unit: 'ms',
      value: spread(healing.each),
      floor: spread(floor.each),
    },
    {
      what: `${what}: CPU of each group until all are labelled`,
      unit: 'ms',
      value: single((1000 * cpuSeconds) / shards.groups),
    },
    {
      what: `${what}: requests of each group until all are labelled`,
      unit: 'requests',
      value: single(requests / shards.groups),
    },
  ]
}

interface Healing {
  readonly seconds: number
  /** Milliseconds until the label of each group. */
  readonly each: readonly number[]
}

/** The same deaths, answered at once with the writes that each group needs, those of one pod one after the other. */
async function healBare(stage: Stage, shards: Shards): Promise<Healing> {
  const { api } = stage
  await createNamespace(api, FLOOR_NAMESPACE)
  await createPods(stage, FLOOR_NAMESPACE, shards.pods, 'first')
  const next = await createPods(stage, FLOOR_NAMESPACE, shards.pods, 'next')
  const led = (shard: number): readonly number[] =>
    range(shards.groups).filter((index) => index % shards.pods === shard)
  const keyOf = (index: number): string => `floor.example/g${index}`
  const patch = async ({ metadata: { name, uid, resourceVersion } }: Pod, change: object): Promise<Pod> =>
    must(
      await api.mergePatch(
        Pods,
        { namespace: FLOOR_NAMESPACE, name },
        { metadata: { uid, resourceVersion, ...change } },
      ),
    )
  const bare = new Map<number, Bare>()
  await inParallel(range(shards.groups), async (index) => {
    bare.set(index, await createBare(api, FLOOR_NAMESPACE, `g${index}`, { direct: false }))
  })
  // As many keys as the operator's pods bear.
  const stamped = await Promise.all(
    next.map(async (pod, shard) => {
      const stamps = Object.fromEntries(led(shard).map((index) => [`${keyOf(index)}.sealed`, 'gate/0']))
      return await patch(pod, { annotations: stamps })
    }),
  )
  await using watched = await watchCommits(api, Pods, FLOOR_NAMESPACE)
  const reacting = stamped.map(async (pod, shard) => {
    await watched.next(
      `the death of ${shard}`,
      ({ gone, object }) => gone && object.metadata.name === `shard-${shard}-first`,
    )
    await inParallel(led(shard), async (index) => void must(await advanceBare(api, bare.get(index)!.lease, pod)))
    let present = pod
    for (const index of led(shard)) {
      const key = keyOf(index)
      present = await patch(present, { labels: { [key]: 'leader' }, annotations: { [`${key}.term`]: '1' } })
    }
  })
  const healing = await heal(stage, FLOOR_NAMESPACE, shards, range(shards.groups).map(keyOf))
  await Promise.all(reacting)
  return healing
}

/** Until each key is on a pod that stood by. */
async function heal(stage: Stage, namespace: string, { pods }: Shards, keys: readonly string[]): Promise<Healing> {
  await using commits = await watchCommits(stage.observer, Pods, namespace)
  let begunAt: number | undefined
  const labelledAt = new Map<string, number>()
  commits.on(({ gone, at, object }) => {
    if (gone) begunAt ??= at
    else if (object.metadata.name.endsWith('-next')) {
      for (const key of keys) {
        if (object.metadata.labels?.[key] === 'leader' && !labelledAt.has(key)) labelledAt.set(key, at)
      }
    }
  })
  await vanish(
    stage,
    range(pods).map((shard) => ({ namespace, name: `shard-${shard}-first` })),
  )
  await Promise.race([
    eventually(
      { what: `${keys.length} groups to be led again`, millis: LIMIT_MILLIS, signal: stage.signal },
      async () => (labelledAt.size === keys.length ? true : undefined),
    ),
    commits.lost,
  ])
  const each = [...labelledAt.values()].map((at) => at - begunAt!)
  return { seconds: Math.max(...each) / 1000, each }
}

async function createPods(stage: Stage, namespace: string, pods: number, generation: string): Promise<readonly Pod[]> {
  return await Promise.all(
    range(pods).map((shard) => createReadyPod(stage, namespace, `shard-${shard}-${generation}`, `shard-${shard}`)),
  )
}

async function untilLed({ api, signal }: Stage, { groups }: Shards, generation: string): Promise<void> {
  await eventually({ what: `${groups} leaders`, millis: LIMIT_MILLIS, intervalMillis: 500, signal }, async () => {
    const { items } = must(await api.list(LeaderGroups, { namespace: NAMESPACE }))
    return items.filter(({ status }) => status?.holder?.endsWith(generation)).length === groups ? true : undefined
  })
}

async function untilResting({ audit, signal }: Stage): Promise<void> {
  await eventually({ what: 'rest', millis: LIMIT_MILLIS, intervalMillis: REST_MILLIS, signal }, async () => {
    return (await audit.writes()).length === 0 ? true : undefined
  })
}

function range(length: number): readonly number[] {
  return [...Array(length).keys()]
}
