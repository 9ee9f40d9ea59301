import { sleepUntil } from '../../clock.ts'
import { microTime } from '../../election/micro-time.ts'
import { Leases, type Lease, type LeaseSpec } from '../../kube/objects.ts'
import { TIMES } from './our-elector.ts'
import { DB, NAMESPACE, type Host, type Scene } from './scene.ts'

const RETRY_MILLIS = 2_000
/** In the middle of client-go's jitter. */
const ACQUIRE_MILLIS = RETRY_MILLIS * 1.6
const ACT_EVERY_MILLIS = 1_000
/** As long as a request of a client without a timeout may take, in an incident. */
const NO_TIMEOUT_MILLIS = 3_600_000

/** What an elector of the field did in an incident, where that is not what client-go does today. */
export interface Habits {
  /** In the Lease. Default: the name of the process. */
  readonly identity?: string
  /** Takes the Lease when its renewTime is so old by its own wall clock. Default: when it saw no change for so long. */
  readonly comparesWallClocks?: boolean
  /** Writes whatever is there by now. Default: a compare-and-swap of what was read. */
  readonly writesBlindly?: boolean
  /** Releases what it finds in the Lease, be it its own or not. Default: only its own. */
  readonly releasesWhatItFinds?: boolean
  readonly hasNoTimeout?: boolean
  /** One failed round, and it does not contend any more. */
  readonly runsOnce?: boolean
  /** Works on for so long after it has learned that it lost the Lease. Default: 0. */
  readonly lingersMillis?: number
  /** Looks at the Lease by this alone, and never polls: tells of what a watch says. */
  readonly watches?: (see: (lease: Lease) => void) => void
  /** The judge knows that it is another project's, which stops later than this library: that is not what it is about. */
  readonly isKnown?: boolean
  readonly work?: (number: number) => void
  /** Called when it begins to lead, and when its work has ended. */
  readonly onStarted?: () => Promise<void>
  readonly onStopped?: () => Promise<void>
}

/**
 * An elector as client-go's is (`election-semantics`, sections 3 to 8), small: acquire by polling, renew every period for
 * as long as the deadline allows, judge silence by the local time of the last change; plus the habits of an incident.
 * Its work goes by the callbacks: from OnStartedLeading until OnStoppedLeading was heeded.
 */
export function peer(scene: Scene, host: Host, habits: Habits = {}): Peer {
  return new Peer(scene, host, habits)
}

class Peer {
  readonly #scene: Scene
  readonly #host: Host
  readonly #habits: Habits
  readonly #identity: string
  #seen: { readonly spec: LeaseSpec; readonly at: number } | undefined
  #lease: Lease | undefined
  #leads: number | undefined
  #isStopped = false

