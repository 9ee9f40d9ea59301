import { Reader, type ClusterFlags } from './flags.ts'
import { UsageError } from './usage-error.ts'

export const EXPLAIN_FORMATS = ['text', 'json', 'yaml'] as const

/** What `leadergroup explain` was told, checked. */
export interface ExplainFlags {
  readonly cluster: ClusterFlags
  readonly name: string
  /** Undefined: that of the kubeconfig's context. */
  readonly namespace: string | undefined
  readonly output: (typeof EXPLAIN_FORMATS)[number]
}

export interface RawExplainFlags {
  readonly namespace?: string
  readonly output: string
  readonly kubeconfig?: string
  readonly context?: string
}

/** @throws UsageError that names everything that is wrong, with the values */
export function parseExplainFlags(name: string, raw: RawExplainFlags): ExplainFlags {
  const read = new Reader()
  const flags: ExplainFlags = {
    cluster: { kubeconfig: raw.kubeconfig || undefined, context: raw.context || undefined },
    name: name.replace(/^(lg|leadergroups?)(\.leadergroup\.io)?\//, ''),
    namespace: raw.namespace === undefined ? undefined : read.namespace('--namespace', raw.namespace),
    output: read.choice('--output', raw.output, EXPLAIN_FORMATS),
  }
  if (!/^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$/.test(flags.name)) {
    read.wrong.push(`${JSON.stringify(name)}: this is no name of a LeaderGroup`)
  }
  if (read.wrong.length > 0) throw new UsageError(read.wrong.join('; '))
  return flags
}

/** What `leadergroup cleanup` was told, checked. */
export interface CleanupFlags {
  readonly cluster: ClusterFlags
  readonly scope: CleanupScope
  readonly dryRun: boolean
  readonly yes: boolean
}

/** Namespace undefined: that of the kubeconfig's context. */
export type CleanupScope = { readonly all: true } | { readonly all: false; readonly namespace: string | undefined }

export interface RawCleanupFlags {
  readonly namespace?: string
  readonly allNamespaces?: boolean
  readonly dryRun?: boolean
  readonly yes?: boolean
  readonly kubeconfig?: string
  readonly context?: string
}

/** @throws UsageError that names everything that is wrong, with the values */
export function parseCleanupFlags(raw: RawCleanupFlags): CleanupFlags {
  const read = new Reader()
  const { allNamespaces = false, dryRun = false, yes = false } = raw
  const namespace = raw.namespace === undefined ? undefined : read.namespace('--namespace', raw.namespace)
  if (allNamespaces && namespace !== undefined) read.wrong.push('--namespace and --all-namespaces: give one of them')
  if (read.wrong.length > 0) throw new UsageError(read.wrong.join('; '))
  return {
    cluster: { kubeconfig: raw.kubeconfig || undefined, context: raw.context || undefined },
    scope: allNamespaces ? { all: true } : { all: false, namespace },
    dryRun,
    yes,
  }
}
