import { EventRecorder } from '../../operator/events.ts'
import type { Log } from '../../operator/log.ts'
import { Metrics } from '../../operator/metrics.ts'
import { GroupOperator } from '../../operator/operator.ts'
import { LeaderGroups } from '../../operator/resources.ts'
import { Pods } from '../../kube/objects.ts'
import { DB, NAMESPACE, type Host, type Scene } from './scene.ts'

const SILENT: Log = { debug() {}, info() {}, warn() {}, error() {}, isEnabled: () => false }

/** The real operator, which acts without asking others: so two of them may. */
export function operator(scene: Scene, host: Host): { readonly end: () => void } {
  const { api, clock, name } = host
  const metrics = new Metrics(clock)
  const events = new EventRecorder({ api, clock, log: SILENT, metrics, instance: name, dryRun: false })
  const stop = new AbortController()
  const random = (): number => 0.5
  const options = {
    api,
    clock,
    random,
    metrics,
    events,
    dryRun: false,
    namespaces: [],
    log: SILENT,
    election: undefined,
  }
  scene.begins(name, 'operator')
  void new GroupOperator(options).run(stop.signal)
  return {
    end: () => {
      stop.abort(new Error('it ends'))
      scene.ends(name, 'operator')
    },
  }
}

export async function createGroup(scene: Scene, spec: object = {}): Promise<void> {
  const selector = { matchLabels: { app: 'db' } }
  const group = { apiVersion: 'leadergroup.io/v1alpha1', kind: 'LeaderGroup', metadata: { name: 'db' } }
  await scene.done(scene.admin.create(LeaderGroups, NAMESPACE, { ...group, spec: { selector, ...spec } }))
}

export async function createPod(scene: Scene, name: string): Promise<void> {
  const spec = { nodeName: 'n1', containers: [{ name: 'db', image: 'db' }] }
  await scene.done(scene.admin.create(Pods, NAMESPACE, { metadata: { name, labels: { app: 'db' } }, spec }))
  await setReady(scene, name, true)
}

export async function setReady(scene: Scene, name: string, isReady: boolean): Promise<void> {
  const conditions = [{ type: 'Ready', status: isReady ? 'True' : 'False', lastTransitionTime: '2026-01-01T00:00:00Z' }]
  const status = { phase: 'Running', podIPs: [{ ip: `10.0.0.${name.at(-1)}` }], conditions }
  const key = { ...DB, name }
  await scene.done(scene.admin.mergePatch(Pods, key, { status }, { subresource: 'status' }))
}

export async function deletePod(scene: Scene, name: string): Promise<void> {
  await scene.done(scene.admin.delete(Pods, { ...DB, name }, { gracePeriodSeconds: 0 }))
}
