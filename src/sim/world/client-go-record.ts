import { microTime } from '../../election/micro-time.ts'
import { Leases, type Lease, type LeaseSpec } from '../../kube/objects.ts'
import type { CandidatePlan } from './candidate.ts'
import type { ElectingProcess } from './electing-process.ts'
import { NAMESPACE } from './hands.ts'

/** One try of client-go's elector, and what it keeps between tries. */
export class ClientGoRecord {
  readonly #process: ElectingProcess
  readonly #plan: CandidatePlan
  readonly #key: { readonly namespace: string; readonly name: string }
  /** The object of the last answer, which carries the version of the next PUT. */
  #lease: Lease | undefined
  #observed: LeaseSpec = {}
  /** As JSON with times in whole seconds: two renewals in one second look the same. */
  #raw = ''
  #observedAt = -Infinity

  constructor(plan: CandidatePlan, process: ElectingProcess) {
    this.#plan = plan
    this.#process = process
    this.#key = { namespace: NAMESPACE, name: plan.lease }
  }

  get transitions(): number {
    return this.#observed.leaseTransitions ?? 0
  }

  async tryAcquireOrRenew(signal: AbortSignal, until = Infinity): Promise<boolean> {
    const { clock } = this.#process
    const now = clock.now()
    const next = this.#mine(now)
    try {
      if (this.#isLeader() && this.#isValid(now) && this.#lease) {
        const { acquireTime, leaseTransitions } = this.#observed
        Object.assign(next, { acquireTime, leaseTransitions })
        if (await this.#put(next, signal, until)) return true
      }
      const found = await this.#process.api.get(Leases, this.#key, this.#call(signal, until))
      if (found.kind === 'notFound') return await this.#create(next, signal, until)
      if (found.kind !== 'ok') return false
      this.#see(found.object)
      if ((this.#observed.holderIdentity ?? '') !== '' && this.#isValid(now) && !this.#isLeader()) return false
      if (this.#isLeader()) {
        next.acquireTime = this.#observed.acquireTime ?? null
        next.leaseTransitions = this.transitions
      } else {
        next.leaseTransitions = this.transitions + 1
      }
      return await this.#put(next, signal, until)
    } catch {
      // client-go logs it, and tries again.
      return false
    }
  }

  /** It reads the Lease and empties it if its own record, not what it read, says that it leads. */
  async release(): Promise<void> {
    const { clock, api } = this.#process
    const until = clock.now() + this.#plan.timing.renewDeadlineSeconds * 1000
    const { signal } = new AbortController()
    try {
      const found = await api.get(Leases, this.#key, this.#call(signal, until))
      if (found.kind !== 'ok') return
      this.#lease = found.object
      if (!this.#isLeader()) return
      const { renewTime, acquireTime } = this.#mine(clock.now())
      const leaseTransitions = found.object.spec?.leaseTransitions ?? 0
      await this.#put(
        { holderIdentity: '', leaseDurationSeconds: 1, acquireTime, renewTime, leaseTransitions },
        signal,
        until,
      )
    } catch {
      // Its Lease has to run out then.
    }
  }

  #mine(_now: number): LeaseRecordOf {
    const time = microTime(this.#process.clock.wallNow())
    return {
      holderIdentity: this.#process.identity,
      leaseDurationSeconds: Math.floor(this.#plan.timing.leaseDurationSeconds),
      renewTime: time,
      acquireTime: time,
      leaseTransitions: 0,
    }
  }

  async #create(spec: LeaseRecordOf, signal: AbortSignal, until: number): Promise<boolean> {
    const { name, namespace } = this.#key
    const lease = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name, namespace }, spec }
    const made = await this.#process.api.create<Lease>(Leases, namespace, lease, this.#call(signal, until))
    if (made.kind !== 'ok') return false
    this.#own(made.object, spec)
    return true
  }

  async #put(spec: LeaseRecordOf, signal: AbortSignal, until: number): Promise<boolean> {
    const lease = { ...this.#lease, spec }
    const put = await this.#process.api.replace<Lease>(Leases, this.#key, lease, this.#call(signal, until))
    if (put.kind !== 'ok') return false
    this.#own(put.object, spec)
    return true
  }

  /** Its own write: the record is observed on the response; the raw form is not kept, so that the next look sees a change. */
  #own(lease: Lease, spec: LeaseRecordOf): void {
    this.#lease = lease
    this.#observed = spec
    this.#observedAt = this.#process.clock.now()
  }

  #see(lease: Lease): void {
    this.#lease = lease
    const spec = lease.spec ?? {}
    const raw = JSON.stringify({
      ...spec,
      renewTime: spec.renewTime?.slice(0, 19),
      acquireTime: spec.acquireTime?.slice(0, 19),
    })
    if (raw === this.#raw) return
    this.#raw = raw
    this.#observed = spec
    this.#observedAt = this.#process.clock.now()
  }

  #isLeader(): boolean {
    return this.#observed.holderIdentity === this.#process.identity
  }

  #isValid(now: number): boolean {
    return this.#observedAt + (this.#observed.leaseDurationSeconds ?? 0) * 1000 > now
  }

  #call(signal: AbortSignal, until: number): { readonly signal: AbortSignal; readonly timeoutMillis?: number } {
    const left = until - this.#process.clock.now()
    const most = Math.max(1000, this.#plan.timing.renewDeadlineSeconds * 500)
    return { signal, timeoutMillis: Math.max(1, Math.min(left, most)) }
  }
}

interface LeaseRecordOf {
  holderIdentity: string
  leaseDurationSeconds: number
  acquireTime: string | null
  renewTime: string
  leaseTransitions: number
}
