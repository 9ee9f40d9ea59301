import { deadline, type Clock } from '../clock.ts'
import { frames } from '../kube/frames.ts'
import type { Lane, Transport, TransportResponse } from '../kube/transport.ts'
import { throwOnAbort } from '../lock/abort-of.ts'
import { EtcdError } from './etcd-error.ts'
import { fieldsOf, QUOTED_CHARACTERS, textOf, type Fields } from './wire.ts'

/** Requests to etcd's JSON gateway. Retries nothing. */
export class EtcdClient {
  readonly #transport: Transport
  readonly #clock: Clock
  readonly #timeoutMillis: number

  constructor(transport: Transport, clock: Clock, timeoutMillis: number) {
    this.#transport = transport
    this.#clock = clock
    this.#timeoutMillis = timeoutMillis
  }

  /** @throws EtcdError, a DeadlineExceeded, or the signal's reason */
  call(path: string, body: object, signal: AbortSignal): Promise<Fields> {
    return this.#limited(path, signal, async (limit) => {
      const response = await this.#post(path, body, 'lease', limit)
      return parse(path, await text(response))
    })
  }

  /** The first answer of a call that streams. */
  first(path: string, body: object, signal: AbortSignal): Promise<Fields> {
    return this.#limited(path, signal, async (limit) => {
      for await (const answer of this.#stream(path, body, 'lease', limit)) return answer
      throw new EtcdError(`etcd ${path}: the stream ended without an answer`)
    })
  }

  /** Answers until the stream ends or `signal` aborts. The first has a time limit, a silence after it has none. */
  async *stream(path: string, body: object, signal: AbortSignal): AsyncGenerator<Fields, void, void> {
    using limit = deadline(this.#clock, `etcd ${path}`, this.#timeoutMillis, signal)
    for await (const answer of this.#stream(path, body, 'default', limit.signal)) {
      limit.extend(Infinity)
      yield answer
    }
  }

  /** Rejects at the deadline even if the transport does not heed the signal. */
  async #limited<T>(path: string, parent: AbortSignal, ask: (limit: AbortSignal) => Promise<T>): Promise<T> {
    using limit = deadline(this.#clock, `etcd ${path}`, this.#timeoutMillis, parent)
    const { signal } = limit
    signal.throwIfAborted()
    return await Promise.race([ask(signal), throwOnAbort(signal)])
  }

  async *#stream(path: string, body: object, lane: Lane, signal: AbortSignal): AsyncGenerator<Fields, void, void> {
    const response = await this.#post(path, body, lane, signal)
    for await (const frame of frames(response.body)) {
      const { result, error } = parse(path, frame)
      if (error || result === undefined) {
        const said = textOf(fieldsOf(error)['message']) ?? frame.slice(0, QUOTED_CHARACTERS)
        throw refusal(path, { message: said })
      }
      yield fieldsOf(result)
    }
    // A body that ends because of the signal need not say so.
    signal.throwIfAborted()
  }

  async #post(path: string, body: object, lane: Lane, signal: AbortSignal): Promise<TransportResponse> {
    let response: TransportResponse
    try {
      response = await this.#transport.send({
        method: 'POST',
        path,
        contentType: 'application/json',
        body: JSON.stringify(body),
        lane,
        signal,
      })
    } catch (cause) {
      signal.throwIfAborted()
      // From a login that was refused.
      if (cause instanceof EtcdError) throw cause
      throw new EtcdError(`etcd ${path}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
    }
    if (response.status === 200) return response
    throw refusal(path, { status: response.status, ...readRefusal(await text(response)) })
  }
}

function refusal(path: string, { status, message }: { status?: number; message: string }): EtcdError {
  const shown = status === undefined ? message : `${status} ${message}`
  return new EtcdError(`etcd ${path}: ${shown}`, { ...(status === undefined ? {} : { status }), said: message })
}

function readRefusal(body: string): { message: string } {
  try {
    const message = textOf(fieldsOf(JSON.parse(body))['message'])
    if (message) return { message }
  } catch {
    // Not from etcd but from something before it: quoted as it is.
  }
  return { message: body.trim().slice(0, QUOTED_CHARACTERS) || 'no message' }
}

function parse(path: string, body: string): Fields {
  let value: unknown
  try {
    value = JSON.parse(body)
  } catch (cause) {
    throw new EtcdError(`etcd ${path}: no JSON: ${body.slice(0, QUOTED_CHARACTERS)}`, { cause })
  }
  if (typeof value === 'object' && value !== null) return value as Fields
  throw new EtcdError(`etcd ${path}: no answer of etcd: ${body.slice(0, QUOTED_CHARACTERS)}`)
}

async function text({ body }: TransportResponse): Promise<string> {
  const chunks: Uint8Array[] = []
  for await (const chunk of body) chunks.push(chunk)
  return Buffer.concat(chunks).toString('utf8')
}
