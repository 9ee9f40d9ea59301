import { request } from 'node:https'

export interface Probe {
  readonly ca: string
  readonly token: string
  readonly signal: AbortSignal
}

const ANSWER_MILLIS = 3_000

/** One GET, for the questions that come before any client works. Undefined while nothing answers there. */
export function get(url: string, { ca, token, signal }: Probe): Promise<number | undefined> {
  const headers = { authorization: `Bearer ${token}` }
  return new Promise((resolve, reject) => {
    // No agent: a kept connection would outlive the server that is being waited for.
    const sent = request(url, { ca, headers, agent: false, timeout: ANSWER_MILLIS }, (response) => {
      response.resume()
      resolve(response.statusCode)
    })
    const abort = (): void => void sent.destroy()
    signal.addEventListener('abort', abort, { once: true })
    sent.on('timeout', abort)
    sent.on('error', () => (signal.aborted ? reject(signal.reason as Error) : resolve(undefined)))
    sent.on('close', () => {
      signal.removeEventListener('abort', abort)
      resolve(undefined)
    })
    sent.end()
  })
}
