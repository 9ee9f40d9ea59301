import { strict as assert } from 'node:assert'
import type { Clock } from '../clock.ts'
import { Api } from '../kube/api.ts'
import { Leases, type Lease } from '../kube/objects.ts'
import type { Transport, TransportRequest, TransportResponse } from '../kube/transport.ts'
import { abortOf, throwOnAbort } from '../lock/abort-of.ts'
import type { Challenge } from '../lock/challenge.ts'
import { Elector } from '../lock/elector.ts'
import type { ElectionError, TermEndedError } from '../lock/errors.ts'
import { leaseLock } from '../lock/lease-lock.ts'
import type { Lock } from '../lock/lock.ts'
import type { ElectorOptions } from '../lock/options.ts'
import type { Term } from '../lock/term.ts'
import { ApiServer } from './apiserver.ts'
import { VirtualClock } from './clock.ts'
import { StoppableClock } from './stoppable-clock.ts'

/**
 * What happens to a request on its way. `hang`: it is answered never. `mute`: it is carried out but never answered.
 * `deaf`: as `hang`, and its client does not heed the signal. `gone`: there is no connection. Also an answer that comes
 * instead of the server's, or milliseconds after which the request arrives, whether anybody waits for it or not.
 */
export type Fate = 'pass' | 'hang' | 'mute' | 'deaf' | 'gone' | Answer | number

export interface Answer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body: string
}

/** Requests of one elector that one instant can justify. */
const LARGEST_BURST = 12

export const KEY = { namespace: 'default', name: 'db' }

/** What a candidate elects on, with its connection and its clock. */
type OpenLock = (api: Api, clock: Clock) => Lock

const leaseOf: OpenLock = (api, clock) => leaseLock(api, { ...KEY, labels: { app: 'db' }, clock, random: () => 0.5 })

/** Electors on one Lease of an in-memory API server, through the real client, on virtual time. */
export class Stage {
  readonly clock = new VirtualClock()
  readonly server = new ApiServer(this.clock)
  readonly admin = new Api(this.server.transport(), this.clock)
  /** Electors that asked and asked. */
  readonly storms = new Set<string>()
  /** Called before the server sees a write of an elector. */
  beforeWrite: (identity: string) => Promise<void> = () => Promise.resolve()

  candidate(identity: string, options: Partial<ElectorOptions> = {}, open: OpenLock = leaseOf) {
    const process = new StoppableClock(this.clock)
    const candidate = {
      process,
      fate: (_request: TransportRequest): Fate => 'pass',
      requests: [] as string[],
      /** Requests sent at this instant. */
      burst: { at: -1, size: 0 },
      errors: [] as ElectionError[],
      leaders: [] as (string | undefined)[],
      challenges: [] as Challenge[],
      lock: undefined as unknown as Lock,
      elector: undefined as unknown as Elector,
    }
    const transport = this.server.transport({
      user: identity,
      before: async ({ method }) => {
        if (method !== 'GET') await this.beforeWrite(identity)
        return undefined
      },
    })
    const send = async (request: TransportRequest): Promise<TransportResponse> => {
      candidate.requests.push(`${this.clock.now()} ${request.method}`)
      const { at, size } = candidate.burst
      candidate.burst = { at: this.clock.now(), size: at === this.clock.now() ? size + 1 : 1 }
      if (candidate.burst.size > LARGEST_BURST) this.storms.add(identity)
      const response = await this.#meet(candidate.fate(request), request, transport)
      await process.running()
      return { ...response, body: process.arriving(response.body) }
    }
    const api = new Api({ send }, process)
    candidate.lock = open(api, process)
    candidate.elector = new Elector({
      lock: candidate.lock,
      identity,
      clock: process,
      random: () => 0.5,
      onError: (error) => candidate.errors.push(error),
      onNewLeader: (holder) => candidate.leaders.push(holder),
      onChallenge: (by) => candidate.challenges.push(by),
      ...options,
    })
    return candidate
  }

  async #meet(fate: Fate, request: TransportRequest, server: Transport): Promise<TransportResponse> {
    if (fate === 'pass') return await server.send(request)
    if (fate === 'gone') throw Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })
    if (typeof fate === 'object') return answered(fate)
    if (typeof fate === 'number') {
      // On its way it cannot be called back: that is what makes a late write dangerous.
      const arrival = new Promise<void>((resolve) => this.clock.timer(this.clock.now() + fate, resolve))
      const late = arrival.then(() => server.send({ ...request, signal: new AbortController().signal }))
      return await Promise.race([late, throwOnAbort(request.signal)])
    }
    if (fate === 'mute') await server.send(request)
    return await throwOnAbort(fate === 'deaf' ? new AbortController().signal : request.signal)
  }

  async lease(): Promise<Lease> {
    const outcome = await this.admin.get(Leases, KEY)
    assert(outcome.kind === 'ok', outcome.kind)
    return outcome.object
  }

  async edit(change: (lease: Lease) => object): Promise<void> {
    const outcome = await this.admin.replace(Leases, KEY, change(await this.lease()))
    assert.equal(outcome.kind, 'ok')
  }

  writes(user: string): number[] {
    return this.server.history.filter((revision) => revision.user === user).map(({ at }) => at)
  }

  async holder(): Promise<string | null | undefined> {
    return (await this.lease()).spec?.holderIdentity
  }
}

/** An answer that comes instead of the server's. */
export function answered({ status, headers = {}, body }: Answer): TransportResponse {
  return {
    status,
    headers,
    body: (async function* () {
      yield Buffer.from(body)
    })(),
  }
}

/** Work that ends when its term's signal aborts. */
export const untilAborted = (term: Term): Promise<void> => abortOf(term.signal)

/** Leads for ever, and tells of every term as it is. */
export function leadOn({ elector }: { elector: Elector }): { terms: Term[]; ends: string[] } {
  const log = { terms: [] as Term[], ends: [] as string[] }
  void elector.lead(async (term) => {
    log.terms.push(term)
    await untilAborted(term)
    log.ends.push((term.signal.reason as TermEndedError).reason)
  })
  return log
}

export async function acquired(stage: Stage, elector: Elector): Promise<Term> {
  const [term] = await Promise.all([elector.acquire(), stage.clock.settle()])
  return term
}
