import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'

type Environment = Readonly<Record<string, string | undefined>>

/**
 * Who this process is in the election: no two living processes may share it. A pod has name and UID from the downward
 * API (POD_NAME, POD_UID); a container that restarts is the same candidate then, and finds its own Lease again.
 */
export function identityOf(env: Environment): string {
  const { POD_NAME: name, POD_UID: uid } = env
  return name && uid ? `${name}_${uid}` : `${name || hostname()}_${randomUUID()}`
}

/** Who reports, in events. */
export function instanceOf(env: Environment): string {
  return env['POD_NAME'] || hostname()
}
