/** The replicas of the operator, each with its line to the API server; one that ends by itself is started again, and told of. */
import { Leases } from '../../src/kube/objects.ts'
import type { Api } from '../../src/kube/api.ts'
import { ApiError } from '../../src/kube/outcome.ts'
import { OPERATOR_NAMESPACE, type OperatorProcess } from '../operator-process.ts'
import type { Line } from './line.ts'
import { sleep } from './persist.ts'

const RESTART_MILLIS = 300

export class Replica {
  readonly process: OperatorProcess
  readonly line: Line
  /** Something is done to it: nobody else should. */
  isBusy = false
  #isWanted = false
  #flags: readonly string[] = []
  readonly #signal: AbortSignal
  readonly #surprise: (what: string, said: readonly string[]) => void

  constructor(
    process: OperatorProcess,
    line: Line,
    { signal, surprise }: { signal: AbortSignal; surprise: (what: string, said: readonly string[]) => void },
  ) {
    this.process = process
    this.line = line
    this.#signal = signal
    this.#surprise = surprise
  }

  async start(flags: readonly string[] = this.#flags): Promise<void> {
    this.#flags = flags
    this.#isWanted = true
    const { ended } = await this.process.launch(flags)
    void ended.then(() => this.#fell())
  }

  async kill(): Promise<void> {
    this.#isWanted = false
    if (this.process.pid !== undefined) await this.process.kill()
  }

  /** Only if it runs: it may have ended by itself. */
  pause(): void {
    if (this.process.pid !== undefined) this.process.pause()
  }

  resume(): void {
    if (this.process.pid !== undefined) this.process.resume()
  }

  async end(): Promise<void> {
    this.#isWanted = false
    await this.process.end()
    await this.line[Symbol.asyncDispose]()
  }

  async #fell(): Promise<void> {
    if (!this.#isWanted || this.#signal.aborted) return
    this.#surprise(`${this.process.name} ended by itself`, (await this.process.logTail()).split('\n'))
    await sleep(RESTART_MILLIS, this.#signal).catch(() => undefined)
    if (this.#isWanted && !this.#signal.aborted && this.process.pid === undefined) await this.start()
  }
}

/** The one that holds the Lease of their election comes first. */
export async function byRank(api: Api, replicas: readonly Replica[]): Promise<readonly Replica[]> {
  try {
    const lease = await api.get(Leases, { namespace: OPERATOR_NAMESPACE, name: 'leadergroup-operator' })
    const holder = lease.kind === 'ok' ? lease.object.spec?.holderIdentity : undefined
    return replicas.toSorted((a, b) => Number(b.process.identity === holder) - Number(a.process.identity === holder))
  } catch (error) {
    // Nobody can tell now; any order will do.
    if (!(error instanceof ApiError)) throw error
    return replicas
  }
}
