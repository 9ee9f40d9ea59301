/** Many groups whose leaders are all on one node, which loses its power. */
import { type Pod, Pods } from '../../src/kube/objects.ts'
import { watch } from '../../src/kube/watch.ts'
import { systemClock } from '../../src/clock.ts'
import { must } from '../controlplane/must.ts'
import { eventually } from '../controlplane/eventually.ts'
import { areAllOpen } from './ready.ts'
import { wallMillis } from './record.ts'
import { LeaderGroups } from '../../src/operator/resources.ts'
import { type World, succeed } from './world.ts'

export interface CrowdSpec {
  readonly groups: number
  /** Pods on the node that is lost; its groups share them. */
  readonly pods: number
  readonly lost: string
  readonly other: string
}

export interface Crowd {
  readonly groups: number
  /** From the power's end to the API server's first word of a pod that is not ready, or deleted. */
  readonly noticedMillis: number
  /** From that word to the label of each group's next leader, in order. */
  readonly labelMillis: readonly number[]
}

const NAMESPACE = 'nodes-crowd'
const WAIT_MILLIS = 600_000
const OUT_OF_SERVICE = 'node.kubernetes.io/out-of-service=nodeshutdown:NoExecute'

export async function crowdFailsOver(world: World, spec: CrowdSpec): Promise<Crowd> {
  const { own } = world
  if (!own) throw new Error('only nodes of our own can be taken away')
  const apply = (items: readonly object[]): Promise<string> =>
    succeed(world, ['apply', '-n', NAMESPACE, '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items }))
  await eventually({ what: 'all nodes', millis: WAIT_MILLIS, intervalMillis: 500 }, async () => {
    return (await areAllOpen(world.api)) ? true : undefined
  })
  await succeed(world, ['create', 'namespace', NAMESPACE])
  try {
    const shards = Array.from({ length: spec.pods }, (_, index) => index)
    // The pod that was ready first leads: those of the node that is to be lost.
    for (const node of [spec.lost, spec.other]) {
      await apply(shards.map((shard) => pod(world, shard, node)))
      await succeed(world, ['wait', 'pod', '--all', '-n', NAMESPACE, '--for=condition=Ready', '--timeout=170s'])
    }
    await apply(Array.from({ length: spec.groups }, (_, index) => group(index, index % spec.pods)))
    await untilLedOn(world, spec.groups, spec.lost)
    return await lose(world, spec)
  } finally {
    await succeed(world, ['delete', 'namespace', NAMESPACE, '--wait=false'])
  }
}

async function lose(world: World, { groups, lost, other }: CrowdSpec): Promise<Crowd> {
  const { api, own } = world
  const stop = new AbortController()
  let noticedAt: number | undefined
  const labelledAt = new Map<string, number>()
  const surroundings = { clock: systemClock, random: Math.random, signal: stop.signal }
  const source = { resource: Pods, namespace: NAMESPACE, trim: (pod: Pod) => pod }
  const following = (async () => {
    for await (const change of watch(api, source, surroundings)) {
      if (change.kind === 'reset') continue
      const { metadata, spec, status } = change.object
      if (spec?.nodeName === lost) {
        const ready = status?.conditions?.find(({ type }) => type === 'Ready')
        const isGoing = change.kind === 'delete' || metadata.deletionTimestamp !== undefined
        if (isGoing || ready?.status !== 'True') noticedAt ??= wallMillis()
      } else {
        for (const [key, value] of Object.entries(metadata.labels ?? {})) {
          if (key.endsWith('.leadergroup.io/role') && value === 'leader' && !labelledAt.has(key))
            labelledAt.set(key, wallMillis())
        }
      }
    }
  })()
  following.catch(() => undefined)
  const node = own!.node(lost)
  const at = wallMillis()
  await node.powerOff()
  try {
    await world.kubectl(['taint', 'node', lost, OUT_OF_SERVICE])
    await eventually({ what: `${groups} leaders on ${other}`, millis: WAIT_MILLIS }, () => {
      return Promise.resolve(labelledAt.size === groups ? true : undefined)
    })
  } finally {
    stop.abort()
    await following
    await node.powerOn()
    await world.kubectl(['taint', 'node', lost, `${OUT_OF_SERVICE}-`])
  }
  if (noticedAt === undefined) throw new Error(`all leaders are on ${other}, and no pod of ${lost} was seen to go`)
  const since = noticedAt
  const labelMillis = [...labelledAt.values()].map((time) => time - since).toSorted((a, b) => a - b)
  return { groups, noticedMillis: since - at, labelMillis }
}

async function untilLedOn({ api }: World, groups: number, node: string): Promise<void> {
  const suffix = `-${node}`
  await eventually({ what: `${groups} leaders on ${node}`, millis: WAIT_MILLIS, intervalMillis: 500 }, async () => {
    const { items } = must(await api.list(LeaderGroups, { namespace: NAMESPACE }))
    const led = items.filter(({ status }) => status?.holder?.endsWith(suffix))
    return led.length === groups ? true : undefined
  })
}

function pod({ images }: World, shard: number, node: string): object {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: `shard-${shard}-${node}`, labels: { shard: String(shard) } },
    spec: {
      nodeName: node,
      automountServiceAccountToken: false,
      terminationGracePeriodSeconds: 0,
      containers: [
        {
          name: 'server',
          image: images.workload,
          imagePullPolicy: 'IfNotPresent',
          command: ['node', '/app/serve.ts'],
          env: [{ name: 'POD_NAME', value: `shard-${shard}-${node}` }],
          readinessProbe: { httpGet: { path: '/ready', port: 8080 }, periodSeconds: 1 },
        },
      ],
    },
  }
}

function group(index: number, shard: number): object {
  return {
    apiVersion: 'leadergroup.io/v1alpha1',
    kind: 'LeaderGroup',
    metadata: { name: `g${index}` },
    spec: { selector: { matchLabels: { shard: String(shard) } } },
  }
}
