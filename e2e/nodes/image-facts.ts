/** What the image costs and how it runs, looked at from its nodes. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { systemClock } from '../../src/clock.ts'
import { type Pod, Pods } from '../../src/kube/objects.ts'
import { eventually } from '../controlplane/eventually.ts'
import { must } from '../controlplane/must.ts'
import { hierarchies, processesOf } from './cgroup.ts'
import type { NodesCluster } from './cluster.ts'
import { BUSYBOX } from './pause.ts'
import { startedAt } from './process-time.ts'
import { run } from './run.ts'
import type { World } from './world.ts'

const NAMESPACE = 'leadergroup-system'
const WAIT_MILLIS = 120_000

export interface ImageFacts {
  readonly bytes: number
  /** Of each replica, from the start of its process to its first "ready". */
  readonly startMillis: readonly number[]
  /** Memory of its own, without the files that the kernel keeps for it, by its control group; the largest first. */
  readonly anonBytes: readonly number[]
  /** In words: user, capabilities, root file system. */
  readonly runsAs: string
}

interface Replica {
  readonly name: string
  readonly uid: string
  readonly node: string
  readonly ip: string
}

export async function imageFacts({ api, own, images }: World): Promise<ImageFacts> {
  if (!own) throw new Error('only on nodes of our own')
  const before = await replicas(own)
  const startMillis: number[] = []
  for (const { name } of before) {
    const known = new Set((await replicas(own)).map((each) => each.name))
    must(await api.delete(Pods, { namespace: NAMESPACE, name }))
    const fresh = await eventually({ what: 'a new replica', millis: WAIT_MILLIS, intervalMillis: 10 }, async () => {
      return (await replicas(own)).find((replica) => !known.has(replica.name) && replica.ip !== '')
    })
    startMillis.push(await readyAfter(own, fresh))
    await eventually({ what: 'two replicas', millis: WAIT_MILLIS }, async () =>
      (await replicas(own)).length === 2 ? true : undefined,
    )
  }
  const now = await replicas(own)
  const anonBytes = await Promise.all(now.map((replica) => anonymousMemory(own, replica)))
  const words = await Promise.all(now.map((replica) => runsAs(own, replica)))
  return {
    bytes: images.operatorBytes!,
    startMillis,
    anonBytes: anonBytes.toSorted((a, b) => b - a),
    runsAs: [...new Set(words)].join('; '),
  }
}

async function replicas({ cluster }: NodesCluster): Promise<readonly Replica[]> {
  const selector = { namespace: NAMESPACE, labelSelector: 'control-plane=controller-manager' }
  const { items } = must(await cluster.api.list<Pod>(Pods, selector))
  return items
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
    .map(({ metadata, spec, status }) => ({
      name: metadata.name,
      uid: metadata.uid,
      node: spec?.nodeName ?? '',
      ip: status?.podIP ?? '',
    }))
}

/** Asked from its own node: the kubelet's probes come seconds apart. */
async function readyAfter(own: NodesCluster, replica: Replica): Promise<number> {
  const { namespace } = own.node(replica.node).site
  const ask = `${BUSYBOX} timeout 1 ${BUSYBOX} wget -q -O /dev/null http://${replica.ip}:8081/readyz`
  const loop = `until ${ask} 2>/dev/null; do sleep 0.01; done`
  await run('nsenter', [`--net=/run/netns/${namespace}`, 'sh', '-c', loop], { millis: WAIT_MILLIS })
  const at = systemClock.wallNow()
  return at - (await startedAt(await processOf(own, replica)))!
}

/** The first process of the operator's container. */
async function processOf(own: NodesCluster, { uid, node }: Replica): Promise<number> {
  return await eventually({ what: 'the process of the operator', millis: WAIT_MILLIS }, async () => {
    for (const pid of await processesOf(own.node(node).site.cgroup)) {
      const read = (name: string): Promise<string> => readFile(`/proc/${pid}/${name}`, 'utf8').catch(() => '')
      if ((await read('cgroup')).includes(uid) && (await read('cmdline')).includes('/leadergroup.mjs')) return pid
    }
    return undefined
  })
}

async function anonymousMemory(own: NodesCluster, replica: Replica): Promise<number> {
  const pid = await processOf(own, replica)
  const tops = await hierarchies()
  const lines = (await readFile(`/proc/${pid}/cgroup`, 'utf8')).split('\n').map((line) => line.split(':'))
  const [version2] = tops.length === 1 ? tops : []
  const group = version2
    ? join(version2, lines.find(([id]) => id === '0')![2]!)
    : join('/sys/fs/cgroup/memory', lines.find(([, controllers]) => controllers === 'memory')![2]!)
  const stat = await readFile(join(group, 'memory.stat'), 'utf8')
  return Number(/^(?:anon|total_rss) (\d+)$/m.exec(stat)![1])
}

async function runsAs(own: NodesCluster, replica: Replica): Promise<string> {
  const pid = await processOf(own, replica)
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  const user = /^Uid:\s+(\d+)/m.exec(status)![1]!
  const capabilities = ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'].map(
    (set) => new RegExp(`^${set}:\\s+(\\S+)`, 'm').exec(status)![1]!,
  )
  const none = capabilities.every((set) => Number(`0x${set}`) === 0)
  const root = (await readFile(`/proc/${pid}/mountinfo`, 'utf8'))
    .split('\n')
    .find((line) => line.split(' ')[4] === '/')!
  const readOnly = root.split(' ')[5]!.split(',').includes('ro')
  return [
    `user ${user}`,
    none ? 'no capabilities' : `capabilities ${capabilities.join(' ')}`,
    readOnly ? 'read-only root' : 'writable root',
  ].join(', ')
}
