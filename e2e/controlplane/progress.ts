import { type Clock, systemClock } from '../../src/clock.ts'

/** Tells a waiting person what goes on. */
export interface Progress {
  /** One line that stays. */
  say(line: string): void
  /** How far a long step is: replaces the last update on a terminal, is thinned out elsewhere. */
  update(line: string): void
}

export const silent: Progress = { say() {}, update() {} }

/** A log without a terminal gets a sign of life this often, not every update. */
const THINNED_MILLIS = 15_000

interface Terminal {
  readonly isTTY?: boolean
  readonly columns?: number
  write(text: string): unknown
}

export function terminalProgress(stream: Terminal = process.stderr, clock: Clock = systemClock): Progress {
  return stream.isTTY ? singleLine(stream) : thinned(stream, clock)
}

const CLEAR_LINE = '\r\u001B[2K'

function singleLine(stream: Terminal): Progress {
  let updating = false
  return {
    say(line) {
      stream.write(`${updating ? CLEAR_LINE : ''}${line}\n`)
      updating = false
    },
    update(line) {
      // A line that wraps could not be cleared again.
      stream.write(CLEAR_LINE + line.slice(0, (stream.columns ?? 80) - 1))
      updating = true
    },
  }
}

function thinned(stream: Terminal, clock: Clock): Progress {
  let quietSince = clock.now()
  const say = (line: string): void => {
    stream.write(`${line}\n`)
    quietSince = clock.now()
  }
  return {
    say,
    update(line) {
      if (clock.now() - quietSince >= THINNED_MILLIS) say(line)
    },
  }
}

/** `74_300` → `1:14`. */
export function minutes(millis: number): string {
  const seconds = Math.floor(millis / 1000)
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`
}
