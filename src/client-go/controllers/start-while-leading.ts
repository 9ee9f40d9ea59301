import { sleepUntil, systemClock, type Clock } from '../../clock.ts'
import type { EndReason } from '../../election/observation.ts'
import { InvalidOptionsError, TermEndedError } from '../../lock/errors.ts'
import type { Term } from '../../lock/term.ts'
import { abortOf } from '../../lock/abort-of.ts'
import { isEnabled, patternViolations } from './enabled.ts'

/** Ends a controller; waited for before the lock is released. */
export type StopController = () => unknown

/** Starts a controller, which may also stop by the term's signal. Resolves, when it runs, to what stops it, if anything does. */
export type StartController = (
  term: Term,
) => StopController | undefined | void | Promise<StopController | undefined | void>

/** Which controllers run, how they are started, and what happens on loss. */
export interface ControllerOptions {
  /** `*`: all that are not off by default; `name`: this one; `-name`: not this one. The first that names it counts. @default ['*'] */
  readonly patterns?: readonly string[]
  /** Not meant by `*`. @default none */
  readonly disabledByDefault?: readonly string[]
  /** Pause before each start, so that they do not all list at once; up to as much again is added by chance. @default 0 */
  readonly startIntervalSeconds?: number
  /**
   * Called when the term was lost, and not ended on somebody's wish, before anything is stopped: pass
   * `() => process.exit(1)` to end as kube-controller-manager does. @default the controllers are stopped
   */
  readonly exit?: (reason: TermEndedError) => unknown
  /** @default the system's */
  readonly clock?: Clock
  /** Uniform in [0, 1). @default Math.random */
  readonly random?: () => number
}

/** The rest of the ends were asked for. */
const LOST: readonly EndReason[] = ['deadline', 'taken', 'changed', 'suspended']

/**
 * Work for `lead`, or for `onStartedLeading`: starts the enabled controllers one after the other, in the order of their
 * names in `controllers`; once the term ends, stops them in reverse order, and returns.
 *
 * One that fails to start ends the work: the others are stopped, and what it threw is thrown. All are stopped even if
 * some fail to; an AggregateError says which did.
 *
 * @throws InvalidOptionsError with every violation, and the values
 *
 * @example
 * await lead({ lock: { name: 'db' } }, startWhileLeading({ backup, vacuum }, { patterns: ['*', '-vacuum'] }))
 */
export function startWhileLeading(
  controllers: Readonly<Record<string, StartController>>,
  options: ControllerOptions = {},
): (term: Term) => Promise<void> {
  const violations = violationsOf(controllers, options)
  if (violations.length > 0) throw new InvalidOptionsError(violations)
  return async (term) => {
    // Beside the rest: a start that hangs must not put it off. What it throws is thrown when the rest has stopped.
    const exited = abortOf(term.signal).then(() => exitIfLost(term, options))
    exited.catch(() => undefined)
    const started = new Map<string, StopController>()
    try {
      await startAll(controllers, { term, options, started })
      await abortOf(term.signal)
    } finally {
      await stopAll(started)
    }
    await exited
  }
}

async function startAll(
  controllers: Readonly<Record<string, StartController>>,
  { term, options, started }: { term: Term; options: ControllerOptions; started: Map<string, StopController> },
): Promise<void> {
  const { patterns = ['*'], disabledByDefault = [] } = options
  for (const [name, start] of Object.entries(controllers)) {
    if (!isEnabled(name, patterns, disabledByDefault)) continue
    if (!(await pause(term, options))) return
    const stop = await start(term)
    started.set(name, stop ?? (() => undefined))
  }
}

/** Whether the term still stands after it. */
async function pause({ signal }: Term, options: ControllerOptions): Promise<boolean> {
  const { startIntervalSeconds = 0, clock = systemClock, random = Math.random } = options
  if (signal.aborted || startIntervalSeconds === 0) return !signal.aborted
  const until = clock.now() + startIntervalSeconds * 1000 * (1 + random())
  return await sleepUntil(clock, until, signal).then(
    () => true,
    () => false,
  )
}

async function stopAll(started: ReadonlyMap<string, StopController>): Promise<void> {
  const failed: Error[] = []
  for (const [name, stop] of [...started].toReversed()) {
    try {
      await stop()
    } catch (cause) {
      failed.push(new Error(`${name} could not be stopped: ${String(cause)}`, { cause }))
    }
  }
  if (failed.length > 0) throw new AggregateError(failed, failed.map(({ message }) => message).join('; '))
}

function exitIfLost({ signal }: Term, { exit }: ControllerOptions): unknown {
  const { reason } = signal
  return reason instanceof TermEndedError && LOST.includes(reason.reason) ? exit?.(reason) : undefined
}

/** TypeScript checks most of it; patterns come from a flag. */
function violationsOf(
  controllers: Readonly<Record<string, StartController>>,
  { patterns = [], disabledByDefault = [], startIntervalSeconds = 0 }: ControllerOptions,
): readonly string[] {
  const names = Object.keys(controllers)
  const unknown = disabledByDefault.filter((name) => !names.includes(name))
  return [
    ...names
      .filter((name) => name === '*' || name === '' || name.startsWith('-'))
      .map((name) => `a controller must not have the name of a pattern: it is ${JSON.stringify(name)}`),
    ...names
      .filter((name) => typeof controllers[name] !== 'function')
      .map((name) => `${name} must be a function that starts it: it is ${typeof controllers[name]}`),
    ...patternViolations(patterns, names),
    ...unknown.map((name) => `disabledByDefault names ${JSON.stringify(name)}, which is no controller`),
    ...(Number.isFinite(startIntervalSeconds) && startIntervalSeconds >= 0
      ? []
      : [`startInterval must be 0 or more: it is ${startIntervalSeconds} s`]),
  ]
}
