import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { isIPv6 } from 'node:net'
import { join } from 'node:path'
import type { Clock } from '../clock.ts'
import { bearer } from './bearer.ts'
import { rereading, type Access, type Credentials } from './credentials.ts'

/** Where the kubelet puts a pod's service account. */
const SERVICE_ACCOUNT_DIRECTORY = '/var/run/secrets/kubernetes.io/serviceaccount'

/**
 * The service account of the pod that this runs in. `host` and `port` come from KUBERNETES_SERVICE_HOST and
 * KUBERNETES_SERVICE_PORT, which every pod has. Token and CA are re-read, since both rotate.
 */
export function inClusterCredentials(options: {
  readonly host: string
  readonly port: string
  readonly clock: Clock
  readonly directory?: string
}): Credentials {
  const { host, port, clock, directory = SERVICE_ACCOUNT_DIRECTORY } = options
  return {
    server: `https://${isIPv6(host) ? `[${host}]` : host}:${port}`,
    load: rereading(clock, () => readServiceAccount(directory)),
  }
}

/** The namespace of the pod that this runs in. */
export async function readNamespace(directory = SERVICE_ACCOUNT_DIRECTORY): Promise<string> {
  return (await readAccountFile(directory, 'namespace')).trim()
}

/** As `readNamespace`, at once; undefined where no service account is mounted, which is not to say that this is no pod. */
export function namespaceOfPod(directory = SERVICE_ACCOUNT_DIRECTORY): string | undefined {
  try {
    return readFileSync(join(directory, 'namespace'), 'utf8').trim() || undefined
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}

async function readServiceAccount(directory: string): Promise<Access> {
  const [token, ca] = await Promise.all([readAccountFile(directory, 'token'), readAccountFile(directory, 'ca.crt')])
  return { tls: { ca }, headers: { authorization: bearer(token, join(directory, 'token')) } }
}

async function readAccountFile(directory: string, name: string): Promise<string> {
  const path = join(directory, name)
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new Error(`cannot read ${path}: is automountServiceAccountToken false?`, { cause })
  })
  if (text.trim() === '') throw new Error(`${path} is empty`)
  return text
}
