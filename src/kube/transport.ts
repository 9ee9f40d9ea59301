/**
 * The seam of the whole program: one HTTP request in, status and body stream out. Above it the same code runs
 * against a real API server (`undici.ts`) and the in-memory one (`sim/apiserver.ts`), so that conflicts, expired
 * versions, resumed watches and lost responses are exercised through the real client layer.
 */
export interface Transport {
  /**
   * Sends a request and resolves as soon as status and headers are there. Any HTTP status resolves; it rejects only
   * when there is no response: the connection failed, or `request.signal` aborted (then with the signal's reason).
   * Aborting the signal later ends the body.
   */
  send(request: TransportRequest): Promise<TransportResponse>
}

export interface TransportRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Path and query, beginning with `/`, already escaped. */
  readonly path: string
  readonly contentType?: string
  readonly body?: string
  readonly signal: AbortSignal
  /** Requests of the `lease` lane have connections of their own, so that no bulk traffic can starve a renewal. */
  readonly lane?: Lane
}

export type Lane = 'default' | 'lease'

export interface TransportResponse {
  readonly status: number
  /** Lower-case header names. */
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly body: AsyncIterable<Uint8Array>
}
