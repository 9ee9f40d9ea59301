import { spawn, type ChildProcess } from 'node:child_process'
import { constants } from 'node:os'
import { due, lookAt, type Grant } from './grant.ts'
import { hostClock as clock, instant } from './host-clock.ts'
import { signalGroup } from './signal-group.ts'

/** What a guard is told. */
export type Order =
  | {
      readonly kind: 'start'
      readonly command: readonly [string, ...string[]]
      readonly env: NodeJS.ProcessEnv
      readonly grant: Grant
    }
  | { readonly kind: 'grant'; readonly grant: Grant }
  | { readonly kind: 'stop'; readonly signal: NodeJS.Signals; readonly grant: Grant }

/** What a guard says. */
export type Notice =
  | { readonly kind: 'started'; readonly pid: number }
  | { readonly kind: 'failed'; readonly exitCode: number; readonly message: string }
  /** `isTold`: it was asked to end, or killed, before. */
  | { readonly kind: 'ended'; readonly exitCode: number; readonly isTold: boolean }

/** As shells say it. */
const EXIT_NOT_FOUND = 127
const EXIT_NOT_EXECUTABLE = 126

/**
 * The process between the one that elects and the command: the command's parent, in a session of its own. It ends the
 * command when its grant is over by this process's own clock, and kills it at once when the one that elects is gone,
 * which the end of their channel tells. So neither a killed nor a stopped one leaves a command running for longer.
 */
export function runGuard(): Promise<void> {
  return new Promise((resolve) => {
    const guard = new Guard(resolve)
    process.on('message', (order: Order) => guard.obey(order))
    process.on('disconnect', () => guard.abandon())
    // Nobody there any more: it has died before this could listen.
    if (!process.connected) guard.abandon()
  })
}

class Guard {
  readonly #done: () => void
  #child: ChildProcess | undefined
  #grant: Grant | undefined
  #isTold = false
  #cancelLook: (() => void) | undefined

  constructor(done: () => void) {
    this.#done = done
  }

  obey(order: Order): void {
    this.#grant = order.grant
    if (order.kind === 'start') this.#start(order.command, order.env)
    else if (order.kind === 'stop') this.#tell(order.signal)
    this.#look()
  }

  /** A process that restarts under the same identity finds its Lease and need not wait: not a moment is left. */
  abandon(): void {
    this.#kill()
    if (!this.#child) this.#end()
  }

  #start([file, ...args]: readonly [string, ...string[]], env: NodeJS.ProcessEnv): void {
    // The grant may have run out on its way here.
    if (due(this.#grant!, false, instant()) !== 'nothing') {
      this.#say({ kind: 'ended', exitCode: 0, isTold: true })
      return this.#end()
    }
    const child = spawn(file, args, { stdio: 'inherit', detached: true, env })
    this.#child = child
    // At once: until it is said, nobody can end the command if this process is killed.
    if (child.pid !== undefined) this.#say({ kind: 'started', pid: child.pid })
    child.once('error', (error: NodeJS.ErrnoException) => {
      if (child.pid !== undefined) return
      const exitCode = error.code === 'ENOENT' ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE
      this.#say({ kind: 'failed', exitCode, message: error.message })
      this.#end()
    })
    child.once('exit', (code, signal) => {
      // What it has left behind in its process group would go on when the Lease is released.
      this.#kill()
      const exitCode = code ?? 128 + (signal === null ? 0 : constants.signals[signal])
      this.#say({ kind: 'ended', exitCode, isTold: this.#isTold })
      this.#end()
    })
  }

  #look(): void {
    this.#cancelLook?.()
    const grant = this.#grant
    if (!this.#child || !grant) return
    const now = instant()
    const todo = due(grant, this.#isTold, now)
    if (todo === 'kill') return this.#kill()
    if (todo === 'tell') this.#tell('SIGTERM')
    this.#cancelLook = clock.timer(lookAt(grant, this.#isTold, now), () => this.#look())
  }

  #tell(signal: NodeJS.Signals): void {
    this.#isTold = true
    signalGroup(this.#child?.pid, signal)
  }

  #kill(): void {
    // Its own end is reported after this, so whoever has not been told by then has ended by itself.
    const { exitCode, signalCode } = this.#child ?? {}
    if (exitCode === null && signalCode === null) this.#isTold = true
    signalGroup(this.#child?.pid, 'SIGKILL')
  }

  #say(notice: Notice): void {
    // A failure means that nobody listens any more, which ends the command by itself.
    if (process.connected) process.send?.(notice, () => undefined)
  }

  #end(): void {
    this.#cancelLook?.()
    if (process.connected) process.disconnect?.()
    this.#done()
  }
}
