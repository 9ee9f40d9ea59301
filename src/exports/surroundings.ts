import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'
import type { Clock } from '../clock.ts'
import { Api } from '../kube/api.ts'
import type { Credentials } from '../kube/credentials.ts'
import { inClusterCredentials, namespaceOfPod } from '../kube/in-cluster.ts'
import type { KubeConfigLike } from '../kube/kube-config-like.ts'
import { kubeConfigCredentials } from '../kube/kubeconfig.ts'
import { undiciTransport } from '../kube/undici.ts'
import { identityOf } from '../lock/identity.ts'
import type { Surroundings } from '../lock/surroundings.ts'
import { share } from './share.ts'
import { VERSION } from './version.ts'

type Environment = Readonly<Record<string, string | undefined>>

/** Who asks, in the API server's logs; the name is client-go's for it. */
const USER_AGENT = `leadergroup/${VERSION} leader-election`

/**
 * What a process's environment says. Looked up whenever it is asked for, so that nothing happens on import.
 *
 * @param directory where the pod's service account is mounted
 */
export function surroundingsOf(env: Environment, directory?: string): Surroundings {
  return {
    identity: () => identityOf(env),
    namespace: () => namespaceOfPod(directory),
    hasCluster: () => Boolean(env['KUBERNETES_SERVICE_HOST']) || hasKubeConfig(env),
    connect: share(async (kube, clock) => {
      const credentials = await credentialsOf(kube, { env, clock, directory })
      const transport = undiciTransport({ credentials, userAgent: USER_AGENT, clock })
      return { api: new Api(transport, clock), close: () => transport.close() }
    }),
  }
}

/** Of this process: all that the library knows of it. */
export const surroundings = surroundingsOf(process.env)

async function credentialsOf(
  kube: KubeConfigLike | undefined,
  { env, clock, directory }: { env: Environment; clock: Clock; directory: string | undefined },
): Promise<Credentials> {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port = '443' } = env
  if (kube) return kubeConfigCredentials(kube, clock)
  if (host) return inClusterCredentials({ host, port, clock, ...(directory === undefined ? {} : { directory }) })
  return kubeConfigCredentials(await defaultKubeConfig(), clock)
}

/** Where client-node would look. It falls back to localhost:8080 where there is none, so that is asked for before. */
function hasKubeConfig(env: Environment): boolean {
  const listed = env['KUBECONFIG']?.split(delimiter).filter((file) => file !== '') ?? []
  const files = listed.length > 0 ? listed : [join(env['HOME'] || homedir(), '.kube', 'config')]
  return files.some((file) => existsSync(file))
}

async function defaultKubeConfig(): Promise<KubeConfigLike> {
  const { KubeConfig } = await importClientNode()
  const kubeConfig = new KubeConfig()
  kubeConfig.loadFromDefault()
  return kubeConfig
}

/** Only here, and only now: whoever runs in a pod needs neither the package nor its 60 MB of memory. */
async function importClientNode() {
  try {
    return await import('@kubernetes/client-node')
  } catch (cause) {
    throw new Error(
      'a kubeconfig is read by @kubernetes/client-node, which cannot be imported: install it, or pass `kube`',
      { cause },
    )
  }
}
