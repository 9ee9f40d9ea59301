import type { Clock } from '../clock.ts'
import type { Transport, TransportRequest } from './transport.ts'

/**
 * Reports every request that goes through `transport`: the HTTP status or the error that came instead, and the seconds
 * from its start to the response's headers. So a watch counts for the time that it took to open, as client-go's does.
 */
export function observedTransport(
  transport: Transport,
  clock: Clock,
  observe: (request: TransportRequest, result: number | Error, seconds: number) => void,
): Transport {
  return {
    async send(request) {
      const startedAt = clock.now()
      const seconds = (): number => (clock.now() - startedAt) / 1000
      try {
        const response = await transport.send(request)
        observe(request, response.status, seconds())
        return response
      } catch (error) {
        observe(request, error instanceof Error ? error : new Error(String(error)), seconds())
        throw error
      }
    },
  }
}
