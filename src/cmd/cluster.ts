import type { Clock } from '../clock.ts'
import type { Credentials } from '../kube/credentials.ts'
import { inClusterCredentials, readNamespace } from '../kube/in-cluster.ts'
import { kubeConfigCredentials } from '../kube/kubeconfig.ts'
import type { ClusterFlags } from './flags.ts'
import { kubeConfigFiles } from './kubeconfig-files.ts'
import { UsageError } from './usage-error.ts'

type Environment = Readonly<Record<string, string | undefined>>

/** The cluster to work on. */
export interface Cluster {
  readonly credentials: Credentials
  /** The namespace of the kubeconfig's context, or of the pod that this runs in. */
  readonly namespace: string
  /** Where this was found, for people. */
  readonly source: string
}

/** As kubectl does: a kubeconfig if there is one, else the service account of the pod that this runs in. */
export async function findCluster(flags: ClusterFlags, env: Environment, clock: Clock): Promise<Cluster> {
  const kubeConfig =
    kubeConfigFiles(flags.kubeconfig, env).length > 0
      ? (await import('./kubeconfig.ts')).loadKubeConfig(flags, env)
      : undefined
  if (kubeConfig) {
    const name = kubeConfig.getCurrentContext()
    return {
      credentials: kubeConfigCredentials(kubeConfig, clock),
      namespace: kubeConfig.getContextObject(name)?.namespace || 'default',
      source: `context ${name}`,
    }
  }
  if (flags.context !== undefined) throw new UsageError(`--context ${flags.context}: there is no kubeconfig`)
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port = '443' } = env
  if (!host) {
    throw new UsageError(
      'no cluster to work on: there is no kubeconfig, and this is no pod. ' +
        'Pass --kubeconfig FILE or set KUBECONFIG',
    )
  }
  return {
    credentials: inClusterCredentials({ host, port, clock }),
    namespace: await readNamespace(),
    source: 'the service account of this pod',
  }
}
