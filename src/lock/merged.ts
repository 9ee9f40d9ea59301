/**
 * The values of several streams as they come. Ends, or throws, with the first stream that does; `stop` must end the
 * others, whose step under way is waited for.
 */
export async function* merged<T>(
  streams: readonly AsyncIterable<T>[],
  stop: () => void,
): AsyncGenerator<T, void, void> {
  const iterators = streams.map((stream) => stream[Symbol.asyncIterator]())
  const steps = iterators.map((iterator) => iterator.next())
  try {
    for (;;) {
      const { result, index } = await Promise.race(steps.map(async (step, index) => ({ result: await step, index })))
      if (result.done) return
      steps[index] = iterators[index]!.next()
      yield result.value
    }
  } finally {
    stop()
    // What the others failed with meanwhile is of no interest any more.
    await Promise.allSettled(steps)
    await Promise.allSettled(iterators.map(async (iterator) => iterator.return?.()))
  }
}
