import { frames } from '../../kube/frames.ts'
import type { Transport, TransportRequest, TransportResponse } from '../../kube/transport.ts'

/** How the other build's sentences begin; its own reader knows, and takes it off. */
const OURS = 'In other words: '
/** What that reader makes of a sentence that another build wrote. */
const FOREIGN = 'Not in its words: '
const MESSAGE = '"message":"'

/**
 * Makes the operator behind it another build: one with the same rules, but with other words for every condition. What this
 * build writes looks strange to that one, and the other way round, as it does for a while whenever a version is rolled out
 * or taken back.
 */
export class OtherBuild implements Transport {
  readonly #transport: Transport

  constructor(transport: Transport) {
    this.#transport = transport
  }

  async send(request: TransportRequest): Promise<TransportResponse> {
    if (!request.path.includes('/leadergroups')) return this.#transport.send(request)
    const { body } = request
    const response = await this.#transport.send(body === undefined ? request : { ...request, body: written(body) })
    return { ...response, body: read(response.body) }
  }
}

/** Quotation marks within JSON strings are escaped: this is a field's name, and nothing else. */
export function written(json: string): string {
  return json.replaceAll(MESSAGE, MESSAGE + OURS)
}

/** The inverse of `written`, for what that build wrote. */
export function readBack(json: string): string {
  return json.replaceAll(MESSAGE, MESSAGE + FOREIGN).replaceAll(MESSAGE + FOREIGN + OURS, MESSAGE)
}

/** Whole lines at a time: chunks may be cut anywhere. What has no line's end is one document. */
async function* read(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, void> {
  let isWhole = true
  for await (const line of frames(ended(body, () => (isWhole = false)))) {
    yield Buffer.from(isWhole ? `${readBack(line)}\n` : readBack(line))
  }
}

/** Ends with a line's end what does not. */
async function* ended(body: AsyncIterable<Uint8Array>, onOpenEnd: () => void): AsyncGenerator<Uint8Array, void, void> {
  let last: number | undefined
  for await (const chunk of body) {
    last = chunk.at(-1) ?? last
    yield chunk
  }
  if (last === undefined || last === 0x0a) return
  onOpenEnd()
  yield Buffer.from('\n')
}
