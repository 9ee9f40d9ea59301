import type { VirtualClock } from '../clock.ts'
import type { ApiServer } from '../apiserver.ts'
import type { Network } from './network.ts'
import type { Trace } from './trace.ts'
import type { Witness } from './witness.ts'

/** What all actors of a run share. */
export interface Stage {
  readonly seed: number
  readonly world: VirtualClock
  readonly api: ApiServer
  readonly network: Network
  readonly trace: Trace
  readonly witness: Witness
  /** Notes that this was reached. */
  reach(what: string): void
  /** A process ended that must not: a defect of the program. */
  fault(who: string, error: unknown): void
}
