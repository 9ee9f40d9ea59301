/**
 * Ways to die on a real node, and ways only to seem dead. The electors are ones that never empty their Lease themselves:
 * where it is emptied, the operator did it, on what it takes for a proof of death.
 */
import { readFile } from 'node:fs/promises'
import { Pods, type Resource, type KubeObject } from '../../src/kube/objects.ts'
import { must } from '../controlplane/must.ts'
import { processesOf } from './cgroup.ts'
import { startedAt } from './process-time.ts'
import { wallMillis } from './record.ts'
import type { PodFacts, Scene } from './scene.ts'
import { type Setting, electorOf } from './setting.ts'

export interface DeathCase {
  readonly title: string
  readonly setting: Setting
  /** The operator must take it for a death, or must not. */
  readonly isProof: boolean
  /** Resolves to when it happened. */
  readonly act: (scene: Scene, leader: PodFacts) => Promise<number>
  readonly repair?: (scene: Scene, leader: PodFacts) => Promise<void>
}

const CLIENT_GO: Setting = { elector: 'client-go', routing: 'Direct', releaseDeadHolder: true, releases: false }
const LIBRARY: Setting = { elector: 'library', routing: 'Direct', releaseDeadHolder: true }
const Evictions: Resource<KubeObject> = { group: '', version: 'v1', plural: 'pods', kind: 'Pod' }

const kill = (scene: Scene, { name }: PodFacts): Promise<number> => scene.signal(name, 'SIGKILL', 'elector')

export const DEATHS: readonly DeathCase[] = [
  { title: 'container killed (SIGKILL)', setting: CLIENT_GO, isProof: true, act: kill },
  {
    title: 'pod deleted gracefully',
    setting: CLIENT_GO,
    isProof: true,
    async act(scene, { name }) {
      const at = wallMillis()
      must(await scene.world.api.delete(Pods, { namespace: scene.namespace, name }))
      return at
    },
  },
  {
    title: 'pod evicted',
    setting: CLIENT_GO,
    isProof: true,
    async act(scene, { name }) {
      const { namespace } = scene
      const at = wallMillis()
      const eviction = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name, namespace } }
      const path = { ...Evictions, plural: `pods/${name}/eviction` }
      must(await scene.world.api.create(path, namespace, eviction))
      return at
    },
  },
  {
    title: 'pod deleted by force while it runs',
    setting: CLIENT_GO,
    isProof: false,
    async act(scene, { name }) {
      const at = wallMillis()
      await scene.kubectl('delete', 'pod', name, '--grace-period=0', '--force')
      return at
    },
  },
  {
    title: 'node lost',
    setting: CLIENT_GO,
    isProof: false,
    async act(scene, leader) {
      const at = wallMillis()
      await scene.node(leader).setCable('down')
      return at
    },
    repair: (scene, leader) => scene.node(leader).setCable('up'),
  },
  {
    title: 'elector killed, another container lives, and nobody says which one elects',
    setting: { ...CLIENT_GO, unnamedElector: true },
    isProof: false,
    act: kill,
  },
  {
    title: 'elector killed that is a sidecar (restartable init container)',
    setting: { elector: 'sidecar', routing: 'Direct', releaseDeadHolder: true },
    isProof: true,
    act: kill,
  },
  {
    title: 'container ended by itself, exit code 0',
    setting: LIBRARY,
    isProof: true,
    act: (scene, { name }) => scene.signal(name, 'SIGINT', 'elector'),
  },
  {
    title: 'container out of memory (OOMKilled)',
    setting: { ...LIBRARY, memoryLimit: '200Mi' },
    isProof: true,
    act: (scene, { name }) => scene.signal(name, 'SIGHUP', 'elector'),
  },
  {
    title: 'container killed that nobody restarts (restart policy Never)',
    setting: { ...LIBRARY, kind: 'Pods' },
    isProof: true,
    act: kill,
    // The pod stays as it is: there is nothing to wait for, and no way back.
    repair: async (scene, { name }) => void (await scene.kubectl('delete', 'pod', name)),
  },
  {
    title: 'only container killed, after an init container that had ended, and nobody says which one elects',
    setting: { ...LIBRARY, unnamedElector: true, initContainer: true },
    isProof: true,
    act: kill,
  },
]

/** Processes of the pod's elector that ran at `at` and run still; where nodes are not ours nobody can tell. */
export async function survivors(scene: Scene, { uid, node }: PodFacts, at: number): Promise<readonly number[]> {
  const { own } = scene.world
  if (!own) return []
  const { word } = electorOf(scene.setting)
  const alive: number[] = []
  for (const pid of await processesOf(own.node(node).site.cgroup)) {
    const read = (name: string): Promise<string> => readFile(`/proc/${pid}/${name}`, 'utf8').catch(() => '')
    if (!(await read('cgroup')).includes(uid) || !(await read('cmdline')).includes(word)) continue
    const since = await startedAt(pid)
    if (since !== undefined && since < at) alive.push(pid)
  }
  return alive
}