  constructor(scene: Scene, host: Host, habits: Habits) {
    this.#scene = scene
    this.#host = host
    this.#habits = habits
    this.#identity = habits.identity ?? host.name
    const ours = habits.isKnown ? { ours: false } : {}
    scene.begins(host.name, 'candidate', { lock: `${NAMESPACE}/db`, identity: this.#identity, ...TIMES, ...ours })
    scene.believes(host.name, () =>
      this.#leads === undefined || host.clock.isStopped ? undefined : { number: this.#leads },
    )
    void this.#run()
  }

  /** SIGTERM: it releases, and contends no more. */
  stop(): void {
    this.#isStopped = true
  }

  async #run(): Promise<void> {
    do {
      if (!(await this.#acquire())) return this.#scene.say(this.#host.name, 'does not contend any more')
      const number = this.#lease!.spec!.leaseTransitions ?? 0
      this.#leads = number
      this.#act(number)
      await this.#habits.onStarted?.()
      await this.#renew()
      if (this.#habits.releasesWhatItFinds) await this.#release()
      this.#scene.say(this.#host.name, 'tells its work to stop')
      await this.#sleep(this.#habits.lingersMillis ?? 0)
      this.#leads = undefined
      await this.#habits.onStopped?.()
    } while (!this.#isStopped && !this.#habits.runsOnce)
    this.#scene.say(this.#host.name, 'does not contend any more')
  }

  async #acquire(): Promise<boolean> {
    if (this.#habits.watches) {
      await new Promise<void>((resolve) => {
        this.#habits.watches?.((lease) => {
          this.#lease = lease
          if (!lease.spec?.holderIdentity) void this.#take().then((taken) => taken && resolve())
        })
      })
      return true
    }
    for (;;) {
      const outcome = await this.#try()
      if (outcome === 'done') return true
      if (this.#isStopped || (outcome === 'failed' && this.#habits.runsOnce)) return false
      await this.#sleep(ACQUIRE_MILLIS)
    }
  }

  /** Returns when nothing was renewed for the deadline, or at the end of the process. */
  async #renew(): Promise<void> {
    let renewedAt = this.#host.clock.now()
    while (!this.#isStopped) {
      await this.#sleep(RETRY_MILLIS)
      if ((await this.#try()) === 'done') renewedAt = this.#host.clock.now()
      else if (this.#host.clock.now() - renewedAt >= TIMES.renewDeadlineMillis) return
    }
  }

  async #try(): Promise<'done' | 'held' | 'failed'> {
    const found = await this.#call(() => this.#host.api.get(Leases, DB, this.#limit()))
    if (found === undefined) return 'failed'
    if (found.kind !== 'ok') return found.kind === 'notFound' ? this.#create() : 'failed'
    this.#see(found.object)
    const { holderIdentity } = found.object.spec ?? {}
    if (holderIdentity && holderIdentity !== this.#identity && !this.#isExpired(found.object)) return 'held'
    return (await this.#take()) ? 'done' : 'failed'
  }

  #see(lease: Lease): void {
    this.#lease = lease
    if (JSON.stringify(this.#seen?.spec) === JSON.stringify(lease.spec)) return
    this.#seen = { spec: lease.spec ?? {}, at: this.#host.clock.now() }
  }

  #isExpired({ spec }: Lease): boolean {
    const millis = (spec?.leaseDurationSeconds ?? 0) * 1000
    if (this.#habits.comparesWallClocks) return Date.parse(spec?.renewTime ?? '') + millis < this.#host.clock.wallNow()
    return this.#seen!.at + millis <= this.#host.clock.now()
  }

  /** Acquires or renews. */
  async #take(): Promise<boolean> {
    const lease = this.#lease!
    const isOwn = lease.spec?.holderIdentity === this.#identity
    const now = this.#now()
    const spec = {
      ...lease.spec,
      holderIdentity: this.#identity,
      leaseDurationSeconds: TIMES.leaseDurationMillis / 1000,
      renewTime: now,
      ...(isOwn ? {} : { acquireTime: now, leaseTransitions: (lease.spec?.leaseTransitions ?? 0) + 1 }),
    }
    return this.#write({ ...lease, spec })
  }

  async #create(): Promise<'done' | 'failed'> {
    const now = this.#now()
    // A Lease that was deleted under it comes back as it remembers it.
    const { acquireTime = now, leaseTransitions = 0 } = this.#leads === undefined ? {} : (this.#seen?.spec ?? {})
    const spec = {
      holderIdentity: this.#identity,
      leaseDurationSeconds: 15,
      acquireTime,
      renewTime: now,
      leaseTransitions,
    }
    const lease = { metadata: { name: DB.name }, spec }
    const outcome = await this.#call(() => this.#host.api.create<Lease>(Leases, NAMESPACE, lease, this.#limit()))
    if (outcome?.kind !== 'ok') return 'failed'
    this.#see(outcome.object)
    return 'done'
  }

  async #write(lease: Lease): Promise<boolean> {
    const { api } = this.#host
    const outcome = await this.#call(() =>
      this.#habits.writesBlindly
        ? api.mergePatch<Lease>(Leases, DB, { spec: lease.spec }, this.#limit())
        : api.replace<Lease>(Leases, DB, lease, this.#limit()),
    )
    if (outcome?.kind !== 'ok') return false
    this.#see(outcome.object)
    return true
  }

  async #release(): Promise<void> {
    const found = await this.#call(() => this.#host.api.get(Leases, DB, this.#limit()))
    if (found?.kind !== 'ok') return
    const now = this.#now()
    const spec = { ...found.object.spec, holderIdentity: '', leaseDurationSeconds: 1, acquireTime: now, renewTime: now }
    await this.#write({ ...found.object, spec })
  }

  #act(number: number): void {
    const { clock, name } = this.#host
    clock.timer(clock.now() + ACT_EVERY_MILLIS, () => {
      if (this.#leads !== number) return
      this.#scene.act(name)
      this.#habits.work?.(number)
      this.#act(number)
    })
  }

  #limit(): { readonly timeoutMillis: number } {
    return { timeoutMillis: this.#habits.hasNoTimeout ? NO_TIMEOUT_MILLIS : TIMES.renewDeadlineMillis / 2 }
  }

  async #call<T>(call: () => Promise<T>): Promise<T | undefined> {
    try {
      return await call()
    } catch {
      // A try that failed, for whatever reason: client-go logs it, and goes on.
      return undefined
    }
  }

  #now(): string {
    return microTime(this.#host.clock.wallNow())
  }

  #sleep(millis: number): Promise<void> {
    const { clock } = this.#host
    return sleepUntil(clock, clock.now() + millis, new AbortController().signal)
  }
}
