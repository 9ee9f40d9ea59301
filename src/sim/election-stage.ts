import { strict as assert } from 'node:assert'
import { Api } from '../kube/api.ts'
import { Leases, type Lease } from '../kube/objects.ts'
import type { TransportRequest, TransportResponse } from '../kube/transport.ts'
import { Elector } from '../lock/elector.ts'
import type { ElectionError, TermEndedError } from '../lock/errors.ts'
import { leaseLock } from '../lock/lease-lock.ts'
import type { Lock } from '../lock/lock.ts'
import type { ElectorOptions } from '../lock/options.ts'
import type { Term } from '../lock/term.ts'
import { ApiServer } from './apiserver.ts'
import { VirtualClock } from './clock.ts'

/** What happens to a request on its way: `hang` answers never, `mute` is carried out but never answered. */
export type Fate = 'pass' | 'hang' | 'mute'

/** Requests of one elector that one instant can justify. */
const LARGEST_BURST = 12

export const KEY = { namespace: 'default', name: 'db' }

/** Electors on one Lease of an in-memory API server, through the real client, on virtual time. */
export class Stage {
  readonly clock = new VirtualClock()
  readonly server = new ApiServer(this.clock)
  readonly admin = new Api(this.server.transport(), this.clock)
  /** Electors that asked and asked. */
  readonly storms = new Set<string>()
  /** Called before the server sees a write of an elector. */
  beforeWrite: (identity: string) => Promise<void> = () => Promise.resolve()

  candidate(identity: string, options: Partial<ElectorOptions> = {}, open: (api: Api) => Lock = this.#leaseLock) {
    const candidate = {
      fate: (_request: TransportRequest): Fate => 'pass',
      requests: [] as string[],
      /** Requests sent at this instant. */
      burst: { at: -1, size: 0 },
      errors: [] as ElectionError[],
      leaders: [] as (string | undefined)[],
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
      const fate = candidate.fate(request)
      if (fate === 'pass') return transport.send(request)
      if (fate === 'mute') await transport.send(request)
      return new Promise((_resolve, reject) => {
        request.signal.addEventListener('abort', () => reject(request.signal.reason as Error), { once: true })
      })
    }
    const api = new Api({ send }, this.clock)
    candidate.elector = new Elector({
      lock: open(api),
      identity,
      clock: this.clock,
      random: () => 0.5,
      onError: (error) => candidate.errors.push(error),
      onNewLeader: (holder) => candidate.leaders.push(holder),
      ...options,
    })
    return candidate
  }

  readonly #leaseLock = (api: Api): Lock =>
    leaseLock(api, { ...KEY, labels: { app: 'db' }, clock: this.clock, random: () => 0.5 })

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

/** Work that ends when its term's signal aborts. */
export const untilAborted = (term: Term): Promise<void> =>
  new Promise((resolve) => term.signal.addEventListener('abort', () => resolve(), { once: true }))

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
