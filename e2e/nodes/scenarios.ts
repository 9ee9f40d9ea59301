/** What happens to a leader: one row, one scenario. */
import { Leases, Pods } from '../../src/kube/objects.ts'
import { eventually } from '../controlplane/eventually.ts'
import { must } from '../controlplane/must.ts'
import { changeByHand } from './hand.ts'
import { killPod } from './kill-pod.ts'
import { wallMillis } from './record.ts'
import type { PodFacts, Scene } from './scene.ts'
import type { Setting } from './setting.ts'

export interface Scenario {
  readonly name: string
  readonly title: string
  /** Needs nodes that can be taken away. */
  readonly ownNodes?: true
  readonly limitMillis: number
  readonly settings: readonly Setting[]
  /** How often in a whole run. */
  readonly times: (setting: Setting) => number
  /** Resolves to when it happened. */
  readonly act: (scene: Scene, leader: PodFacts) => Promise<number>
  /** Puts right what does not come right by itself. */
  readonly repair?: (scene: Scene, leader: PodFacts) => Promise<void>
}

const MINUTE = 60_000
const ASSIGN: readonly Setting[] = [
  { elector: 'none', routing: 'Direct' },
  { elector: 'none', routing: 'Direct', leaderOnly: true },
  { elector: 'none', routing: 'Selector' },
  { elector: 'none', routing: 'own Service' },
]
const [ASSIGN_DIRECT] = ASSIGN as readonly [Setting]
const BY_HAND: readonly Setting[] = [{ elector: 'hand', routing: 'Direct', leaderOnly: true }]
const OBSERVE: readonly Setting[] = (['library', 'elect', 'sidecar', 'client-go'] as const).map((elector) => ({
  elector,
  routing: 'Direct',
}))
const RELEASING = OBSERVE.map((setting) => ({ ...setting, releaseDeadHolder: true }))
const OPERATOR = { namespace: 'leadergroup-system', label: 'control-plane=controller-manager' }
const OUT_OF_SERVICE = 'node.kubernetes.io/out-of-service=nodeshutdown:NoExecute'

