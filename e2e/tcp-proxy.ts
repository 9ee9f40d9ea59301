/** Stands between a client and a server, and cuts them off from each other as a network does. */
import { type Server, type Socket, connect, createServer } from 'node:net'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'

/** `stall`: connections stay open, or are accepted, and nothing comes through. `refuse`: all are reset at once. */
export type Line = 'pass' | 'stall' | 'refuse'

export async function openTcpProxy(port: number): Promise<TcpProxy> {
  const proxy = new TcpProxy(port)
  await proxy.listen()
  return proxy
}

export class TcpProxy implements AsyncDisposable {
  readonly #target: number
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  #line: Line = 'pass'

  constructor(target: number) {
    this.#target = target
    this.#server = createServer((client) => this.#accept(client))
  }

  async listen(): Promise<void> {
    await once(this.#server.listen(0, '127.0.0.1'), 'listening')
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  /** Connections that stalled stay dead when the line is good again, as those do that a firewall has forgotten. */
  set(line: Line): void {
    this.#line = line
    if (line === 'refuse') for (const socket of this.#sockets) socket.resetAndDestroy()
    else if (line === 'stall') for (const socket of this.#sockets) silence(socket)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await once(this.#server.close(), 'close')
  }

  #accept(client: Socket): void {
    this.#track(client)
    if (this.#line === 'refuse') return void client.resetAndDestroy()
    if (this.#line === 'stall') return silence(client)
    const upstream = connect(this.#target, '127.0.0.1')
    this.#track(upstream)
    client.pipe(upstream)
    upstream.pipe(client)
    client.once('close', () => upstream.destroy())
    upstream.once('close', () => client.destroy())
  }

  #track(socket: Socket): void {
    this.#sockets.add(socket)
    socket.once('close', () => this.#sockets.delete(socket))
    // The other side sees it as the end of its connection: that is all a proxy has to say.
    socket.on('error', () => socket.destroy())
  }
}

function silence(socket: Socket): void {
  socket.unpipe()
  socket.pause()
}
