/**
 * What no operator can be faster than on this machine at this moment: a watch that answers an event with the same
 * writes, decided beforehand. It is measured in turn with the real thing, by the same observer.
 */
import { EndpointSlices, type EndpointSlice, type Lease, Leases, type Pod, Pods } from '../src/kube/objects.ts'
import type { Api } from '../src/kube/api.ts'
import { must } from '../e2e/controlplane/must.ts'
import type { Commit, Commits } from './commits.ts'
import { createReadyPod } from './population.ts'
import { type Stage, createNamespace } from './stage.ts'
import { type Trigger, triggered } from './trigger.ts'

const NAMESPACE = 'floor'
/** Not in the form of a group's keys: an operator would take them off, and the floor would wait for that. */
const ROLE = 'floor.example/role'
const TERM = 'floor.example/term'
const SEALED = 'floor.example/sealed'

/** Takes turns at the lead among bare pods, for one slice too if `direct`. */
export async function openFloor(stage: Stage, direct: boolean): Promise<Floor> {
  await createNamespace(stage.api, NAMESPACE)
  const name = direct ? 'direct' : 'labels'
  const leader = await createReadyPod(stage, NAMESPACE, `${name}-0`, name)
  return new Floor(stage, name, leader, await createBare(stage.api, NAMESPACE, name, { direct }))
}

/** What is written beside the pod. */
export interface Bare {
  readonly lease: Lease
  readonly slice?: EndpointSlice
}

export class Floor {
  readonly #stage: Stage
  readonly #name: string
  #bare: Bare
  #leader: Pod
  #pods = 0

  constructor(stage: Stage, name: string, leader: Pod, bare: Bare) {
    this.#stage = stage
    this.#name = name
    this.#leader = leader
    this.#bare = bare
  }

  /** Milliseconds from the commit that begins the change to the commit of the label, as `observed` saw both. */
  async measure(trigger: Trigger, watched: Commits<Pod>, observed: Commits<Pod>): Promise<number> {
    const { api } = this.#stage
    const old = this.#leader
    const next = await createReadyPod(this.#stage, NAMESPACE, `${this.#name}-${(this.#pods += 1)}`, this.#name)
    const { uid } = next.metadata
    const begun = observed.next('the floor begins', (commit) => triggered(trigger, old.metadata.uid, commit))
    const labelled = observed.next(
      'the floor ends',
      (commit) => commit.object.metadata.uid === uid && isBareLeader(commit),
    )
    const reacted = this.#react(trigger, old, next, watched)
    await trigger.pull(api, old)
    await reacted
    const [from, to] = await Promise.all([begun, labelled])
    if (!trigger.gone)
      await api.delete(Pods, { namespace: NAMESPACE, name: old.metadata.name }, { gracePeriodSeconds: 0 })
    this.#leader = next
    return to.at - from.at
  }

  async #react(trigger: Trigger, old: Pod, next: Pod, watched: Commits<Pod>): Promise<void> {
    const { api } = this.#stage
    const begun = await watched.next('the floor’s watch', (commit) => triggered(trigger, old.metadata.uid, commit))
    if (!trigger.gone) must(await patchBare(api, begun.object, { seal: true }))
    this.#bare = await nameBare(api, this.#bare, next)
  }
}

export async function createBare(
  api: Api,
  namespace: string,
  name: string,
  { direct }: { readonly direct: boolean },
): Promise<Bare> {
  const lease = must(
    await api.create<Lease>(Leases, namespace, {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name },
      spec: { leaseDurationSeconds: 2 ** 31 - 1 },
    }),
  )
  if (!direct) return { lease }
  const slice = {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name, labels: { 'kubernetes.io/service-name': name } },
    addressType: 'IPv4',
    endpoints: [],
    ports: [{ name: 'sql', port: 5432, protocol: 'TCP' }],
  }
  return { lease, slice: must(await api.create<EndpointSlice>(EndpointSlices, namespace, slice)) }
}

/** One write for each kind that an operator would need, one after the other, each with the version read. */
export async function nameBare(api: Api, { lease, slice }: Bare, pod: Pod): Promise<Bare> {
  const named = must(await advanceBare(api, lease, pod))
  const swapped = slice && must(await swapBare(api, slice, pod))
  must(await patchBare(api, pod, { seal: false }))
  return { lease: named, ...(swapped ? { slice: swapped } : {}) }
}

export function isBareLeader({ gone, object }: Commit<Pod>): boolean {
  return !gone && object.metadata.labels?.[ROLE] === 'leader'
}

export function advanceBare(api: Api, lease: Lease, { metadata }: Pod): ReturnType<typeof api.replace<Lease>> {
  const { namespace, name } = lease.metadata
  const transitions = (lease.spec?.leaseTransitions ?? 0) + 1
  const spec = { ...lease.spec, holderIdentity: `${metadata.name}_${metadata.uid}`, leaseTransitions: transitions }
  return api.replace(Leases, { namespace: namespace!, name }, { ...lease, spec })
}

function swapBare(
  api: Api,
  slice: EndpointSlice,
  { metadata, status }: Pod,
): ReturnType<typeof api.replace<EndpointSlice>> {
  const { namespace, name } = slice.metadata
  const { name: pod, uid } = metadata
  // Owned by nobody: a slice that the garbage collector takes along with the old pod is no floor.
  return api.replace(
    EndpointSlices,
    { namespace: namespace!, name },
    {
      ...slice,
      endpoints: [{ addresses: [status!.podIP!], targetRef: { kind: 'Pod', namespace, name: pod, uid } }],
    },
  )
}

function patchBare(
  api: Api,
  { metadata: { namespace, name, uid, resourceVersion } }: Pod,
  { seal }: { readonly seal: boolean },
): ReturnType<typeof api.mergePatch<Pod>> {
  const labels = { [ROLE]: seal ? null : 'leader' }
  const annotations = seal ? { [TERM]: null, [SEALED]: `${uid}/1` } : { [TERM]: '2' }
  return api.mergePatch(
    Pods,
    { namespace: namespace!, name },
    { metadata: { uid, resourceVersion, labels, annotations } },
  )
}
