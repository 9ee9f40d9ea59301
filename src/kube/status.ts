import type { Status } from './objects.ts'

/**
 * The Status in an answer, as far as there is one. What stands before the API server answers with anything: of what is not
 * as the API server would write it, nothing is taken.
 */
export function readStatus(value: unknown): Status {
  const { code, reason, message, details } = record(value)
  const { retryAfterSeconds, causes } = record(details)
  return {
    ...(typeof code === 'number' ? { code } : {}),
    ...(typeof reason === 'string' ? { reason } : {}),
    ...(typeof message === 'string' ? { message } : {}),
    details: {
      ...(typeof retryAfterSeconds === 'number' ? { retryAfterSeconds } : {}),
      causes: (Array.isArray(causes) ? causes : []).map(record).map(({ field }) => {
        return typeof field === 'string' ? { field } : {}
      }),
    },
  }
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {}
}
