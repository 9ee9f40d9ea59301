import { DeadlineExceeded, systemClock, type Clock } from '../clock.ts'
import type { Access, Tls } from '../kube/credentials.ts'
import type { Transport, TransportRequest, TransportResponse } from '../kube/transport.ts'
import { undiciTransport } from '../kube/undici.ts'
import { InvalidOptionsError } from '../lock/errors.ts'
import { EtcdToken } from './etcd-token.ts'

/** Where etcd is, and what proves to it who we are. */
export interface EtcdOptions {
  /** URLs of the members, such as `https://etcd-1:2379`. The next one is asked when one fails. */
  readonly endpoints: readonly string[]
  /** PEM of the authorities to trust. @default the system's */
  readonly ca?: string | Buffer
  /** PEM of the client's certificate and its key, for `--client-cert-auth`. They say who may connect, not who it is. */
  readonly cert?: string | Buffer
  /** PEM of the key of `cert`. Both or neither. */
  readonly key?: string | Buffer
  /** The name that the server's certificate must bear, when it is not that of the URL. */
  readonly servername?: string
  /** For an etcd with authentication enabled. Both or neither. */
  readonly username?: string
  /** Of `username`. */
  readonly password?: string
  /** @default the system's */
  readonly clock?: Clock
}

/** Connections to an etcd. Dispose of them, or they keep the process alive for as long as etcd does. */
export interface Etcd extends Transport, AsyncDisposable {}

/**
 * Nothing is requested before it is needed. HTTP/1.1 to etcd's JSON gateway, which etcd serves unless it was started
 * with `--enable-grpc-gateway=false`.
 *
 * @throws InvalidOptionsError with every violation
 */
export function connectEtcd(options: EtcdOptions): Etcd {
  const violations = violationsOf(options)
  if (violations.length > 0) throw new InvalidOptionsError(violations)
  return new Endpoints(options)
}

class Endpoints implements Etcd {
  readonly #members: readonly (Transport & { close(): Promise<void> })[]
  readonly #token: EtcdToken | undefined
  #current = 0

  constructor(options: EtcdOptions) {
    const { username, password, endpoints, clock = systemClock } = options
    const open: Access = { tls: tlsOf(options), headers: {} }
    const connect = (server: string, load: (refused?: Access) => Promise<Access>) =>
      undiciTransport({ credentials: { server, load }, userAgent: 'leadergroup' })
    const token =
      username !== undefined && password !== undefined ? new EtcdToken({ username, password }, open, clock) : undefined
    this.#token = token
    this.#members = endpoints.map((server) => {
      if (!token) return connect(server, () => Promise.resolve(open))
      // The token is asked for without one: on connections of its own.
      const door = connect(server, () => Promise.resolve(open))
      const hall = connect(server, (refused) => token.load(door, refused))
      const close = async (): Promise<void> => void (await Promise.all([door.close(), hall.close()]))
      return { send: (request) => hall.send(request), close }
    })
  }

  /** Retries nothing: it is the next request that goes to the next member. */
  async send(request: TransportRequest): Promise<TransportResponse> {
    const asked = this.#current
    try {
      const response = await this.#members[asked]!.send(request)
      // A member without a leader, or one that is stopping.
      if (response.status >= 500) this.#leave(asked)
      return this.#token ? await this.#token.examine(response) : response
    } catch (error) {
      // A caller's own wish to end says nothing about the member.
      const { aborted, reason } = request.signal
      if (!aborted || reason instanceof DeadlineExceeded) this.#leave(asked)
      throw error
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#members.map((member) => member.close()))
  }

  /** Many requests may fail together: they leave one member, and not one each. */
  #leave(member: number): void {
    if (member === this.#current) this.#current = (member + 1) % this.#members.length
  }
}

function tlsOf({ ca, cert, key, servername }: EtcdOptions): Tls {
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(servername === undefined ? {} : { servername }),
  }
}

function violationsOf(options: EtcdOptions): string[] {
  const { endpoints, cert, key, username, password } = options
  const violations = endpoints
    .filter((endpoint) => !/^https?:$/.test(URL.parse(endpoint)?.protocol ?? ''))
    .map((endpoint) => `endpoints must be http or https URLs: one is ${JSON.stringify(endpoint)}`)
  if (endpoints.length === 0) violations.push('endpoints must not be empty')
  if ((cert === undefined) !== (key === undefined)) violations.push('cert and key must be given together')
  if ((username === undefined) !== (password === undefined))
    violations.push('username and password must be given together')
  return violations
}
