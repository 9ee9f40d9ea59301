/** One server process of the control plane, which tests may kill, pause and start again on the same ports and data. */
import type { ChildProcess } from 'node:child_process'
import { type FileHandle, open, readFile } from 'node:fs/promises'
import { systemClock, sleepUntil } from '../../src/clock.ts'
import type { Binary } from './binary.ts'
import { type Finished, type Scratch, ended } from './scratch.ts'

const LOG_TAIL_LINES = 20
/** An API server whose etcd is gone, and an etcd that is still watched, take no notice of SIGTERM for a long time. */
const TERMINATION_MILLIS = 2_000

export interface ServerSpec {
  readonly name: string
  readonly binary: Binary
  /** A function is asked at each start. */
  readonly args: readonly string[] | (() => readonly string[])
  readonly logPath: string
  readonly env?: NodeJS.ProcessEnv
  /** Resolves once the server answers; rejects when the signal aborts or its time is over. */
  readonly ready: (signal: AbortSignal) => Promise<void>
}

interface Run {
  readonly child: ChildProcess
  readonly ended: Promise<Finished>
}

export class Server {
  readonly name: string
  readonly logPath: string
  readonly #scratch: Scratch
  readonly #spec: ServerSpec
  #run: Run | undefined

  constructor(scratch: Scratch, spec: ServerSpec) {
    this.name = spec.name
    this.logPath = spec.logPath
    this.#scratch = scratch
    this.#spec = spec
  }

  /** Of the process that runs; undefined while none does. */
  get pid(): number | undefined {
    return this.#run?.child.pid
  }

  /** Resolves when it answers. Rejects with a {@link StartFailure} when it ends before that, or does not in time. */
  async start(signal: AbortSignal = new AbortController().signal): Promise<void> {
    if (this.#run) throw new Error(`${this.name} runs already (pid ${this.pid})`)
    signal.throwIfAborted()
    const run = await this.#spawn()
    const over = new AbortController()
    const ready = this.#spec.ready(AbortSignal.any([signal, over.signal]))
    const died = run.ended.then(({ code, signal: by }) => {
      throw new Error(`ended with ${by ?? `exit code ${code}`}`)
    })
    try {
      await Promise.race([ready, died])
    } catch (cause) {
      await this.kill()
      signal.throwIfAborted()
      throw new StartFailure(this.name, this.logPath, await this.logTail(), cause)
    } finally {
      over.abort()
      // Whichever lost the race ends later, and is of no interest then.
      await Promise.allSettled([ready])
      died.catch(() => undefined)
    }
  }

  async restart(signal?: AbortSignal): Promise<void> {
    await this.kill()
    await this.start(signal)
  }

  /** SIGTERM, and SIGKILL when that does not end it in time. Resolves when the process is gone. */
  async stop(limitMillis = TERMINATION_MILLIS): Promise<void> {
    const run = this.#run
    if (!run) return
    // A paused process would keep its SIGTERM for later.
    signalGroup(run.child, 'SIGCONT')
    signalGroup(run.child, 'SIGTERM')
    const gone = new AbortController()
    const limit = sleepUntil(systemClock, systemClock.now() + limitMillis, gone.signal).catch(() => undefined)
    await Promise.race([run.ended, limit])
    gone.abort()
    await this.kill()
  }

  /** SIGKILL. Resolves when the process is gone. */
  async kill(): Promise<void> {
    const run = this.#run
    if (!run) return
    signalGroup(run.child, 'SIGKILL')
    await run.ended
  }

  /** SIGSTOP: it keeps its connections and answers nothing. */
  pause(): void {
    this.#signal('SIGSTOP')
  }

  /** SIGCONT. */
  resume(): void {
    this.#signal('SIGCONT')
  }

  async logTail(lines = LOG_TAIL_LINES): Promise<string> {
    const log = await readFile(this.logPath, 'utf8')
    return log.trimEnd().split('\n').slice(-lines).join('\n')
  }

  async #spawn(): Promise<Run> {
    const { binary, env } = this.#spec
    const args = typeof this.#spec.args === 'function' ? this.#spec.args() : this.#spec.args
    const log: FileHandle = await open(this.logPath, 'a')
    try {
      const child = this.#scratch.spawn(binary.command, [...binary.prefixArgs, ...args], {
        cwd: this.#scratch.dir,
        stdio: ['ignore', log.fd, log.fd],
        ...(env ? { env } : {}),
      })
      const run = { child, ended: ended(child).finally(() => (this.#run = undefined)) }
      // `kill` and `start` look at it when it matters; until then an end is nobody's error.
      run.ended.catch(() => undefined)
      return (this.#run = run)
    } finally {
      await log.close()
    }
  }

  #signal(signal: NodeJS.Signals): void {
    if (!this.#run) throw new Error(`${this.name} does not run`)
    signalGroup(this.#run.child, signal)
  }
}

/** A server did not come up. The message has the end of its log. */
export class StartFailure extends Error {
  override readonly name = 'StartFailure'
  /** Another process took its port first: other ports may do. */
  readonly portTaken: boolean
  constructor(server: string, logPath: string, logTail: string, cause: unknown) {
    const why = cause instanceof Error ? cause.message : String(cause)
    super(`${server} did not start: ${why}\n${logPath} ends with:\n${logTail}`, { cause })
    this.portTaken = /address already in use/i.test(logTail)
  }
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
  process.kill(-child.pid, signal)
}
