import { Pods } from '../../kube/objects.ts'
import { wholeSeconds } from '../deletes.ts'
import type { Revision } from '../store.ts'
import type { StoredObject } from '../stored-object.ts'
import type { Candidate, CandidatePlan } from './candidate.ts'
import { startCandidate } from './candidates.ts'
import { Hands } from './hands.ts'
import { Machine } from './machine.ts'
import type { ClockPlan } from './process-clock.ts'
import type { Stage } from './stage.ts'

/** A place for one pod after another, on one or two nodes of its own. */
export interface SlotPlan {
  readonly name: string
  /** Selected by these groups. */
  readonly groups: readonly string[]
  /** As a StatefulSet does it; else each pod has a name of its own, as a Deployment's. */
  readonly keepsName: boolean
  readonly startMillis: number
  /** From the end of a pod to its successor. */
  readonly recreateMillis: number
  /** What SIGTERM takes. */
  readonly stopMillis: number
  /** The node's, and of all processes on it. */
  readonly clock: ClockPlan
  /** Of a second node: a pod comes back on the other one if its own is off. Without it, it waits. */
  readonly spareClock?: ClockPlan
  readonly candidate?: CandidatePlan
}

interface End {
  readonly wallMillis: number
  readonly reason: string
}

/** One life of a pod, as its kubelet knows it. */
interface Life {
  readonly name: string
  readonly machine: Machine
  readonly uid: string
  /** When its kubelet saw it first, by the node's clock. */
  startTime: string | undefined
  container: 'waiting' | 'running' | 'ended'
  ready: boolean
  readyAt: string
  end: End | undefined
  restarts: number
  phase: 'Pending' | 'Running' | 'Succeeded' | 'Failed'
  terminating: boolean
}

/** Workload controller and kubelet of one slot. */
export class Slot {
  readonly plan: SlotPlan
  readonly #stage: Stage
  readonly #machines: readonly Machine[]
  readonly #controller: Hands
  readonly #address: string
  /** Where pods are put for as long as it is on. */
  #machine: Machine
  #life: Life | undefined
  #lives = 0
  /** Processes of pods that are gone, until their kubelet has noticed. */
  readonly #outliving = new Map<Candidate, Machine>()
  candidate: Candidate | undefined
  isEligible = true

  constructor(plan: SlotPlan, stage: Stage, index: number) {
    this.plan = plan
    this.#stage = stage
    const { name, clock, spareClock } = plan
    const spare = spareClock ? [new Machine(`node-${name}-spare`, spareClock, stage)] : []
    this.#machine = new Machine(`node-${name}`, clock, stage)
    this.#machines = [this.#machine, ...spare]
    this.#controller = new Hands(stage.api, 'system:serviceaccount:kube-system:workload-controller')
    this.#address = `10.128.${index >> 8}.${index & 255}`
  }

  get podName(): string | undefined {
    return this.#life?.name
  }

  get podUid(): string | undefined {
    return this.#life?.uid
  }

  get isReady(): boolean {
    return this.#life?.ready === true && !this.#life.terminating
  }

  create(): void {
    if (this.#life) return
    this.isEligible = true
    const { name, groups, keepsName } = this.plan
    const podName = keepsName ? name : `${name}-${++this.#lives}`
    if (this.#machine.isOff) this.#machine = this.#machines.find(({ isOff }) => !isOff) ?? this.#machine
    const machine = this.#machine
    const pod = this.#controller.create(Pods, {
      metadata: { name: podName, labels: Object.fromEntries(groups.map((group) => [`app-${group}`, 'yes'])) },
      spec: { nodeName: machine.name, containers: [{ name: 'main', image: 'sim' }] },
    })
    // The name is taken by a pod that is still to go.
    if (!pod) return this.#later(this.plan.recreateMillis + 1000, () => this.create())
    const { uid, creationTimestamp } = pod.metadata
    const life: Life = {
      name: podName,
      machine,
      uid,
      startTime: undefined,
      container: 'waiting',
      ready: false,
      readyAt: creationTimestamp,
      end: undefined,
      restarts: 0,
      phase: 'Pending',
      terminating: false,
    }
    this.#life = life
    this.#ofLife(this.plan.startMillis, (alive) => this.#run(alive))
  }

  /** Follows the history: what happens to its pod. */
  committed({ type, object }: Revision): void {
    const life = this.#life
    if (!life || object.metadata.uid !== life.uid) return
    if (type === 'DELETED') {
      this.#life = undefined
      this.#outlive(life)
      this.#later(this.plan.recreateMillis, () => this.create())
      return
    }
    if (object.metadata.deletionTimestamp !== undefined && !life.terminating) this.#terminate(life, object)
  }

  setReady(ready: boolean): void {
    const life = this.#life
    if (life?.container !== 'running' || life.ready === ready) return
    life.ready = ready
    life.readyAt = nowOn(life.machine)
    this.#show(life)
  }

  /** Its process dies by itself, and is started again unless `phase` says that this was all. */
  crash(restartMillis: number, phase?: 'Succeeded' | 'Failed'): void {
    const life = this.#life
    if (life?.container !== 'running' || life.terminating) return
    this.#end(life, phase === 'Succeeded' ? 'Completed' : 'Error')
    if (phase) life.phase = phase
    this.#show(life)
    if (!phase) this.#ofLife(restartMillis, (alive) => this.#run(alive))
  }

