import type { Outcome } from '../../src/kube/outcome.ts'

/** The object, where a refusal would be a mistake of the test. */
export function must<T>(outcome: Outcome<T>): T {
  if (outcome.kind === 'ok') return outcome.object
  throw new Error(`the API server refused: ${outcome.kind}: ${outcome.message}`)
}
