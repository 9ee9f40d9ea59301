import { fork, type ChildProcess } from 'node:child_process'
import type { Grant } from './grant.ts'
import type { Notice, Order } from './guard.ts'
import { signalGroup } from './signal-group.ts'

/** How a command has ended. */
export interface End {
  /** As shells say it: 128 and its number for a signal. */
  readonly exitCode: number
  /** It was asked to end, or killed, before it did. */
  readonly isTold: boolean
  /** Why it was not run, or not to its end. */
  readonly failure?: string
}

/** Killed, and nobody was there to say so. */
const EXIT_KILLED = 137

/**
 * A guard, and the one command that it is given. Made ahead of time: a command starts at once then, and not only when
 * another Node is up.
 */
export class Guarded {
  readonly #guard: ChildProcess
  readonly #onStarted: (pid: number) => void
  readonly #ended = Promise.withResolvers<End>()
  #pid: number | undefined
  #isKilled = false

  constructor(onStarted: (pid: number) => void) {
    this.#onStarted = onStarted
    // This program once more. Out of the reach of a terminal's Ctrl-C, which is for the one that elects to pass on.
    this.#guard = fork(process.argv[1]!, ['guard'], { detached: true, stdio: 'inherit' })
    this.#guard.on('message', (notice: Notice) => this.#hear(notice))
    this.#guard.once('disconnect', () => this.#lose('its guard has died'))
    this.#guard.once('error', (error) => this.#lose(`no guard: ${error.message}`))
  }

  get ended(): Promise<End> {
    return this.#ended.promise
  }

  start(command: readonly [string, ...string[]], env: NodeJS.ProcessEnv, grant: Grant): void {
    this.#order({ kind: 'start', command, env, grant })
  }

  /** The term was renewed. */
  extend(grant: Grant): void {
    this.#order({ kind: 'grant', grant })
  }

  stop(signal: NodeJS.Signals, grant: Grant): void {
    this.#order({ kind: 'stop', signal, grant })
  }

  /** The last resort, if the guard itself hangs or is stopped. */
  kill(): void {
    this.#isKilled = true
    signalGroup(this.#pid, 'SIGKILL')
    this.#guard.kill('SIGKILL')
  }

  /** It is of no use any more. */
  discard(): void {
    if (this.#guard.connected) this.#guard.disconnect()
  }

  #hear(notice: Notice): void {
    if (notice.kind === 'started') {
      this.#pid = notice.pid
      this.#onStarted(notice.pid)
    } else if (notice.kind === 'failed') {
      this.#ended.resolve({ exitCode: notice.exitCode, isTold: false, failure: notice.message })
    } else {
      this.#pid = undefined
      this.#ended.resolve({ exitCode: notice.exitCode, isTold: notice.isTold })
    }
  }

  /** The channel ends after all that was said on it. Whoever has not said that its command has ended was killed. */
  #lose(failure: string): void {
    signalGroup(this.#pid, 'SIGKILL')
    const end = { exitCode: EXIT_KILLED, isTold: this.#isKilled }
    this.#ended.resolve(this.#isKilled ? end : { ...end, failure })
  }

  #order(order: Order): void {
    // A guard that cannot be told has ended, or is about to be noticed.
    if (this.#guard.connected) this.#guard.send(order, () => undefined)
  }
}
