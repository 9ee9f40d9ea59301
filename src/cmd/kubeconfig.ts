import { readFileSync } from 'node:fs'
import { KubeConfig, type Cluster } from '@kubernetes/client-node'
import { parse } from 'yaml'
import { kubeConfigFiles } from './kubeconfig-files.ts'
import { checkShape } from './kubeconfig-shape.ts'
import { messageChain } from './log.ts'
import { readTokenFiles, withTokenFiles } from './token-file.ts'
import { UsageError } from './usage-error.ts'

type Environment = Readonly<Record<string, string | undefined>>

/**
 * The kubeconfig that kubectl would use, with its context chosen; undefined when there is none.
 *
 * client-node's own `loadFromDefault` merges the files of KUBECONFIG in another way than kubectl: it throws on a file
 * that is missing and on a name that occurs twice, and the last file's current-context wins. For kubectl the first file
 * that says something wins, and what is missing is skipped.
 */
export function loadKubeConfig(
  flags: { readonly kubeconfig: string | undefined; readonly context: string | undefined },
  env: Environment,
): KubeConfig | undefined {
  const merged = kubeConfigFiles(flags.kubeconfig, env).map(load).reduce(merge, new KubeConfig())
  if (merged.contexts.length === 0 && merged.clusters.length === 0) return undefined
  if (flags.context !== undefined) merged.setCurrentContext(flags.context)
  checkContext(merged)
  allowPlainHttp(merged)
  readTokenFiles(merged)
  return merged
}

function load(file: string): KubeConfig {
  const config = new KubeConfig()
  config.clusters = []
  config.users = []
  config.contexts = []
  try {
    // `kubectl config` leaves empty files behind, which say nothing.
    const text = readFileSync(file, 'utf8')
    if (text.trim() === '') return config
    checkShape(parse(text, { logLevel: 'error' }))
    config.loadFromFile(file)
    config.users = withTokenFiles(config.users, text, file)
  } catch (cause) {
    throw new UsageError(`kubeconfig ${file} cannot be read: ${messageChain(cause)}`, { cause })
  }
  return config
}

function merge(first: KubeConfig, next: KubeConfig): KubeConfig {
  const merged = new KubeConfig()
  merged.clusters = byName(first.clusters, next.clusters)
  merged.users = byName(first.users, next.users)
  merged.contexts = byName(first.contexts, next.contexts)
  const current = first.currentContext || next.currentContext
  if (current) merged.setCurrentContext(current)
  return merged
}

function byName<T extends { readonly name: string }>(first: readonly T[] = [], next: readonly T[] = []): T[] {
  return [...first, ...next.filter(({ name }) => !first.some((known) => known.name === name))]
}

/** Says what is wrong before anything is tried with half of it. */
function checkContext(config: KubeConfig): void {
  const names = config.contexts.map(({ name }) => name).join(', ')
  const current = config.getCurrentContext()
  if (!current) throw new UsageError(`the kubeconfig has no current-context: choose one with --context: ${names}`)
  const context = config.getContextObject(current)
  if (!context) throw new UsageError(`the kubeconfig has no context ${JSON.stringify(current)}; there are: ${names}`)
  const missing = !config.getCluster(context.cluster)
    ? `cluster ${JSON.stringify(context.cluster)}`
    : context.user && !config.getUser(context.user)
      ? `user ${JSON.stringify(context.user)}`
      : undefined
  if (missing) throw new UsageError(`context ${JSON.stringify(current)} names ${missing}, which the kubeconfig lacks`)
  checkServer(config.getCluster(context.cluster)!)
}

function checkServer({ name, server }: Cluster): void {
  if (/^https?:\/\//.test(server) && URL.canParse(server)) return
  const said = `its server is ${JSON.stringify(server)}: write an address like https://10.0.0.1:6443`
  throw new UsageError(`cluster ${JSON.stringify(name)} of the kubeconfig cannot be reached: ${said}`)
}

/** kubectl takes `http://` (of `kubectl proxy`, for one); client-node only where TLS is not verified, which it is not. */
function allowPlainHttp(config: KubeConfig): void {
  config.clusters = config.clusters.map((cluster) =>
    cluster.server.startsWith('http://') ? { ...cluster, skipTLSVerify: true } : cluster,
  )
}
