import { Nodes } from '../../kube/objects.ts'
import { Hands } from './hands.ts'
import { ProcessClock, type ClockPlan } from './process-clock.ts'
import type { Stage } from './stage.ts'

/** A machine, as a node of the cluster: the clock of all that runs on it, and what is said of it. */
export class Machine {
  readonly name: string
  readonly clock: ProcessClock
  readonly kubelet: Hands
  readonly #controller: Hands
  /** How many outages there are: it is on again when the last has ended. */
  #outages = 0

  constructor(name: string, clock: ClockPlan, { world, api }: Stage) {
    this.name = name
    this.clock = new ProcessClock(world, clock)
    this.kubelet = new Hands(api, `system:node:${name}`)
    this.#controller = new Hands(api, 'system:serviceaccount:kube-system:node-controller')
    this.#controller.create(Nodes, { metadata: { name } })
    this.#show(true)
  }

  get isOff(): boolean {
    return this.#outages > 0
  }

  switchOff(): void {
    this.#outages += 1
    this.#show(false)
  }

  /** Somebody has seen that it is off, and says so. */
  markOutOfService(): void {
    if (this.isOff) this.#show(false, true)
  }

  /** The end of one `switchOff`. */
  switchOn(): void {
    this.#outages -= 1
    if (!this.isOff) this.#show(true)
  }

  #show(ready: boolean, outOfService = false): void {
    const taints = outOfService ? [{ key: 'node.kubernetes.io/out-of-service', effect: 'NoExecute' }] : null
    this.#controller.patch(Nodes, this.name, { spec: { taints } })
    const conditions = [{ type: 'Ready', status: ready ? 'True' : 'Unknown' }]
    this.#controller.patch(Nodes, this.name, { status: { conditions } }, 'status')
  }
}
