/** A process that is killed, paused and told to end, and what it says line by line. */
import type { ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Line } from '../candidates/line.ts'
import { monotonicMillis } from '../candidates/line.ts'
import { type Scratch, ended } from '../controlplane/scratch.ts'

export interface Command {
  readonly args: readonly string[]
  readonly env?: NodeJS.ProcessEnv
  readonly onLine: (line: Said) => void
  /** Of its standard error. */
  readonly onComplaint: (text: string) => void
}

export type Said = Omit<Line, 'wallMillis'> & { readonly term?: string; readonly pid?: number }

export class Program {
  readonly startedMillis = monotonicMillis()
  /** When it and all that it has started were gone. */
  readonly ended: Promise<number>
  hasEnded = false
  isPaused = false
  readonly #child: ChildProcess

  constructor(scratch: Scratch, { args, env, onLine, onComplaint }: Command) {
    const [command, ...rest] = args
    const child = scratch.spawn(command!, rest, {
      env: { PATH: process.env['PATH'], HOME: '/nonexistent', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.#child = child
    createInterface({ input: child.stdout! }).on('line', (text) => onLine(JSON.parse(text) as Said))
    createInterface({ input: child.stderr! }).on('line', onComplaint)
    this.ended = ended(child).then(() => {
      this.hasEnded = true
      return monotonicMillis()
    })
    this.ended.catch(() => undefined)
  }

  get pid(): number | undefined {
    return this.#child.pid
  }

  pause(): void {
    this.isPaused = true
    this.signal('SIGSTOP')
  }

  resume(): void {
    this.isPaused = false
    this.signal('SIGCONT')
  }

  async kill(): Promise<number> {
    this.signal('SIGKILL')
    return this.ended
  }

  /** To it alone: what it runs in sessions of their own is its affair. */
  signal(signal: NodeJS.Signals): void {
    const { pid, exitCode, signalCode } = this.#child
    if (pid !== undefined && exitCode === null && signalCode === null) process.kill(pid, signal)
  }
}
