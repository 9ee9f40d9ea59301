import { deadline, type Clock } from '../clock.ts'
import type { Access } from '../kube/credentials.ts'
import type { Transport, TransportResponse } from '../kube/transport.ts'
import { EtcdError } from './etcd-error.ts'
import { fieldsOf, QUOTED_CHARACTERS, textOf } from './wire.ts'

const PATH = '/v3/auth/authenticate'

/**
 * Answers, with status 400, that a login cures: to a token whose roles have changed since it was given, and to none
 * where authentication was enabled meanwhile. (To a token that has expired the answer is 401.)
 */
const CURED_BY_LOGIN = ['revision of auth store is old', 'user name is empty']

/** As etcd's own clients do, go on without a token then: an etcd can be asked to authenticate later. */
const NOT_ENABLED = 'authentication is not enabled'

/** Shorter than what may wait for it, so that a login that hangs says so. */
const LOGIN_MILLIS = 2_500

/** What a user of etcd sends with every request, once logged in. */
export class EtcdToken {
  readonly #user: { readonly username: string; readonly password: string }
  readonly #open: Access
  #current: Access | undefined
  #login: Promise<Access> | undefined

  readonly #clock: Clock

  constructor(user: { readonly username: string; readonly password: string }, open: Access, clock: Clock) {
    this.#user = user
    this.#clock = clock
    this.#open = open
  }

  /** The token in use; a new one after `refused`, unless that has been replaced already. One login at a time. */
  load(door: Transport, refused?: Access): Promise<Access> {
    if (this.#current !== undefined && this.#current !== refused) return Promise.resolve(this.#current)
    this.#login ??= this.#logIn(door).finally(() => (this.#login = undefined))
    return this.#login
  }

  /** Forgets the token when an answer says that it is outdated; the next request logs in. */
  async examine(response: TransportResponse): Promise<TransportResponse> {
    if (response.status !== 400) return response
    const body = await read(response)
    const said = body.toString('utf8')
    if (CURED_BY_LOGIN.some((words) => said.includes(words))) this.#current = undefined
    return { ...response, body: oneChunk(body) }
  }

  async #logIn(door: Transport): Promise<Access> {
    const { username, password } = this.#user
    using limit = deadline(this.#clock, `etcd ${PATH}`, LOGIN_MILLIS)
    const response = await door.send({
      method: 'POST',
      path: PATH,
      contentType: 'application/json',
      body: JSON.stringify({ name: username, password }),
      lane: 'lease',
      signal: limit.signal,
    })
    const said = (await read(response)).toString('utf8')
    if (said.includes(NOT_ENABLED)) return (this.#current = this.#open)
    if (response.status !== 200) {
      const { status } = response
      throw new EtcdError(`etcd ${PATH} as ${username}: ${status} ${quoted(said)}`, { status, said })
    }
    return (this.#current = { ...this.#open, headers: { authorization: tokenIn(said, username) } })
  }
}

function tokenIn(said: string, username: string): string {
  try {
    const token = textOf(fieldsOf(JSON.parse(said))['token'])
    if (token) return token
  } catch {
    // Not from etcd but from something before it: quoted below.
  }
  throw new EtcdError(`etcd ${PATH} as ${username}: no token: ${quoted(said)}`)
}

const quoted = (said: string): string => said.trim().slice(0, QUOTED_CHARACTERS)

async function read({ body }: TransportResponse): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const chunk of body) chunks.push(chunk)
  return Buffer.concat(chunks)
}

async function* oneChunk(bytes: Uint8Array): AsyncGenerator<Uint8Array, void> {
  yield bytes
}
