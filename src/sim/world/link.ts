import type { Transport, TransportRequest, TransportResponse } from '../../kube/transport.ts'
import { WatchStream } from '../watch-stream.ts'
import type { Dice } from './dice.ts'
import type { Response } from '../apiserver.ts'
import type { Network } from './network.ts'
import type { ProcessClock } from './process-clock.ts'
import { isWatch, type Effect } from './weather.ts'
import type { Witness } from './witness.ts'

interface Waiting {
  readonly resolve: (response: TransportResponse) => void
  readonly reject: (error: Error) => void
  /** Aborted: nobody waits any more. */
  readonly signal: AbortSignal
  /** As the judge knows it. */
  readonly asked: number | undefined
}

/** Whose connections these are. */
export interface Party {
  /** One life of a program: as whom it writes, and as whom the judge knows it. */
  readonly process: string
  /** What the weather strikes: the same for all lives of a replica. */
  readonly host: string
}

interface Surroundings {
  readonly network: Network
  readonly witness: Pick<Witness, 'asked' | 'answered' | 'unanswered' | 'read'>
}

/** How one process reaches the API servers, and as whom. */
export class Link implements Transport {
  readonly #user: string
  readonly #host: string
  readonly #witness: Surroundings['witness']
  readonly #network: Network
  readonly #process: ProcessClock
  readonly #dice: Dice
  readonly #streams = new Set<WatchStream>()
  #server: number
  /** Nothing comes through any more, either way, and nobody says so. */
  #isDead = false
  /** Streams that were open at that time are silent for ever: the other side knows nothing of them. */
  readonly #silent = new WeakSet<WatchStream>()
  #writes = 0
  /** Called after each write that the server carried out, with how many there were. */
  onWrite: (count: number) => void = () => undefined

  constructor({ process, host }: Party, { network, witness }: Surroundings, clock: ProcessClock, dice: Dice) {
    this.#user = process
    this.#host = host
    this.#witness = witness
    this.#network = network
    this.#process = clock
    this.#dice = dice
    this.#server = dice.whole(0, 7)
  }

  get writes(): number {
    return this.#writes
  }

  async send(request: TransportRequest): Promise<TransportResponse> {
    const { signal } = request
    signal.throwIfAborted()
    const { promise, resolve, reject } = Promise.withResolvers<TransportResponse>()
    const abort = (): void => reject(signal.reason as Error)
    signal.addEventListener('abort', abort, { once: true })
    const sent = this.#network.tamper(this.#user, request)
    const asked = this.#witness.asked(this.#user, sent)
    this.#carry(sent, { resolve, reject, signal, asked })
    try {
      return await promise
    } catch (error) {
      this.#witness.unanswered(this.#user, asked)
      throw error
    } finally {
      signal.removeEventListener('abort', abort)
    }
  }

