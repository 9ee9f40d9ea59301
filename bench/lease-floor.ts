/**
 * What no elector can hand over faster than on this machine at this moment: one write that empties a Lease, a watch that
 * shows it, and one write that names the next holder, both decided beforehand.
 */
import { systemClock as clock } from '../src/clock.ts'
import { type Lease, Leases } from '../src/kube/objects.ts'
import { must } from '../e2e/controlplane/must.ts'
import { type Commits, watchCommits } from './commits.ts'
import { type Stage, createNamespace } from './stage.ts'

const NAMESPACE = 'electors-floor'
const NAME = 'floor'

export async function openLeaseFloor(stage: Stage): Promise<LeaseFloor> {
  await createNamespace(stage.api, NAMESPACE)
  const lease = must(
    await stage.api.create<Lease>(Leases, NAMESPACE, {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name: NAME },
      spec: { holderIdentity: 'first', leaseDurationSeconds: 15, leaseTransitions: 0 },
    }),
  )
  return new LeaseFloor(stage, lease, await watchCommits(stage.observer, Leases, NAMESPACE))
}

export class LeaseFloor implements AsyncDisposable {
  readonly #stage: Stage
  readonly #commits: Commits<Lease>
  #lease: Lease

  constructor(stage: Stage, lease: Lease, commits: Commits<Lease>) {
    this.#stage = stage
    this.#lease = lease
    this.#commits = commits
  }

  /** Milliseconds from before the first write until the second one's answer. */
  async measure(): Promise<number> {
    const from = clock.now()
    const released = this.#commits.next('the floor’s release', ({ object }) => object.spec?.holderIdentity === '')
    const releasing = this.#name('', this.#lease)
    this.#lease = await this.#name('next', (await released).object)
    const millis = clock.now() - from
    await releasing
    return millis
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#commits[Symbol.asyncDispose]()
  }

  async #name(holderIdentity: string, lease: Lease): Promise<Lease> {
    const next = { ...lease, spec: { ...lease.spec, holderIdentity } }
    return must(await this.#stage.api.replace(Leases, { namespace: NAMESPACE, name: NAME }, next, { lane: 'lease' }))
  }
}
