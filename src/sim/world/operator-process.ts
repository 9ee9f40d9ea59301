import { Api } from '../../kube/api.ts'
import { leaseLock } from '../../lock/lease-lock.ts'
import { EventRecorder } from '../../operator/events.ts'
import type { Log, LogFields } from '../../operator/log.ts'
import { Metrics } from '../../operator/metrics.ts'
import { GroupOperator, type OperatorElection } from '../../operator/operator.ts'
import type { Elector } from '../invariants/facts.ts'
import { decided } from './coverage.ts'
import { Dice } from './dice.ts'
import { NAMESPACE } from './hands.ts'
import { Link } from './link.ts'
import type { OperatorPlan } from './operator-plan.ts'
import { OtherBuild } from './other-build.ts'
import { ProcessClock } from './process-clock.ts'
import type { Stage } from './stage.ts'

export const OPERATORS_LEASE = { namespace: 'leadergroup-system', name: 'leadergroup-operator' }

interface Life {
  /** As whom it writes: what an earlier life sent may arrive late, and is not its own. */
  readonly process: string
  readonly clock: ProcessClock
  readonly link: Link
  readonly stop: AbortController
}

/** One replica of the operator, as a process that can be started, stopped and killed: `cmd/operator.ts` puts it together so. */
export class OperatorProcess {
  readonly name: string
  readonly #plan: OperatorPlan
  readonly #stage: Stage
  #life: Life | undefined
  #lives = 0
  #isRolledOut = false
  /** It is to run as soon as its present life has come to its end. */
  #isNext = false

  constructor(plan: OperatorPlan, stage: Stage) {
    this.name = plan.name
    this.#plan = plan
    this.#stage = stage
  }

  get clock(): ProcessClock | undefined {
    return this.#life?.clock
  }

  get link(): Link | undefined {
    return this.#life?.link
  }

  get isRunning(): boolean {
    return this.#life !== undefined
  }

  /** As it writes itself into the operators' Lease. */
  get identity(): string {
    return `${this.name}_${this.#lives}`
  }

  /** Its present life is one of the other build. */
  get #isOther(): boolean {
    const { otherBuild } = this.#plan
    return otherBuild !== undefined && !this.#isRolledOut && this.#lives % 2 === (otherBuild === 'first' ? 1 : 0)
  }

  /** From now on it is of this build. */
  rollOut(): void {
    const isOther = this.#isOther
    this.#isRolledOut = true
    if (isOther) this.kill()
    this.start()
  }

  /** Of one that was asked to stop and has not yet: at its end. */
  start(): void {
    this.#isNext = this.#life?.stop.signal.aborted ?? false
    if (this.#life) return
    const { name } = this
    const { seed, trace, witness, world } = this.#stage
    const life = ++this.#lives
    const process = `${name}/${life}`
    const isOther = this.#isOther
    const dice = new Dice(`${seed}/${name}/${life}`)
    const { random } = dice
    const clock = new ProcessClock(world, this.#plan.clock)
    const link = new Link({ process, host: name }, this.#stage, clock, new Dice(`${seed}/${name}/${life}/link`))
    const api = new Api(isOther ? new OtherBuild(link) : link, clock, { fieldManager: 'leadergroup' })
    const log = this.#log(process, isOther)
    const metrics = new Metrics(clock)
    const events = new EventRecorder({ api, clock, log, metrics, instance: `${name}-${life}`, dryRun: false })
    const election = this.#election(api, clock, random)
    const operator = new GroupOperator({
      api,
      clock,
      random,
      log,
      metrics,
      events,
      election,
      // The other one was installed for one namespace alone, and sees no nodes.
      namespaces: isOther ? [NAMESPACE] : [],
      dryRun: false,
    })
    const stop = new AbortController()
    this.#life = { process, clock, link, stop }
    witness.begins(process, 'operator', this.#plan.clock.rate, this.#elector())
    clock.onRate = (rate) => witness.rate(process, rate)
    trace.fact(`${world.now()} start ${process}`)
    trace.tell(world.now(), process, () => (isOther ? 'starts, of another build' : 'starts'))
    operator
      .run(stop.signal)
      .then(() => events.stop())
      .then(
        () => this.#end(process, link, stop.signal),
        (error: unknown) => this.#stage.fault(process, error),
      )
  }

  /** SIGTERM. */
  stop(): void {
    const life = this.#life
    if (!life) return
    this.#stage.trace.tell(this.#stage.world.now(), life.process, () => 'is asked to stop')
    life.stop.abort(new Error('SIGTERM'))
  }

  /** SIGKILL. What it has sent is on its way. */
  kill(): void {
    const life = this.#life
    if (!life) return
    this.#life = undefined
    this.#stage.trace.tell(this.#stage.world.now(), life.process, () => 'is killed')
    life.clock.kill()
    life.link.close()
    this.#ended(life.process)
  }

  #end(process: string, link: Link, stopped: AbortSignal): void {
    if (!stopped.aborted) this.#stage.fault(process, new Error('the operator ended by itself'))
    link.close()
    if (this.#life?.link !== link) return
    this.#life = undefined
    this.#stage.trace.tell(this.#stage.world.now(), process, () => 'has stopped')
    this.#ended(process)
  }

  #ended(process: string): void {
    this.#stage.witness.ends(process, 'operator')
    if (this.#isNext) this.start()
  }

  #elector(): Elector | undefined {
    const { election } = this.#plan
    if (!election) return undefined
    return {
      lock: `${OPERATORS_LEASE.namespace}/${OPERATORS_LEASE.name}`,
      identity: this.identity,
      leaseDurationMillis: election.leaseDurationSeconds * 1000,
      renewDeadlineMillis: election.renewDeadlineSeconds * 1000,
    }
  }

  #election(api: Api, clock: ProcessClock, random: () => number): OperatorElection | undefined {
    if (!this.#plan.election) return undefined
    const lock = leaseLock(api, { ...OPERATORS_LEASE, clock, random })
    return { name: OPERATORS_LEASE.name, lock, identity: this.identity, ...this.#plan.election }
  }

  #log(process: string, isOther: boolean): Log {
    const { trace, world } = this.#stage
    const say = (message: string, fields?: LogFields): void => {
      for (const branch of decided(message, fields)) this.#stage.reach(branch)
      if (isOther && fields?.['changes'] !== undefined) this.#stage.reach('another build acts')
      trace.tell(world.now(), process, () => `“${message}”${shown(fields)}`)
    }
    return { debug: () => undefined, info: say, warn: say, error: say, isEnabled: (level) => level !== 'debug' }
  }
}

function shown(fields: LogFields = {}): string {
  const parts = Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `${key}=${value instanceof Error ? value.message : String(value)}`)
  return parts.length > 0 ? ` (${parts.join(', ')})` : ''
}
