import { isDeepStrictEqual } from 'node:util'
import type { Clock } from '../clock.ts'

/** Where the API server is, and what proves to it who we are. */
export interface Credentials {
  /** Base URL of the API server; a path is a prefix of all request paths. */
  readonly server: string
  /**
   * What to send and to trust now: the same object for as long as nothing has changed.
   * `refused` is what the server answered 401 to; it is read anew then, unless that has happened meanwhile.
   */
  load(refused?: Access): Promise<Access>
}

/** What one request needs. */
export interface Access {
  readonly tls: Tls
  /** `authorization`, and whom to impersonate. */
  readonly headers: Readonly<Record<string, string>>
  readonly proxyUrl?: string
}

/** A subset of the options of `tls.connect()`; PEM everywhere. */
export interface Tls {
  readonly ca?: string | Buffer
  readonly cert?: string | Buffer
  readonly key?: string | Buffer
  readonly pfx?: string | Buffer
  readonly passphrase?: string
  /** The name that the server's certificate must bear, when it is not that of the URL. */
  readonly servername?: string
  readonly rejectUnauthorized?: boolean
}

/** As often as client-go re-reads its token file. The kubelet renews a token when 80 % of its life is over. */
const REREAD_MILLIS = 60_000

/**
 * Makes a `load` of `read`: reads at most once a minute, one read at a time, and at once after a refusal.
 * A read that fails while the last result was not refused leaves that in use: a token outlives its renewal by far,
 * and when it does not, the refusal that follows reports why it could not be read.
 */
export function rereading(clock: Clock, read: () => Promise<Access>): Credentials['load'] {
  let current: Access | undefined
  let startedAt = -Infinity
  let reading: Promise<Access> | undefined

  async function renew(): Promise<Access> {
    startedAt = clock.now()
    const next = await read()
    if (!isDeepStrictEqual(current, next)) current = next
    return current as Access
  }

  return async (refused) => {
    if (current !== undefined && current !== refused && clock.now() - startedAt < REREAD_MILLIS) return current
    reading ??= renew().finally(() => (reading = undefined))
    try {
      return await reading
    } catch (error) {
      if (current === undefined || current === refused) throw error
      return current
    }
  }
}
