/**
 * What no operator can be faster than on this machine at this moment: a watch that answers an event with the same
 * writes, decided beforehand. It is measured in turn with the real thing, by the same observer.
 */
import { type Lease, Leases, type Pod, Pods } from '../src/kube/objects.ts'
import type { Api } from '../src/kube/api.ts'
import { must } from '../e2e/controlplane/must.ts'
import type { Commits } from './commits.ts'
import { createReadyPod } from './population.ts'
import { type Stage, createNamespace } from './stage.ts'
import { type Trigger, isLabelled, triggered } from './trigger.ts'

const NAMESPACE = 'floor'
const GROUP = 'floor'

export async function openFloor(stage: Stage): Promise<Floor> {
  await createNamespace(stage.api, NAMESPACE)
  const lease = must(await stage.api.create<Lease>(Leases, NAMESPACE, bareLease('floor')))
  return new Floor(stage, lease, await createReadyPod(stage, NAMESPACE, 'floor-0', GROUP))
}

export class Floor {
  readonly #stage: Stage
  #lease: Lease
  #leader: Pod
  #pods = 0

  constructor(stage: Stage, lease: Lease, leader: Pod) {
    this.#stage = stage
    this.#lease = lease
    this.#leader = leader
  }

  /** Milliseconds from the commit that begins the change to the commit of the label, as `observed` saw both. */
  async measure(trigger: Trigger, watched: Commits<Pod>, observed: Commits<Pod>): Promise<number> {
    const { api } = this.#stage
    const old = this.#leader
    const next = await createReadyPod(this.#stage, NAMESPACE, `floor-${(this.#pods += 1)}`, GROUP)
    const { uid } = next.metadata
    const begun = observed.next('the floor begins', (commit) => triggered(trigger, old.metadata.uid, commit))
    const labelled = observed.next(
      'the floor ends',
      (commit) => commit.object.metadata.uid === uid && isLabelled(commit, GROUP),
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
    this.#lease = must(await advanceBare(api, this.#lease, next))
    must(await patchBare(api, next, { seal: false }))
  }
}

export function bareLease(name: string): object {
  return {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: { name },
    spec: { leaseDurationSeconds: 2 ** 31 - 1 },
  }
}

/** As an operator would: with the version read. */
export function advanceBare(api: Api, lease: Lease, { metadata }: Pod): ReturnType<typeof api.replace<Lease>> {
  const { namespace, name } = lease.metadata
  const transitions = (lease.spec?.leaseTransitions ?? 0) + 1
  const spec = { ...lease.spec, holderIdentity: `${metadata.name}_${metadata.uid}`, leaseTransitions: transitions }
  return api.replace(Leases, { namespace: namespace!, name }, { ...lease, spec })
}

export function patchBare(
  api: Api,
  { metadata: { namespace, name, uid, resourceVersion } }: Pod,
  { seal }: { readonly seal: boolean },
): ReturnType<typeof api.mergePatch<Pod>> {
  const prefix = `${GROUP}.leadergroup.io`
  const labels = { [`${prefix}/role`]: seal ? null : 'leader' }
  const annotations = seal
    ? { [`${prefix}/term`]: null, [`${prefix}/sealed`]: `${uid}/1` }
    : { [`${prefix}/term`]: '2' }
  return api.mergePatch(
    Pods,
    { namespace: namespace!, name },
    { metadata: { uid, resourceVersion, labels, annotations } },
  )
}
