/** Resolves once the signal has aborted, at once if it has already. */
export function abortOf(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}

/** Never resolves; rejects with the signal's reason once it has aborted. For a race with work that may not heed the signal. */
export async function throwOnAbort(signal: AbortSignal): Promise<never> {
  await abortOf(signal)
  throw signal.reason
}
