import type { ServerResponse } from 'node:http'
import { listen, target, type BindAddress, type HttpServer } from '../../operator/http.ts'
import { isSameLeader, type Answer } from './answer.ts'

const JSON_TYPE = { 'content-type': 'application/json', 'cache-control': 'no-store' }
const TEXT = { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' }
const EVENTS = { 'content-type': 'text/event-stream', 'cache-control': 'no-store' }
/** A reader that takes nothing is let go before its unread events fill the memory. */
const MOST_UNREAD_BYTES = 64 * 1024

/** `GET /leader`, `/healthz`, `/readyz`, `/readyz?leader` and `/events`. Every answer is made when it is asked for. */
export async function serveLeader(address: BindAddress, ask: () => Answer): Promise<LeaderServer> {
  const readers = new Set<ServerResponse>()
  const server = await listen(address, '--bind-address', (request, response) => {
    const { pathname, searchParams } = target(request)
    switch (pathname) {
      case '/leader':
        return void response.writeHead(200, JSON_TYPE).end(`${JSON.stringify(ask())}\n`)
      case '/healthz':
        return void response.writeHead(200, TEXT).end('ok\n')
      case '/readyz': {
        const isReady = !searchParams.has('leader') || ask().isLeader
        return void response.writeHead(isReady ? 200 : 503, TEXT).end(isReady ? 'ok\n' : 'not leading\n')
      }
      case '/events':
        response.writeHead(200, EVENTS)
        response.once('close', () => readers.delete(response))
        if (request.method === 'HEAD') return void response.end()
        response.write(eventOf('leader', ask()))
        return void readers.add(response)
      default:
        return void response.writeHead(404, TEXT).end('not found: there are /leader, /readyz, /healthz and /events\n')
    }
  })
  return new LeaderServer(server, readers, ask)
}

export class LeaderServer {
  readonly port: number
  readonly #server: HttpServer
  readonly #readers: Set<ServerResponse>
  readonly #ask: () => Answer
  #last: Answer

  constructor(server: HttpServer, readers: Set<ServerResponse>, ask: () => Answer) {
    this.port = server.port
    this.#server = server
    this.#readers = readers
    this.#ask = ask
    this.#last = ask()
  }

  /** Something may have changed: whoever reads is told what, if anything did. */
  publish(): void {
    const now = this.#ask()
    const name = !isSameLeader(now, this.#last)
      ? 'leader'
      : now.deadline !== this.#last.deadline
        ? 'renewal'
        : undefined
    this.#last = now
    if (name === undefined) return
    for (const reader of this.#readers) {
      if (reader.writableLength > MOST_UNREAD_BYTES) reader.destroy()
      else reader.write(eventOf(name, now))
    }
  }

  close(): Promise<void> {
    for (const reader of this.#readers) reader.end()
    return this.#server.close()
  }
}

function eventOf(name: 'leader' | 'renewal', answer: Answer): string {
  return `event: ${name}\ndata: ${JSON.stringify(answer)}\n\n`
}
