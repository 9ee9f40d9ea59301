import type { Clock } from '../clock.ts'
import type { KubeConfigLike } from './kube-config-like.ts'
import { rereading, type Access, type Credentials, type Tls } from './credentials.ts'

interface HttpsOptions extends Tls {
  readonly headers?: Readonly<Record<string, unknown>>
  readonly auth?: string
}

/**
 * The current context of a kubeconfig. Certificate files are re-read, tokens and certificates of exec plugins renewed:
 * asking client-node again does that.
 */
export function kubeConfigCredentials(kubeConfig: KubeConfigLike, clock: Clock): Credentials {
  const cluster = kubeConfig.getCurrentCluster()
  if (cluster === null) {
    throw new Error(
      'the kubeconfig has no current context with a cluster: choose one with `kubectl config use-context`',
    )
  }
  return { server: cluster.server, load: rereading(clock, () => readAccess(kubeConfig, cluster.proxyUrl)) }
}

async function readAccess(kubeConfig: KubeConfigLike, proxyUrl: string | undefined): Promise<Access> {
  const options: HttpsOptions = {}
  await kubeConfig.applyToHTTPSOptions(options)
  return {
    tls: pickTls(options),
    headers: pickHeaders(options),
    ...(proxyUrl ? { proxyUrl } : {}),
  }
}

/** Only these: the agent that client-node adds for `https.request()` is of no use here. */
function pickTls(options: HttpsOptions): Tls {
  const { ca, cert, key, pfx, passphrase, servername, rejectUnauthorized } = options
  const all = { ca, cert, key, pfx, passphrase, servername, rejectUnauthorized }
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined))
}

function pickHeaders(options: HttpsOptions): Record<string, string> {
  const headers: Record<string, string> = {}
  if (options.auth !== undefined) headers.authorization = `Basic ${Buffer.from(options.auth).toString('base64')}`
  for (const [name, value] of Object.entries(options.headers ?? {})) {
    if (typeof value === 'string') headers[name.toLowerCase()] = value
  }
  return headers
}
