/** The demo: a group, a Service and three pods; the leader is deleted; what happened is printed. */
import { randomBytes } from 'node:crypto'
import { groupKeys } from '../../src/group/keys.ts'
import { Pods } from '../../src/kube/objects.ts'
import { LeaderGroups } from '../../src/operator/resources.ts'
import { eventually } from '../controlplane/eventually.ts'
import { must } from '../controlplane/must.ts'
import { playKubelet } from '../kubelet.ts'
import { podManifest } from '../pods.ts'
import { resource } from './install.ts'
import type { Stage } from './stage.ts'
import { table } from './table.ts'
import { observe, type Observer } from './timeline.ts'

const GROUP = 'db'
const PODS = ['db-0', 'db-1', 'db-2']
const ROLE = groupKeys(GROUP).role

const Services = resource('v1', 'Service', 'services')
const Namespaces = resource('v1', 'Namespace', 'namespaces')
const ServiceAccounts = resource('v1', 'ServiceAccount', 'serviceaccounts')

/** Images are pulled on a real cluster. */
const READY_MILLIS = 120_000

export interface Script {
  readonly stage: Stage
  readonly namespace: string
  readonly say: (line: string) => void
  readonly signal: AbortSignal
}

/** Makes a namespace of its own for the demo; resolves to its name. */
export async function makeNamespace({ api }: Stage, signal: AbortSignal): Promise<string> {
  const name = `leadergroup-demo-${randomBytes(3).toString('hex')}`
  must(await api.create(Namespaces, undefined, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } }))
  await eventually({ what: `the default service account of ${name}`, millis: 30_000, signal }, async () =>
    (await api.get(ServiceAccounts, { namespace: name, name: 'default' })).kind === 'ok' ? true : undefined,
  )
  return name
}

export async function removeNamespace({ api }: Stage, name: string): Promise<void> {
  await api.delete(Namespaces, { name })
}

/** Resolves once a leader is elected and routed to. */
export async function setTheScene({ stage, namespace, say, signal }: Script): Promise<Observer> {
  const { api } = stage
  must(await api.create(LeaderGroups, namespace, group()))
  say(`LeaderGroup ${GROUP} selects the pods labelled app: ${GROUP}`)
  must(await api.create(Services, namespace, service()))
  say(`Service ${GROUP} selects ${ROLE}: leader`)
  if (!stage.hasNodes) {
    void playKubelet(api, { namespaces: [namespace], signal }).catch((error: unknown) => {
      if (!signal.aborted) say(`the played kubelet failed: ${String(error)}`)
    })
    say('This cluster has no nodes: no container runs, and the demo plays the kubelet that makes pods Ready.')
  }
  const observer = observe(api, { namespace, group: GROUP, role: ROLE, service: GROUP }, signal)
  await Promise.all(PODS.map((name) => createPod(stage, namespace, name)))
  say(`Pods ${PODS.join(', ')} are created`)
  await routedTo(observer, await leader(stage, namespace, signal), signal)
  return observer
}

export async function leader({ api }: Stage, namespace: string, signal: AbortSignal, not?: string): Promise<string> {
  return eventually({ what: 'a leader to be elected', millis: READY_MILLIS, signal }, async () => {
    const { status } = must(await api.get(LeaderGroups, { namespace, name: GROUP }))
    return status?.holderUID === not ? undefined : status?.holder
  })
}

/** Deletes the leader and prints the time line of what followed; resolves to the name of the next one. */
export async function failOver({ stage, namespace, say, signal }: Script, observer: Observer): Promise<string> {
  const { api } = stage
  const before = must(await api.get(LeaderGroups, { namespace, name: GROUP })).status
  const first = before?.holder ?? ''
  say(`Deleting the leader: pod ${first}, with no grace period`)
  observer.begin()
  must(await api.delete(Pods, { namespace, name: first }, { gracePeriodSeconds: 0 }))
  const next = await leader(stage, namespace, signal, before?.holderUID)
  await routedTo(observer, next, signal)
  const gone = observer.sightings.find(({ what }) => what === `pod ${first} is gone`)?.at ?? 0
  for (const { at, what } of observer.sightings) say(`${(at - gone).toFixed(1).padStart(8)} ms  ${what}`)
  await createPod(stage, namespace, first)
  return next
}

/** What a person sees: `kubectl get leadergroups`, or the same where kubectl is missing. */
export async function show({ stage, namespace, say }: Script): Promise<void> {
  const output = await stage.kubectl(['get', 'leadergroups', '--namespace', namespace])
  say('$ kubectl get leadergroups')
  if (output === undefined) say(table(must(await stage.api.list(LeaderGroups, { namespace })).items))
  else say(output.trimEnd())
}

async function routedTo(observer: Observer, pod: string, signal: AbortSignal): Promise<void> {
  await eventually({ what: `the Service to route to ${pod}`, millis: 30_000, intervalMillis: 10, signal }, () => {
    const last = observer.sightings.findLast(({ what }) => what.startsWith("the Service's EndpointSlice"))
    return Promise.resolve(last?.what.endsWith(` ${pod}`) ? true : undefined)
  })
}

async function createPod({ api, hasNodes }: Stage, namespace: string, name: string): Promise<void> {
  const spec = { namespace, name, labels: { app: GROUP } }
  must(await api.create(Pods, namespace, podManifest(hasNodes ? spec : { ...spec, node: 'node-1' })))
}

function group(): unknown {
  return {
    apiVersion: 'leadergroup.io/v1alpha1',
    kind: 'LeaderGroup',
    metadata: { name: GROUP },
    spec: { selector: { matchLabels: { app: GROUP } } },
  }
}

function service(): unknown {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: GROUP },
    spec: { selector: { [ROLE]: 'leader' }, ports: [{ name: 'sql', port: 5432 }] },
  }
}
