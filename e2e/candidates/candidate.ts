/** Leader-elected programs as processes of their own, and what they say of themselves. */
import assert from 'node:assert/strict'
import type { ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import { deadline, systemClock } from '../../src/clock.ts'
import { eventually } from '../controlplane/eventually.ts'
import { type Finished, type Scratch, ended, openScratch } from '../controlplane/scratch.ts'
import { sharedCluster } from '../controlplane/shared.ts'
import { candidateAccount } from './account.ts'
import { type CandidateFlags, type Timing, candidateArgs } from './flags.ts'
import { type Line, monotonicMillis } from './line.ts'
import type { Span } from './overlaps.ts'
import { type Kind, commandOf } from './programs.ts'
import type { Term } from './terms.ts'

/** As short as the electors bear it: a crash is taken over after 3 s, and half to one second more with client-go. */
export const SHORT: Timing = { leaseDurationSeconds: 3, renewDeadlineSeconds: 2, retryPeriodSeconds: 0.5 }

/** A candidate says each thing within a try or two; the machine may be busy. */
const SAYING_MILLIS = 20_000
const GRACEFUL_MILLIS = 10_000

export interface CandidateOptions {
  readonly kind: Kind
  readonly lease: string
  readonly identity: string
  /** Default: {@link SHORT} */
  readonly timing?: Timing
  /** Default true: SIGTERM empties the Lease. */
  readonly releaseOnCancel?: boolean
  /** Its command line, with which it takes the same flags. Default: that of its kind in the tests */
  readonly command?: readonly string[]
}

/** The candidates of a namespace, with one service account. Dispose of it, and none of them is left. */
export class Candidates implements AsyncDisposable {
  readonly all: Candidate[] = []
  readonly #scratch: Scratch
  readonly #site: Pick<CandidateFlags, 'namespace' | 'kubeconfig'>

  constructor(scratch: Scratch, site: Pick<CandidateFlags, 'namespace' | 'kubeconfig'>) {
    this.#scratch = scratch
    this.#site = site
  }

  /** Resolves when the process has said that it started. */
  async start({
    kind,
    command,
    timing = SHORT,
    releaseOnCancel = true,
    ...options
  }: CandidateOptions): Promise<Candidate> {
    const flags = candidateArgs({ ...this.#site, ...options, ...timing, releaseOnCancel })
    const [program, ...args] = command ?? (await commandOf(kind))
    const child = this.#scratch.spawn(program!, [...args, ...flags], {
      env: { PATH: process.env['PATH'] },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const candidate = new Candidate(options.identity, kind, child)
    this.all.push(candidate)
    await candidate.says('started')
    return candidate
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#scratch.close()
  }
}

export async function openCandidates(namespace: string): Promise<Candidates> {
  const kubeconfig = await candidateAccount(await sharedCluster(), namespace)
  return new Candidates(await openScratch(), { namespace, kubeconfig })
}

export class Candidate {
  readonly identity: string
  readonly kind: Kind
  /** All that it has said. */
  readonly lines: Line[] = []
  /** Each at least as short as it was: a stopped process cannot know. */
  readonly pauses: Span[] = []
  readonly #child: ChildProcess
  readonly #ended: Promise<Finished>
  readonly #complaints: string[] = []
  #endMillis: number | undefined

  constructor(identity: string, kind: Kind, child: ChildProcess) {
    this.identity = identity
    this.kind = kind
    this.#child = child
    createInterface({ input: child.stdout! }).on('line', (text) => this.lines.push(JSON.parse(text) as Line))
    createInterface({ input: child.stderr! }).on('line', (text) => this.#complaints.push(text))
    this.#ended = ended(child).finally(() => (this.#endMillis = monotonicMillis()))
    this.#ended.catch(() => undefined)
  }

  /** By its own word, while its process lives. */
  get isLeading(): boolean {
    return this.#endMillis === undefined && this.terms.at(-1)?.toMillis === Infinity
  }

  /** Its process has ended, for whatever reason. */
  get hasEnded(): boolean {
    return this.#endMillis !== undefined
  }

  /** When it led, by its own word. A term in which it died ended at the latest when its process was seen to be gone. */
  get terms(): readonly Term[] {
    const { identity } = this
    const terms: Term[] = []
    for (const { event, monotonicMillis: at } of this.lines) {
      if (event === 'leading') terms.push({ identity, fromMillis: at, toMillis: this.#endMillis ?? Infinity })
      else if (event === 'stopped') terms.push({ ...terms.pop()!, toMillis: at })
    }
    return terms
  }

  /** Until it has said this, for the `count`th time. Rejects at once when its process has ended without. */
  says(event: Line['event'], count = 1, millis: number = SAYING_MILLIS): Promise<Line> {
    return eventually({ what: `${this.identity} says ${event}`, millis, intervalMillis: 10 }, () => {
      const found = this.lines.filter((line) => line.event === event)[count - 1]
      if (found || this.#endMillis === undefined) return Promise.resolve(found)
      throw new Error(`${this.identity} ended without saying ${event}:\n${this.complaints()}`)
    })
  }

  /** What it wrote to standard error. */
  complaints(): string {
    return this.#complaints.join('\n')
  }

  /** SIGTERM; resolves to its exit code. */
  async stop(): Promise<number | null> {
    using limit = deadline(systemClock, `the end of ${this.identity}`, GRACEFUL_MILLIS)
    limit.signal.addEventListener('abort', () => this.#signal('SIGKILL'), { once: true })
    this.#signal('SIGTERM')
    const { code } = await this.#ended
    assert.ok(!limit.signal.aborted, `${this.identity} had to be killed:\n${this.complaints()}`)
    return code
  }

  /** Resolves when its process has ended by itself. */
  async ended(): Promise<void> {
    await eventually({ what: `the end of ${this.identity}`, millis: GRACEFUL_MILLIS, intervalMillis: 10 }, () =>
      Promise.resolve(this.hasEnded ? true : undefined),
    )
  }

  /** SIGKILL, paused or not. Resolves when the process is gone. */
  async kill(): Promise<void> {
    this.#signal('SIGKILL')
    await this.#ended
  }

  /** SIGSTOP: it renews no more, and knows nothing of it. */
  pause(): void {
    this.#signal('SIGSTOP')
    this.pauses.push({ fromMillis: monotonicMillis(), toMillis: Infinity })
  }

  /** SIGCONT */
  resume(): void {
    const { fromMillis } = this.pauses.pop()!
    this.pauses.push({ fromMillis, toMillis: monotonicMillis() })
    this.#signal('SIGCONT')
  }

  #signal(signal: NodeJS.Signals): void {
    const { pid, exitCode, signalCode } = this.#child
    if (pid !== undefined && exitCode === null && signalCode === null) process.kill(-pid, signal)
  }
}
