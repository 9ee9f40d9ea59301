import { DEFAULT_CLOCK_DRIFT, timingViolations } from '../election/timing.ts'
import type { BindAddress } from '../operator/http.ts'
import { LOG_LEVELS, type LogLevel } from '../operator/log.ts'
import { parseBindAddress } from './bind-address.ts'
import { parseDuration } from './duration.ts'
import type { LogFormat } from './log.ts'
import { UsageError } from './usage-error.ts'

/** What `leadergroup operator` was told, checked. */
export interface OperatorFlags {
  readonly cluster: ClusterFlags
  /** Empty: all. */
  readonly namespaces: readonly string[]
  /** Undefined: it acts without asking, as the only one. */
  readonly election: ElectionFlags | undefined
  readonly health: BindAddress | undefined
  readonly metrics: BindAddress | undefined
  readonly log: { readonly format: LogFormat; readonly level: LogLevel }
  readonly dryRun: boolean
}

export interface ClusterFlags {
  readonly kubeconfig: string | undefined
  readonly context: string | undefined
}

export interface ElectionFlags {
  /** Undefined: the pod's own, or that of the kubeconfig's context. */
  readonly namespace: string | undefined
  readonly name: string
  readonly leaseDurationSeconds: number
  readonly renewDeadlineSeconds: number
  readonly retryPeriodSeconds: number
}

/** As commander hands them over: text, from the command line or the environment. */
export interface RawFlags {
  readonly namespace: readonly string[]
  readonly leaderElect: boolean | string
  readonly leaderElectionNamespace?: string
  readonly leaderElectionId: string
  readonly leaseDuration: string
  readonly renewDeadline: string
  readonly retryPeriod: string
  readonly healthProbeBindAddress: string
  readonly metricsBindAddress: string
  readonly logFormat: string
  readonly logLevel: string
  readonly dryRun: boolean | string
  readonly kubeconfig?: string
  readonly context?: string
}

export const LOG_FORMATS: readonly LogFormat[] = ['text', 'json']

/** @throws UsageError that names everything that is wrong, with the values */
export function parseOperatorFlags(raw: RawFlags): OperatorFlags {
  const read = new Reader()
  const { kubeconfig, context } = raw
  const namespaces = new Set(raw.namespace.map((text) => text.trim()).filter((text) => text !== ''))
  const flags: OperatorFlags = {
    cluster: { kubeconfig: kubeconfig || undefined, context: context || undefined },
    namespaces: [...namespaces].map((text) => read.namespace('--namespace', text)),
    election: read.boolean('--leader-elect', raw.leaderElect) ? parseElection(raw, read) : undefined,
    health: read.address('--health-probe-bind-address', raw.healthProbeBindAddress),
    metrics: read.address('--metrics-bind-address', raw.metricsBindAddress),
    log: {
      format: read.choice('--log-format', raw.logFormat, LOG_FORMATS),
      level: read.choice('--log-level', raw.logLevel, LOG_LEVELS),
    },
    dryRun: read.boolean('--dry-run', raw.dryRun),
  }
  if (flags.health && flags.metrics && isSame(flags.health, flags.metrics)) {
    read.wrong.push(`--health-probe-bind-address and --metrics-bind-address are both ${raw.metricsBindAddress}`)
  }
  if (read.wrong.length > 0) throw new UsageError(read.wrong.join('; '))
  return frozen(flags)
}

function parseElection(raw: RawFlags, read: Reader): ElectionFlags {
  const namespace = raw.leaderElectionNamespace || undefined
  const timing = {
    leaseDurationSeconds: read.seconds('--lease-duration', raw.leaseDuration),
    renewDeadlineSeconds: read.seconds('--renew-deadline', raw.renewDeadline),
    retryPeriodSeconds: read.seconds('--retry-period', raw.retryPeriod),
  }
  const isReadable = !Object.values(timing).some(Number.isNaN)
  if (isReadable) read.wrong.push(...timingViolations({ ...timing, clockDrift: DEFAULT_CLOCK_DRIFT }))
  return {
    namespace: namespace && read.namespace('--leader-election-namespace', namespace),
    name: read.leaseName('--leader-election-id', raw.leaderElectionId),
    ...timing,
  }
}

/** Reads one flag after the other, and remembers what is wrong instead of stopping at the first. */
export class Reader {
  readonly wrong: string[] = []

  namespace(flag: string, text: string): string {
    if (!/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(text)) this.#refuse(flag, text, 'this is no name of a namespace')
    return text
  }

  leaseName(flag: string, text: string): string {
    if (!/^[a-z0-9]([-.a-z0-9]{0,251}[a-z0-9])?$/.test(text)) this.#refuse(flag, text, 'this is no name of a Lease')
    return text
  }

  boolean(flag: string, value: boolean | string): boolean {
    if (!['true', 'false'].includes(String(value))) this.#refuse(flag, value, 'write true or false')
    return String(value) === 'true'
  }

  choice<T extends string>(flag: string, text: string, among: readonly T[]): T {
    const chosen = among.find((candidate) => candidate === text)
    if (chosen === undefined) this.#refuse(flag, text, `write one of ${among.join(', ')}`)
    return chosen ?? among[0]!
  }

  address(flag: string, text: string): BindAddress | undefined {
    const parsed = parseBindAddress(text)
    if (parsed === undefined) this.#refuse(flag, text, 'write an address like :8081 or 127.0.0.1:8081, or 0')
    return parsed === 'off' ? undefined : parsed
  }

  /** NaN when it cannot be read. */
  seconds(flag: string, text: string): number {
    const parsed = parseDuration(text)
    if (parsed === undefined) this.#refuse(flag, text, 'write a duration like 5s or 1500ms')
    return parsed ?? Number.NaN
  }

  #refuse(flag: string, value: unknown, wanted: string): void {
    this.wrong.push(`${flag} ${JSON.stringify(value)}: ${wanted}`)
  }
}

function isSame(a: BindAddress, b: BindAddress): boolean {
  return a.port !== 0 && a.port === b.port && a.host === b.host
}

function frozen<T extends object>(value: T): T {
  for (const part of Object.values(value) as unknown[]) if (typeof part === 'object' && part !== null) frozen(part)
  return Object.freeze(value)
}
