import { systemClock as clock } from '../clock.ts'
import { Api } from '../kube/api.ts'
import { ApiError } from '../kube/outcome.ts'
import { undiciTransport } from '../kube/undici.ts'
import { findCluster } from './cluster.ts'
import type { ClusterFlags } from './flags.ts'

/** Name of the writer in managedFields. */
const FIELD_MANAGER = 'leadergroup'

/** The cluster that a command asks, and how to speak of it. */
export interface Connection {
  readonly api: Api
  /** Where to look when the person names no namespace. */
  readonly namespace: string
  readonly server: string
  /** Where the server was found, for people. */
  readonly source: string
}

/** Runs a command against the cluster. Faults of its requests come out in words that say what to do. */
export async function withConnection<T>(
  flags: ClusterFlags,
  { env, version }: { readonly env: Readonly<Record<string, string | undefined>>; readonly version: string },
  command: (connection: Connection) => Promise<T>,
): Promise<T> {
  const { credentials, namespace, source } = await findCluster(flags, env, clock)
  const transport = undiciTransport({ credentials, userAgent: `leadergroup/${version}` })
  const connection = {
    api: new Api(transport, clock, { fieldManager: FIELD_MANAGER }),
    namespace,
    server: credentials.server,
    source,
  }
  try {
    return await command(connection)
  } catch (error) {
    throw error instanceof ApiError ? explained(error, connection) : error
  } finally {
    await transport.close()
  }
}

/** What a fault means to a person. The server's own sentence about a refusal names user, verb and resource. */
export function explained(error: ApiError, { server, source }: Pick<Connection, 'server' | 'source'>): Error {
  const place = `the API server ${server} (from ${source})`
  const say = (text: string): Error => new Error(text, { cause: error })
  if (error.status === 401) return say(`${place} does not accept these credentials: ${error.message}`)
  if (error.status === 403)
    return say(`not permitted: ${error.message}. Ask for a role with this verb on this resource`)
  if (error.status !== undefined || error.reason === 'Malformed') return say(`${place} answers: ${error.message}`)
  if (error.reason !== 'Unreachable' && error.reason !== 'Timeout') return say(error.message)
  return say(`${place} cannot be reached: ${error.message}. Is it the right one? Choose with --kubeconfig or --context`)
}
