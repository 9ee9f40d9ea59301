/** The lines of the API server's audit log, with times on the clock that all processes of the machine share. */
import { open } from 'node:fs/promises'
import { systemClock } from '../../src/clock.ts'
import { monotonicMillis } from '../candidates/line.ts'

export interface AuditEvent {
  readonly verb: string
  /** Absent: who it is could not be found out. */
  readonly user: { readonly username?: string }
  readonly objectRef?: {
    readonly resource: string
    readonly subresource?: string
    readonly namespace?: string
    readonly name?: string
  }
  readonly responseStatus?: { readonly code?: number }
  readonly requestObject?: Body
  readonly responseObject?: Body
  /** Before anything came of it. */
  readonly requestReceivedTimestamp: string
  /** After all that came of it. */
  readonly stageTimestamp: string
  readonly stage: string
}

interface Body {
  readonly metadata?: { readonly name?: string; readonly resourceVersion?: string }
  readonly preconditions?: { readonly resourceVersion?: string }
}

/** Those whose line satisfies; most are long, and parsing is dear. */
export async function* auditEvents(
  path: string,
  isWanted: (line: string) => boolean,
): AsyncGenerator<AuditEvent, void> {
  const file = await open(path)
  for await (const line of file.readLines()) {
    // The API server may have been killed in the middle of a line.
    if (line.startsWith('{') && line.endsWith('}') && isWanted(line)) yield JSON.parse(line) as AuditEvent
  }
}

export function nameOf({ objectRef, requestObject }: AuditEvent): string | undefined {
  return objectRef?.name ?? requestObject?.metadata?.name
}

/** What both clocks said at one moment. The wall clock is steered while it goes: by some milliseconds in a minute. */
export interface Clocks {
  readonly wallMillis: number
  readonly monotonicMillis: number
}

export function clocksNow(): Clocks {
  return { wallMillis: systemClock.wallNow(), monotonicMillis: monotonicMillis() }
}

/** `clocks`: in their order, at least one. */
export function toMonotonic(clocks: readonly Clocks[]): (timestamp: string) => number {
  return (timestamp) => {
    const wall = wallMillis(timestamp)
    const nearest = clocks.find((each) => each.wallMillis >= wall) ?? clocks.at(-1)!
    return wall + nearest.monotonicMillis - nearest.wallMillis
  }
}

/** Its six digits are more than a Date has. */
function wallMillis(timestamp: string): number {
  const [, seconds, fraction = '0'] = /^(.*?)(?:\.(\d+))?Z$/.exec(timestamp)!
  return Date.parse(`${seconds}Z`) + Number(`0.${fraction}`) * 1000
}
