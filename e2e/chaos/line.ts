/** The network between one process and the API server, with everything that networks do to connections. */
import { once } from 'node:events'
import { type AddressInfo, type Server, type Socket, connect, createServer } from 'node:net'
import { TLSSocket, connect as connectTls, createSecureContext, type SecureContext } from 'node:tls'
import { Pipe, type Valve } from './pipe.ts'

/** `up`: towards the server. */
export type Way = 'up' | 'down'

/**
 * `stall`: nothing passes, and all of it arrives when the trouble is over, however late. `dead`: what is sent in this way
 * while it lasts is lost, and so are all connections of that time: they stay open, and never recover. `refuse`: they are reset.
 */
export type Trouble =
  | { readonly kind: 'slow'; readonly millis: number }
  | { readonly kind: 'stall' }
  | { readonly kind: 'dead'; readonly ways: readonly Way[] }
  | { readonly kind: 'refuse' }

/** What happens once, when there is something that it can happen to. */
export type Accident = 'cut' | 'lose answer'

export interface LineOptions {
  readonly port: number
  /**
   * The server's own certificate: the line then speaks TLS to both sides, so that it can tell a write, and cut an answer where it
   * hurts. Without it passes on what it cannot read, and takes what is large for a write.
   */
  readonly identity?: Identity
}

export interface Identity {
  readonly cert: string
  readonly key: string
  /** Who vouches for it. */
  readonly ca: string
}

export async function openLine(options: LineOptions): Promise<Line> {
  const line = new Line(options)
  await line.listen()
  return line
}

export class Line implements AsyncDisposable {
  /** How many of the accidents have happened. */
  happened = 0
  readonly #target: number
  readonly #ca: string | undefined
  readonly #context: SecureContext | undefined
  readonly #server: Server
  readonly #connections = new Set<Connection>()
  readonly #valve: { -readonly [Key in keyof Valve]: Valve[Key] }
  readonly #due = new Set<Accident>()
  #trouble: Trouble | undefined
  #open: () => void = () => undefined

  constructor({ port, identity }: LineOptions) {
    this.#target = port
    this.#ca = identity?.ca
    this.#context = identity && createSecureContext(identity)
    this.#server = createServer((near) => this.#accept(near))
    this.#valve = { lagMillis: 0, opened: Promise.resolve() }
  }

  async listen(): Promise<void> {
    await once(this.#server.listen(0, '127.0.0.1'), 'listening')
  }

  get url(): string {
    return `https://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  get isTroubled(): boolean {
    return this.#trouble !== undefined || this.#due.size > 0
  }

  /** Until it is lifted. */
  begin(trouble: Trouble): void {
    this.lift()
    this.#trouble = trouble
    if (trouble.kind === 'slow') this.#valve.lagMillis = trouble.millis
    if (trouble.kind === 'stall') this.#valve.opened = new Promise((resolve) => (this.#open = resolve))
    if (trouble.kind === 'refuse') this.reset()
    if (trouble.kind === 'dead') for (const connection of this.#connections) connection.lose(trouble.ways)
  }

  lift(): void {
    this.#trouble = undefined
    this.#due.clear()
    this.#valve.lagMillis = 0
    this.#open()
    this.#valve.opened = Promise.resolve()
  }

  /** At the next write, or the next answer. */
  expect(accident: Accident): void {
    this.#due.add(accident)
  }

  /** RST on every connection. */
  reset(): void {
    for (const connection of this.#connections) connection.reset()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.lift()
    this.reset()
    await once(this.#server.close(), 'close')
  }

  #accept(raw: Socket): void {
    if (this.#trouble?.kind === 'refuse') return void raw.once('error', () => undefined).resetAndDestroy()
    const connection = new Connection(this.#ends(raw), this.#valve, {
      isDue: (accident) => this.#due.has(accident),
      happens: (accident) => {
        this.#due.delete(accident)
        this.happened += 1
      },
      isReadable: this.#context !== undefined,
      closed: () => void this.#connections.delete(connection),
    })
    this.#connections.add(connection)
    if (this.#trouble?.kind === 'dead') connection.lose(this.#trouble.ways)
  }

  #ends(raw: Socket): Ends {
    const far = connect(this.#target, '127.0.0.1')
    if (!this.#context || this.#ca === undefined) return { raw: [raw, far], near: raw, far }
    const ALPNProtocols = ['http/1.1']
    const near = new TLSSocket(raw, { isServer: true, secureContext: this.#context, ALPNProtocols })
    return { raw: [raw, far], near, far: connectTls({ socket: far, host: '127.0.0.1', ca: this.#ca, ALPNProtocols }) }
  }
}

interface Ends {
  readonly near: Socket
  readonly far: Socket
  /** What the two are made of. */
  readonly raw: readonly [Socket, Socket]
}

interface Fate {
  isDue(accident: Accident): boolean
  happens(accident: Accident): void
  readonly isReadable: boolean
  closed(): void
}

/** With what a request's headers and a Lease take. The answer to a large read is lost as well. */
const LARGE_BYTES = 500

/** The type of a TLS record, which is not encrypted; a handshake is another. */
const APPLICATION_DATA = 0x17

class Connection {
  readonly #ends: Ends
  readonly #pipes: Readonly<Record<Way, Pipe>>
  readonly #fate: Fate
  /** A write is under way whose answer is to be lost. */
  #loses = false

  constructor(ends: Ends, valve: Valve, fate: Fate) {
    this.#ends = ends
    this.#fate = fate
    const { near, far } = ends
    this.#pipes = {
      up: new Pipe(near, far, valve, (chunk) => this.#goesUp(chunk)),
      down: new Pipe(far, near, valve, (chunk) => this.#comesDown(chunk)),
    }
    for (const socket of [...ends.raw, near, far]) {
      // The other side sees it as the end of its connection: that is all a network has to say.
      socket.on('error', () => socket.destroy())
    }
    near.once('close', () => this.#closed(this.#pipes.up, far))
    far.once('close', () => this.#closed(this.#pipes.down, near))
  }

  lose(ways: readonly Way[]): void {
    for (const way of ways) this.#pipes[way].isDead = true
  }

  reset(): void {
    const { raw, near, far } = this.#ends
    for (const socket of raw) if (!socket.destroyed) socket.resetAndDestroy()
    near.destroy()
    far.destroy()
  }

  #goesUp(chunk: Buffer): boolean {
    if (this.#fate.isDue('lose answer') && this.#isWrite(chunk)) {
      this.#fate.happens('lose answer')
      this.#loses = true
    }
    return true
  }

  #comesDown(chunk: Buffer): boolean {
    if (this.#loses) {
      this.reset()
      return false
    }
    if (!this.#fate.isDue('cut') || chunk.length < 2) return true
    this.#fate.happens('cut')
    this.#ends.near.write(chunk.subarray(0, chunk.length >> 1), () => this.reset())
    return false
  }

  #isWrite(chunk: Buffer): boolean {
    if (!this.#fate.isReadable) return chunk[0] === APPLICATION_DATA && chunk.length >= LARGE_BYTES
    return /^(PUT|POST|PATCH|DELETE) /.test(chunk.toString('latin1', 0, 8))
  }

  /** What a process sent before it died still arrives; where nothing does, nobody learns that it died. */
  #closed(pipe: Pipe, other: Socket): void {
    pipe.finish(() => other.destroySoon())
    const { near, far } = this.#ends
    if (near.destroyed && far.destroyed) this.#fate.closed()
  }
}
