import type { Clock } from '../clock.ts'

/** What is needed of a socket: the library's declarations name no package. */
interface Socket {
  on(event: string, listener: () => void): this
  off(event: string, listener: () => void): this
  ref(): this
  unref(): this
  destroy(): this
  read(): unknown
  readonly readableEnded: boolean
}

/** undici's. */
type Connector<Target, S> = (target: Target, callback: (...result: [null, S] | [Error, null]) => void) => void

/** A spare that did not last so long has failed: another one at once would be a busy loop. */
const HEALTHY_MILLIS = 5_000

/**
 * A connection that is opened before anything is to be sent. Who stands by for a lock sends nothing for hours, and then
 * one write that should not wait for TCP and TLS.
 *
 * Nothing is ever sent on a spare, so it costs the server a handshake and no request. A server gives up on a connection that
 * asks for nothing (the API server after 32 s): then another one is opened. Like any idle connection it keeps no process
 * alive.
 */
export class Spare<Target, S extends Socket> {
  readonly #open: Connector<Target, S>
  readonly #clock: Pick<Clock, 'now'>
  readonly #isNeeded: () => boolean
  /** To where the last connection was asked for. */
  #target: Target | undefined
  #socket: S | undefined
  #openedAt = 0
  #isOpening = false
  #isClosed = false

  /** @param isNeeded whether nothing else is connected */
  constructor(open: Connector<Target, S>, clock: Pick<Clock, 'now'>, isNeeded: () => boolean) {
    this.#open = open
    this.#clock = clock
    this.#isNeeded = isNeeded
  }

  /** The spare if there is one, else a connection that is opened now. */
  readonly connect: Connector<Target, S> = (target, callback) => {
    this.#target = target
    const socket = this.#socket
    if (socket === undefined) return this.#open(target, callback)
    this.#socket = undefined
    socket.off('readable', drop).off('end', drop).off('close', this.#onClose).ref()
    // undici does not expect an answer before this returns.
    queueMicrotask(() => callback(null, socket))
  }

  /** Opens a spare to where the last connection went, if one is needed. A failure is the next request's to tell. */
  prepare(): void {
    const isThere = this.#socket !== undefined || this.#isOpening
    if (this.#target === undefined || isThere || this.#isClosed || !this.#isNeeded()) return
    this.#isOpening = true
    this.#open(this.#target, (_error, socket) => {
      this.#isOpening = false
      if (socket) this.#keep(socket)
    })
  }

  /** Ends the spare. There will be no other. */
  close(): void {
    this.#isClosed = true
    this.#socket?.destroy()
  }

  #keep(socket: S): void {
    if (this.#isClosed) return void socket.destroy()
    this.#socket = socket
    this.#openedAt = this.#clock.now()
    // Whatever comes answers no request.
    socket.on('readable', drop).on('end', drop).on('close', this.#onClose).unref()
  }

  readonly #onClose = (): void => {
    this.#socket = undefined
    if (this.#clock.now() - this.#openedAt >= HEALTHY_MILLIS) this.prepare()
  }
}

/** `read` also makes the end of what the server says known. */
function drop(this: Socket): void {
  if (this.read() !== null || this.readableEnded) this.destroy()
}
