/**
 * A read that began after something was seen shows what was true beside it, or later: read the pod, then the gate, then
 * label. Both are ticks (`GroupObservation`); undefined: there was no such read.
 */
export function begunAfter(readAt: number | undefined, seenAt: number): boolean {
  return readAt !== undefined && readAt > seenAt
}
