import { DEFAULT_CLOCK_DRIFT, timingViolations, type TimingSeconds } from '../../election/timing.ts'
import type { BindAddress } from '../../operator/http.ts'
import { LOG_LEVELS, type LogLevel } from '../../operator/log.ts'
import { LOG_FORMATS, Reader, type ClusterFlags } from '../flags.ts'
import type { LogFormat } from '../log.ts'
import { UsageError } from '../usage-error.ts'

/** For what, as whom and how fast to contend. */
export interface CandidateFlags {
  readonly cluster: ClusterFlags
  readonly lease: string
  /** Undefined: the pod's own, or that of the kubeconfig's context. */
  readonly namespace: string | undefined
  /** Undefined: the pod's name and UID, or the host's name and a random part. */
  readonly identity: string | undefined
  readonly timing: TimingSeconds
  /** 0: none. */
  readonly termLimitSeconds: number
  readonly log: { readonly format: LogFormat; readonly level: LogLevel }
}

export const ON_LOST = ['contend', 'exit'] as const

/** What `leadergroup elect` was told, checked. */
export interface ElectFlags extends CandidateFlags {
  readonly onLost: (typeof ON_LOST)[number]
  /** Undefined: only log. */
  readonly command: readonly [string, ...string[]] | undefined
}

/** What `leadergroup sidecar` was told, checked. */
export interface SidecarFlags extends CandidateFlags {
  /** Undefined: serve nothing. */
  readonly address: BindAddress | undefined
  readonly file: string | undefined
  readonly onStart: string | undefined
  readonly onStop: string | undefined
}

export interface RawCandidateFlags {
  readonly lease?: string
  readonly lockName?: string
  readonly leaseLockName?: string
  readonly namespace?: string
  readonly lockNamespace?: string
  readonly leaseLockNamespace?: string
  readonly id?: string
  readonly leaseDuration: string
  readonly renewDeadline: string
  readonly retryPeriod: string
  readonly termLimit: string
  readonly logFormat: string
  readonly logLevel: string
  readonly kubeconfig?: string
  readonly context?: string
}

export interface RawElectFlags extends RawCandidateFlags {
  readonly onLost: string
}

export interface RawSidecarFlags extends RawCandidateFlags {
  readonly bindAddress: string
  readonly file?: string
  readonly onStart?: string
  readonly onStop?: string
}

/** @throws UsageError that names everything that is wrong, with the values */
export function parseElectFlags([file, ...args]: readonly string[], raw: RawElectFlags): ElectFlags {
  const read = new Reader()
  const flags: ElectFlags = {
    ...candidateFlags(raw, read),
    onLost: read.choice('--on-lost', raw.onLost, ON_LOST),
    command: file === undefined ? undefined : [file, ...args],
  }
  return checked(flags, read)
}

/** @throws UsageError that names everything that is wrong, with the values */
export function parseSidecarFlags(raw: RawSidecarFlags): SidecarFlags {
  const read = new Reader()
  const flags: SidecarFlags = {
    ...candidateFlags(raw, read),
    address: read.address('--bind-address', raw.bindAddress),
    file: raw.file || undefined,
    onStart: raw.onStart || undefined,
    onStop: raw.onStop || undefined,
  }
  return checked(flags, read)
}

function checked<T>(flags: T, read: Reader): T {
  if (read.wrong.length > 0) throw new UsageError(read.wrong.join('; '))
  return flags
}

function candidateFlags(raw: RawCandidateFlags, read: Reader): CandidateFlags {
  const lease = one(read, { '--lease': raw.lease, '--lock-name': raw.lockName, '--lease-lock-name': raw.leaseLockName })
  const namespace = one(read, {
    '--namespace': raw.namespace,
    '--lock-namespace': raw.lockNamespace,
    '--lease-lock-namespace': raw.leaseLockNamespace,
  })
  if (lease === undefined) read.wrong.push('--lease: name the Lease that the candidates compete for')
  return {
    cluster: { kubeconfig: raw.kubeconfig || undefined, context: raw.context || undefined },
    lease: lease === undefined ? '' : read.leaseName('--lease', lease),
    namespace: namespace && read.namespace('--namespace', namespace),
    identity: raw.id || undefined,
    timing: timing(raw, read),
    termLimitSeconds: raw.termLimit === '0' ? 0 : read.seconds('--term-limit', raw.termLimit),
    log: {
      format: read.choice('--log-format', raw.logFormat, LOG_FORMATS),
      level: read.choice('--log-level', raw.logLevel, LOG_LEVELS),
    },
  }
}

function timing(raw: RawCandidateFlags, read: Reader): TimingSeconds {
  const found = {
    leaseDurationSeconds: read.seconds('--lease-duration', raw.leaseDuration),
    renewDeadlineSeconds: read.seconds('--renew-deadline', raw.renewDeadline),
    retryPeriodSeconds: read.seconds('--retry-period', raw.retryPeriod),
    clockDrift: DEFAULT_CLOCK_DRIFT,
  }
  if (!Object.values(found).some(Number.isNaN)) read.wrong.push(...timingViolations(found))
  return found
}

/** Of several names for one thing. */
function one(read: Reader, given: Readonly<Record<string, string | undefined>>): string | undefined {
  const said = Object.entries(given).filter(([, value]) => value)
  const values = new Set(said.map(([, value]) => value))
  if (values.size > 1) read.wrong.push(`${said.map(([flag]) => flag).join(' and ')} mean the same: give one of them`)
  return [...values][0]
}