  /** The process is gone: its connections break. */
  close(): void {
    for (const stream of this.#streams) stream.end()
    this.#streams.clear()
  }

  /** All connections break: within a frame, with an error or as if that were the end. */
  cut(error?: Error): void {
    for (const stream of this.#streams) stream.cut(error)
    this.#streams.clear()
  }

  /** Half-open: what is connected hears no more, and what is sent gets lost, until `revive`. */
  silence(): void {
    this.#isDead = true
    for (const stream of this.#streams) this.#silent.add(stream)
  }

  revive(): void {
    this.#isDead = false
  }

  /** No fault is left, and none waits for its next write. */
  calm(): void {
    this.revive()
    this.onWrite = () => undefined
  }

  /** The next connection goes to another server. */
  turn(): void {
    this.#server += 1
  }

  #carry(request: TransportRequest, waiting: Waiting): void {
    if (this.#isDead) return
    const fate = this.#network.sky.fateOf(this.#host, request)
    if (fate?.kind === 'lose') return
    if (fate?.kind === 'refuse') return this.#after(0, () => this.#reply(() => waiting.reject(refused())))
    if (fate?.kind === 'answer' && !fate.applied) return this.#answer(statusResponse(fate.status), waiting)
    this.#after(fate?.kind === 'late' ? fate.millis : 0, () => this.#arrive(request, fate, waiting))
  }

  #arrive(request: TransportRequest, fate: Effect | undefined, waiting: Waiting): void {
    const found = this.#network.server(this.#server)
    if (!found) return this.#reply(() => waiting.reject(refused()))
    this.#server = found.index
    const watches = isWatch(request)
    // On its way it can't be called back: that is what makes a late write dangerous. Nobody hears a late watch.
    if (watches && (request.signal.aborted || this.#process.isDead)) return
    const response = this.#network.api.respond(request, this.#user, found.replica)
    if (request.method !== 'GET' && response.status < 300) this.onWrite(++this.#writes)
    if (fate?.kind === 'twice' && !watches) {
      this.#after(1, () => void this.#network.api.respond(request, this.#user, found.replica))
    }
    if (fate?.kind === 'mute') return undefined
    if (fate?.kind === 'reset') return this.#reply(() => waiting.reject(new Error('read ECONNRESET')))
    if (fate?.kind === 'answer') return this.#answer(statusResponse(fate.status), waiting)
    this.#answer(response, waiting, fate?.kind === 'slow' ? fate.millis : 0)
  }

  #answer(response: Response, waiting: Waiting, extraMillis = 0): void {
    const { body } = response
    if (body instanceof WatchStream) {
      this.#streams.add(body)
      body.onRead = (frame) => {
        // What comes over a half-open connection is taken off it and seen by nobody.
        if (!this.#silent.has(body)) this.#process.whenRunning(() => this.#witness.read(this.#user, frame))
      }
    }
    this.#after(extraMillis, () => {
      if (this.#isDead) return
      this.#reply(() => {
        const arriving = body instanceof WatchStream ? this.#arriving(body) : this.#heard(body, response, waiting)
        waiting.resolve({ ...response, body: arriving })
      })
    })
  }

  /** In the process, when it runs. */
  #reply(run: () => void): void {
    this.#process.whenRunning(run)
  }

  /** A process knows what it has read to the end in time: an answer that came while it was stopped may come too late. */
  async *#heard(
    body: AsyncIterable<Uint8Array>,
    response: Response,
    { signal, asked }: Waiting,
  ): AsyncGenerator<Uint8Array, void, void> {
    yield* body
    if (signal.aborted) this.#witness.unanswered(this.#user, asked)
    else this.#witness.answered(this.#user, asked, response)
  }

  async *#arriving(stream: WatchStream): AsyncGenerator<Uint8Array, void, void> {
    try {
      for await (const chunk of stream) {
        if (this.#silent.has(stream)) await stream.aborted()
        if (this.#process.isStopped) await new Promise<void>((resolve) => this.#reply(resolve))
        yield chunk
      }
    } finally {
      this.#streams.delete(stream)
    }
  }

  #after(extraMillis: number, run: () => void): void {
    const { clock, options } = this.#network
    clock.timer(clock.now() + extraMillis + this.#dice.random() * options.latencyMillis, run)
  }
}

function refused(): Error {
  return Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })
}

const REASONS: Readonly<Record<number, string>> = {
  401: 'Unauthorized',
  403: 'Forbidden',
  429: 'TooManyRequests',
  500: 'InternalError',
  503: 'ServiceUnavailable',
  504: 'Timeout',
}

function statusResponse(code: number): TransportResponse {
  const message = code === 500 ? 'etcdserver: request timed out' : `simulated ${code}`
  const status = {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    code,
    message,
    reason: REASONS[code],
  }
  const retry = code === 429 ? { 'retry-after': '1' } : {}
  return {
    status: code,
    headers: { 'content-type': 'application/json', ...retry },
    body: (async function* () {
      yield Buffer.from(JSON.stringify(status))
    })(),
  }
}
