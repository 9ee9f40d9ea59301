import { faultName } from './coverage.ts'
import type { Deed, PlannedEvent } from './plan.ts'
import type { Witness } from './witness.ts'

/**
 * Tells the judge when a fault is there, of those that show in nothing else: what ends a process, and what somebody writes,
 * it hears anyway.
 */
export class Outages {
  readonly #witness: Witness
  readonly #active = new Set<string>()

  constructor(witness: Witness) {
    this.#witness = witness
  }

  /** @param later calls back after so many milliseconds */
  begin(deed: PlannedEvent, later: (millis: number, run: () => void) => void): void {
    const lasts = outageMillis(deed)
    if (lasts === undefined) return
    const fault = `${faultName(deed)} at ${deed.at}`
    this.#active.add(fault)
    this.#witness.fault(fault, true)
    later(lasts, () => this.#end(fault))
  }

  /** All of them end. */
  calm(): void {
    for (const fault of this.#active) this.#end(fault)
  }

  #end(fault: string): void {
    if (this.#active.delete(fault)) this.#witness.fault(fault, false)
  }
}

/** Undefined: it is no fault of the world, but something that happens in it. */
function outageMillis(deed: Deed): number | undefined {
  switch (deed.do) {
    case 'stop':
    case 'silence':
    case 'freeze':
    case 'serverDown':
      return deed.millis
    case 'weather':
      // What is late arrives after the weather.
      return deed.millis + ('millis' in deed.effect ? deed.effect.millis : 0)
    case 'stepWall':
    case 'cut':
    case 'compact':
      return 0
    case 'endPod':
    case 'operator':
    case 'killAfterWrite':
    case 'hand':
    case 'strangers':
      return undefined
  }
}
