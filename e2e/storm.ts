/** What happens to the operators while leaders come and go. A seed decides what, when and for how long. */
import { sleepUntil, systemClock } from '../src/clock.ts'
import type { Api } from '../src/kube/api.ts'
import { Leases } from '../src/kube/objects.ts'
import { OPERATOR_NAMESPACE, type OperatorProcess } from './operator-process.ts'

/** `both`: one is killed while the other is paused, and nobody is there for a while. */
export interface Fault {
  readonly kind: 'kill' | 'pause' | 'both'
  readonly hits: 'acting' | 'other'
  readonly millis: number
}

/** One fault after the other, in this order; `calmMillis`: the longest time between two. */
export interface Storm {
  readonly faults: readonly Fault[]
  readonly calmMillis: number
}

export class Dice {
  readonly random: () => number

  constructor(seed: number) {
    this.random = randomFrom(seed)
  }

  fault(kind: Fault['kind'], hits: Fault['hits'], fromMillis = 0, toMillis = 0): Fault {
    return { kind, hits, millis: fromMillis + this.random() * (toMillis - fromMillis) }
  }

  either(): Fault['hits'] {
    return this.random() < 0.7 ? 'acting' : 'other'
  }

  shuffled<T>(items: readonly T[]): readonly T[] {
    return items
      .map((item) => ({ item, at: this.random() }))
      .toSorted((x, y) => x.at - y.at)
      .map(({ item }) => item)
  }

  /** Pauses that wake up beside a successor, kills, and short pauses in the middle of everything. */
  weather(): readonly Fault[] {
    // Of the acting one for longer than its Lease lasts (5 s).
    const long = times(LONG_PAUSES, () => this.fault('pause', 'acting', 6_000, 8_000))
    const kills = times(2, () => this.fault('kill', 'acting'))
    const short = times(4, () => this.fault('pause', this.either(), 100, 3_000))
    const rest = [this.fault('kill', 'other'), this.fault('both', this.either(), 500, 3_000)]
    return this.shuffled([...long, ...kills, ...short, ...rest])
  }
}

/** Each of them ends a term of the operators' own election. */
export const LONG_PAUSES = 2

/** Resolves when all faults are over and the operators are whole. */
export async function rage(
  operators: readonly OperatorProcess[],
  { faults, calmMillis }: Storm,
  { api, dice, signal }: { readonly api: Api; readonly dice: Dice; readonly signal: AbortSignal },
): Promise<void> {
  for (const { kind, hits, millis } of faults) {
    await sleep(dice.random() * calmMillis)
    // What they serve has failed: they are to be whole when the test ends.
    if (signal.aborted) return
    const [target, other] = await aim(api, operators, hits)
    if (kind === 'pause') target.pause()
    if (kind === 'both') other.pause()
    if (kind !== 'pause') await target.kill()
    await sleep(millis)
    if (kind !== 'pause') await target.start()
    if (kind === 'pause') target.resume()
    if (kind === 'both') other.resume()
  }
}

/** The one that is hit, and the other one. */
async function aim(
  api: Api,
  operators: readonly OperatorProcess[],
  hits: Fault['hits'],
): Promise<readonly [OperatorProcess, OperatorProcess]> {
  const [a, b] = operators as readonly [OperatorProcess, OperatorProcess]
  const lease = await api.get(Leases, { namespace: OPERATOR_NAMESPACE, name: 'leadergroup-operator' })
  const holder = lease.kind === 'ok' ? lease.object.spec?.holderIdentity : undefined
  return (holder === b.identity) === (hits === 'acting') ? [b, a] : [a, b]
}

export function times<T>(count: number, make: () => T): T[] {
  return Array.from({ length: count }, make)
}

export function sleep(millis: number): Promise<void> {
  return sleepUntil(systemClock, systemClock.now() + millis, new AbortController().signal)
}

/** Mulberry32: uniform in [0, 1). */
function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