/** A whole run is long: what the README names comes first, and most often. */
export const SCENARIOS: readonly Scenario[] = [
  {
    name: 'planned',
    title: 'leader made ineligible, both pods live',
    limitMillis: MINUTE,
    settings: ASSIGN,
    times: (setting) => (setting.routing === 'Direct' ? 15 : 3),
    act: excuse,
    repair: readmit,
  },
  {
    name: 'planned-by-hand',
    title: 'leader changed by hand, both pods live: what the cluster itself takes',
    limitMillis: MINUTE,
    settings: BY_HAND,
    times: () => 15,
    act: ({ world: { api }, namespace }, leader) => changeByHand({ api, namespace }, leader),
  },
  {
    // All kube-proxies of this cluster write at the same moment, on the cores of one machine. Those of real nodes do not.
    name: 'planned-alone',
    title: "leader made ineligible, both pods live, and kube-proxy runs on the client's node alone",
    ownNodes: true,
    limitMillis: MINUTE,
    settings: ASSIGN.filter(({ routing }) => routing === 'Direct'),
    times: () => 15,
    act(scene, leader) {
      for (const node of scene.serverNodes) node.pauseRouting()
      return excuse(scene, leader)
    },
    async repair(scene, leader) {
      for (const node of scene.serverNodes) node.resumeRouting()
      await readmit(scene, leader)
    },
  },
  {
    name: 'kill',
    title: 'container killed (SIGKILL)',
    limitMillis: 2 * MINUTE,
    settings: [...ASSIGN, ...OBSERVE, ...RELEASING],
    times: (setting) => (setting.elector !== 'client-go' ? 2 : setting.releaseDeadHolder ? 5 : 3),
    act: (scene, { name }) => scene.signal(name, 'SIGKILL', 'elector'),
  },
  {
    name: 'delete',
    title: 'leader deleted gracefully',
    limitMillis: MINUTE,
    settings: [...ASSIGN, ...OBSERVE, { ...OBSERVE[0]!, routing: 'Selector' }],
    times: () => 2,
    act: remove,
  },
  {
    name: 'operator',
    title: "leader deleted, operator's leader killed in the same moment",
    ownNodes: true,
    limitMillis: MINUTE,
    settings: [ASSIGN_DIRECT],
    times: () => 3,
    async act(scene, leader) {
      await killPod(scene.world, await operatorLeader(scene))
      return await remove(scene, leader)
    },
  },
  {
    name: 'apiserver',
    title: 'leader deleted, API server restarted in the same moment',
    ownNodes: true,
    limitMillis: 2 * MINUTE,
    settings: [ASSIGN_DIRECT],
    times: () => 2,
    async act(scene, leader) {
      const at = await remove(scene, leader)
      await scene.world.own!.cluster.plane.processes.apiserver.restart()
      return at
    },
  },
  {
    name: 'off',
    title: "leader's node powered off and tainted out-of-service",
    ownNodes: true,
    limitMillis: 5 * MINUTE,
    settings: [ASSIGN_DIRECT, OBSERVE[3]!, RELEASING[3]!],
    times: () => 1,
    async act(scene, leader) {
      await awayFrom(scene, leader)
      const at = wallMillis()
      await scene.node(leader).powerOff()
      await scene.kubectl('taint', 'node', leader.node, OUT_OF_SERVICE)
      return at
    },
    async repair(scene, leader) {
      await scene.node(leader).powerOn()
      await scene.kubectl('taint', 'node', leader.node, `${OUT_OF_SERVICE}-`)
    },
  },
  {
    name: 'cut',
    title: "network of the leader's node cut",
    ownNodes: true,
    limitMillis: 5 * MINUTE,
    settings: [ASSIGN_DIRECT, OBSERVE[0]!],
    times: () => 1,
    async act(scene, leader) {
      await awayFrom(scene, leader)
      const at = wallMillis()
      await scene.node(leader).setCable('down')
      return at
    },
    repair: (scene, leader) => scene.node(leader).setCable('up'),
  },
  {
    name: 'unready',
    title: 'readiness lost',
    limitMillis: MINUTE,
    settings: ASSIGN,
    times: () => 2,
    act: (scene, { name }) => scene.signal(name, 'SIGUSR2', 'server'),
    // It stays so: another pod takes its place.
    repair: async (scene, { name }) => void (await scene.kubectl('delete', 'pod', name)),
  },
  {
    name: 'drain',
    title: 'node drained',
    limitMillis: MINUTE,
    settings: ASSIGN,
    times: () => 2,
    async act(scene, { name, node }) {
      const startedAt = wallMillis()
      const draining = scene.kubectl(
        'drain',
        node,
        '--ignore-daemonsets',
        '--delete-emptydir-data',
        '--pod-selector=app=db',
      )
      // The drain is over when its pods are gone; what follows shows whether that went well.
      draining.catch(() => undefined)
      const seen = await scene.record.until(
        'the eviction',
        MINUTE,
        startedAt,
        ({ kind, pod }) => kind === 'terminating' && pod === name,
      )
      await draining
      return seen.at
    },
    repair: async (scene, { node }) => void (await scene.kubectl('uncordon', node)),
  },
  {
    name: 'rollout',
    title: 'Deployment rolled',
    limitMillis: MINUTE,
    settings: ASSIGN,
    times: () => 1,
    async act(scene, { name }) {
      const startedAt = wallMillis()
      await scene.kubectl('rollout', 'restart', 'deployment/db')
      const seen = await scene.record.until(
        "the leader's end",
        2 * MINUTE,
        startedAt,
        ({ kind, pod }) => kind === 'terminating' && pod === name,
      )
      return seen.at
    },
  },
  {
    name: 'recreate',
    title: 'StatefulSet pod recreated under its name',
    limitMillis: MINUTE,
    settings: ASSIGN.map((setting) => ({ ...setting, kind: 'StatefulSet' })),
    times: () => 2,
    act: remove,
  },
  {
    name: 'linger',
    title: 'leader deleted, answers for 5 s more',
    limitMillis: MINUTE,
    settings: ASSIGN.map((setting) => ({ ...setting, lingerMillis: 5_000 })),
    times: () => 1,
    act: remove,
  },
]

/** No candidate any more, though it goes on as before. */
async function excuse({ world: { api }, namespace }: Scene, { name }: PodFacts): Promise<number> {
  const at = wallMillis()
  const metadata = { annotations: { 'leadergroup.io/ineligible': 'true' } }
  must(await api.mergePatch(Pods, { namespace, name }, { metadata }))
  return at
}

async function readmit(scene: Scene, { name }: PodFacts): Promise<void> {
  await scene.kubectl('annotate', 'pod', name, 'leadergroup.io/ineligible-')
}

async function remove({ world: { api }, namespace }: Scene, { name }: PodFacts): Promise<number> {
  const at = wallMillis()
  must(await api.delete(Pods, { namespace, name }))
  return at
}

/** The pod of the operator that acts. */
async function operatorLeader({ world: { api } }: Scene): Promise<PodFacts> {
  const { namespace } = OPERATOR
  return await eventually({ what: 'a pod that leads the operators', millis: MINUTE }, async () => {
    const { items } = must(await api.list(Leases, { namespace }))
    const [name] = (items[0]?.spec?.holderIdentity ?? '').split('_')
    if (!name) return undefined
    const found = await api.get(Pods, { namespace, name })
    if (found.kind !== 'ok' || found.object.metadata.deletionTimestamp !== undefined) return undefined
    const { metadata, spec } = found.object
    return { name, uid: metadata.uid, node: spec!.nodeName! }
  })
}

/** What is measured is the group's failover alone: the operator that acts is to be on another node. */
async function awayFrom(scene: Scene, { node }: PodFacts): Promise<void> {
  for (;;) {
    const acting = await operatorLeader(scene)
    if (acting.node !== node) return
    // It hands over, and comes back somewhere.
    await scene.world.kubectl(['-n', OPERATOR.namespace, 'delete', 'pod', acting.name])
    await scene.world.kubectl([
      '-n',
      OPERATOR.namespace,
      'wait',
      'pod',
      '-l',
      OPERATOR.label,
      '--for=condition=Ready',
      '--timeout=60s',
    ])
  }
}