  delete(graceSeconds: number): void {
    if (this.#life) this.#controller.delete(Pods, this.#life.name, { gracePeriodSeconds: graceSeconds })
  }

  annotate(annotations: Readonly<Record<string, string | null>>): void {
    if (!this.#life) return
    this.isEligible = annotations['leadergroup.io/ineligible'] !== 'true'
    this.#controller.patch(Pods, this.#life.name, { metadata: { annotations } })
  }

  /** The machine is switched off. Nobody can say so of the pod, only that nothing is heard of it. Returns the machine. */
  switchOff(): Machine {
    const life = this.#life
    const machine = life?.machine ?? this.#machine
    machine.switchOff()
    for (const [candidate, on] of this.#outliving) if (on === machine) candidate.kill()
    if (!life) return machine
    this.candidate?.kill()
    this.candidate = undefined
    life.container = 'ended'
    life.ready = false
    life.readyAt = nowOn(machine)
    this.#show(life)
    return machine
  }

  /** Nobody waits for a kubelet that is off. */
  deleteFrom(machine: Machine): void {
    if (this.#life?.machine === machine) this.delete(0)
  }

  /** The end of one `switchOff`. What was bound to the machine meanwhile starts now. */
  switchOn(machine: Machine): void {
    machine.switchOn()
    if (this.#life?.container === 'waiting') this.#ofLife(this.plan.startMillis, (alive) => this.#run(alive))
  }

  /** The whole machine stands still. Returns the end of that. */
  suspend(): () => void {
    const ends = [this.#life?.machine.clock.suspend(), this.candidate?.clock.suspend()]
    return () => ends.forEach((end) => end?.())
  }

  /** No fault is left. */
  calm(): void {
    for (const { clock } of this.#machines) clock.resume()
    this.candidate?.clock.resume()
    this.candidate?.link.calm()
  }

  stepWall(millis: number): void {
    this.#life?.machine.clock.stepWall(millis)
    this.candidate?.clock.stepWall(millis)
  }

  #run(life: Life): void {
    if (life.machine.isOff || life.container === 'running') return
    if (life.terminating || life.phase === 'Succeeded' || life.phase === 'Failed') return
    if (life.container === 'ended') life.restarts += 1
    life.startTime ??= nowOn(life.machine)
    life.container = 'running'
    life.phase = 'Running'
    life.ready = true
    life.readyAt = nowOn(life.machine)
    this.#show(life)
    const { candidate } = this.plan
    if (candidate) {
      const identity = { name_uid: `${life.name}_${life.uid}`, uid: life.uid, name: life.name }[candidate.identity]
      const process = `${life.name}/${life.uid.slice(-3)}/${life.restarts}`
      this.candidate = startCandidate(candidate, { identity, process, node: life.machine.clock, stage: this.#stage })
    }
  }

  /** SIGTERM, and after a while the end. */
  #terminate(life: Life, object: StoredObject): void {
    life.terminating = true
    if ((object.metadata.deletionGracePeriodSeconds ?? 0) === 0) return
    this.candidate?.stop()
    this.#ofLife(this.plan.stopMillis, (alive) => {
      if (alive.container === 'running') {
        this.#end(alive, 'Completed')
        this.#show(alive)
      }
      this.#ofLife(20, ({ name, machine }) => machine.kubelet.delete(Pods, name, { gracePeriodSeconds: 0 }))
    })
  }

  /** After a deletion by force the process lives on, until its kubelet has noticed. */
  #outlive(life: Life): void {
    const { candidate } = this
    this.candidate = undefined
    if (!candidate || life.container !== 'running') return
    this.#outliving.set(candidate, life.machine)
    this.#later(this.plan.stopMillis, () => {
      this.#outliving.delete(candidate)
      candidate.kill()
    })
  }

  #end(life: Life, reason: string): void {
    this.candidate?.kill()
    this.candidate = undefined
    life.container = 'ended'
    life.ready = false
    life.readyAt = nowOn(life.machine)
    life.end = { wallMillis: life.machine.clock.wallNow(), reason }
  }

  #show(life: Life): void {
    const status = life.ready ? 'True' : 'False'
    const terminated = life.end && {
      exitCode: life.end.reason === 'Completed' ? 0 : 137,
      reason: life.end.reason,
      finishedAt: wholeSeconds(life.end.wallMillis),
    }
    const state =
      life.container === 'running'
        ? { running: { startedAt: life.readyAt } }
        : life.end
          ? { terminated }
          : { waiting: {} }
    const shown = {
      phase: life.phase,
      startTime: life.startTime,
      podIP: this.#address,
      podIPs: [{ ip: this.#address }],
      conditions: [{ type: 'Ready', status, lastTransitionTime: life.readyAt }],
      containerStatuses: [
        {
          name: 'main',
          ready: life.ready,
          restartCount: life.restarts,
          state,
          ...(life.container === 'running' && terminated ? { lastState: { terminated } } : {}),
        },
      ],
    }
    life.machine.kubelet.patch(Pods, life.name, { metadata: { uid: life.uid }, status: shown }, 'status')
  }

  #later(millis: number, run: () => void): void {
    const { world } = this.#stage
    world.timer(world.now() + millis, run)
  }

  /** If this pod is still the one then. */
  #ofLife(millis: number, run: (life: Life) => void): void {
    const life = this.#life
    this.#later(millis, () => {
      if (life && this.#life === life) run(life)
    })
  }
}

function nowOn({ clock }: Machine): string {
  return wholeSeconds(clock.wallNow())
}
