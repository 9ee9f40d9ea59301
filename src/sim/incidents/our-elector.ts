import { Elector } from '../../lock/elector.ts'
import { leaseLock } from '../../lock/lease-lock.ts'
import type { ElectorOptions } from '../../lock/options.ts'
import type { Term } from '../../lock/term.ts'
import { untilAborted } from '../election-stage.ts'
import { DB, NAMESPACE, type Host, type Scene } from './scene.ts'

/** client-go's defaults, which are ours too. */
export const TIMES = { leaseDurationMillis: 15_000, renewDeadlineMillis: 10_000 }
const ACT_EVERY_MILLIS = 1_000

export interface Candidate {
  readonly host: Host
  readonly stop: () => void
  /** What it was told as fencing token, term by term. */
  readonly tokens: bigint[]
}

export interface OurOptions extends Partial<ElectorOptions> {
  /** In the Lease. Default: the name of the process. */
  readonly identity?: string
  /** What it does while it leads, every second, as far as `isCurrent` allows. */
  readonly work?: (term: Term) => void
}

/** A process that elects with this library, and works while it leads. */
export function ourElector(scene: Scene, host: Host, { work, ...options }: OurOptions = {}): Candidate {
  const { name, clock, api } = host
  const identity = options.identity ?? name
  const elector = new Elector({
    lock: leaseLock(api, { ...DB, clock, random: () => 0.5 }),
    clock,
    random: () => 0.5,
    onError: () => undefined,
    ...options,
    identity,
  })
  scene.begins(name, 'candidate', { lock: `${NAMESPACE}/db`, identity, ...TIMES })
  let term: Term | undefined
  const tokens: bigint[] = []
  scene.believes(name, () =>
    term && !clock.isStopped && elector.isLeader() && term.isCurrent()
      ? { number: term.number, token: Number(term.token) }
      : undefined,
  )
  const stop = new AbortController()
  void elector.lead(
    async (current) => {
      term = current
      tokens.push(current.token)
      // Whoever works asks before each act whether the term still stands.
      const act = (): void => {
        if (term !== current || current.signal.aborted || !current.isCurrent()) return
        scene.act(name)
        work?.(current)
        clock.timer(clock.now() + ACT_EVERY_MILLIS, act)
      }
      clock.timer(clock.now() + ACT_EVERY_MILLIS, act)
      await untilAborted(current)
    },
    { signal: stop.signal },
  )
  return { host, stop: () => stop.abort(), tokens }
}
