/** The operator as it is shipped, one bundle, as a process with no rights but those of its service account. */
import { randomUUID } from 'node:crypto'
import { open, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { systemClock as clock, sleepUntil } from '../src/clock.ts'
import { eventually } from '../e2e/controlplane/eventually.ts'
import { freePorts } from '../e2e/controlplane/ports.ts'
import { type Scratch, ended, openScratch } from '../e2e/controlplane/scratch.ts'
import { OPERATOR_NAMESPACE } from '../e2e/operator-process.ts'
import { BUNDLE_FILE } from '../scripts/build.ts'
import { readShipped } from './shipped.ts'
import type { Stage } from './stage.ts'

const NODE = join(import.meta.dirname, '../node_modules/.bin/node')
const READY_MILLIS = 60_000
const STOP_MILLIS = 15_000

export interface StartOptions {
  /** More flags of Node itself, after those of the image: to profile it. */
  readonly nodeArgs?: readonly string[]
}

export async function startOperator(stage: Stage, { nodeArgs = [] }: StartOptions = {}): Promise<RunningOperator> {
  const [health, metrics] = (await freePorts(2)) as [number, number]
  const shipped = await readShipped()
  const scratch = await openScratch()
  const logPath = join(scratch.dir, 'operator.log')
  const log = await open(logPath, 'a')
  const flags = [
    `--kubeconfig=${stage.kubeconfig}`,
    `--leader-election-namespace=${OPERATOR_NAMESPACE}`,
    `--health-probe-bind-address=127.0.0.1:${health}`,
    `--metrics-bind-address=127.0.0.1:${metrics}`,
    '--log-format=json',
  ]
  const startedAt = clock.now()
  const child = scratch.spawn(NODE, [...shipped.nodeArgs, ...nodeArgs, BUNDLE_FILE, 'operator', ...flags], {
    env: { ...shipped.env, PATH: process.env['PATH'], POD_NAME: 'bench', POD_UID: randomUUID() },
    stdio: ['ignore', log.fd, log.fd],
  })
  await log.close()
  const end = ended(child)
  end.catch(() => undefined)
  const stop = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) process.kill(-child.pid!, 'SIGTERM')
    const gone = new AbortController()
    // Whoever ignores SIGTERM is killed with the scratch directory.
    const late = sleepUntil(clock, clock.now() + STOP_MILLIS, gone.signal).catch(() => undefined)
    await Promise.race([end, late])
    gone.abort()
  }
  return new RunningOperator({ scratch, startedAt, logPath, metricsUrl: `http://127.0.0.1:${metrics}/metrics`, stop })
}

interface Parts {
  readonly scratch: Scratch
  readonly startedAt: number
  readonly logPath: string
  readonly metricsUrl: string
  readonly stop: () => Promise<void>
}

export class RunningOperator implements AsyncDisposable {
  /** Monotonic time just before it was started. */
  readonly startedAt: number
  readonly #parts: Parts

  constructor(parts: Parts) {
    this.#parts = parts
    this.startedAt = parts.startedAt
  }

  /** Resolves to the monotonic time at which its log said that its lists are complete and that it may act. */
  async untilActing(signal: AbortSignal): Promise<number> {
    const said = ['"all lists are complete"', '"this replica acts"']
    const what = 'the operator to act'
    try {
      return await eventually({ what, millis: READY_MILLIS, intervalMillis: 10, signal }, async () => {
        const log = await this.log()
        return said.every((text) => log.includes(text)) ? clock.now() : undefined
      })
    } catch (cause) {
      throw new Error(`the operator does not act:\n${(await this.log()).slice(-4_000)}`, { cause })
    }
  }

  /** One of its metrics without labels. */
  async metrics(): Promise<ReadonlyMap<string, number>> {
    const response = await fetch(this.#parts.metricsUrl, { signal: AbortSignal.timeout(10_000) })
    const lines = (await response.text()).split('\n').filter((line) => line !== '' && !line.startsWith('#'))
    return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.split(' ').at(-1))]))
  }

  async usage(): Promise<Usage> {
    const metrics = await this.metrics()
    return {
      at: clock.now(),
      residentBytes: metrics.get('process_resident_memory_bytes')!,
      heapBytes: metrics.get('nodejs_heap_size_used_bytes')!,
      cpuSeconds: metrics.get('process_cpu_seconds_total')!,
    }
  }

  log(): Promise<string> {
    return readFile(this.#parts.logPath, 'utf8')
  }

  /** SIGTERM, so that its Lease is released; resolves when it is gone. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#parts.stop()
    await this.#parts.scratch.close()
  }
}

export interface Usage {
  /** Monotonic milliseconds. */
  readonly at: number
  readonly residentBytes: number
  readonly heapBytes: number
  readonly cpuSeconds: number
}
