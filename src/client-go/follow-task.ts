/** A task that others may finish as well: each value that it gives says true for done, false for failed. */
export type Task = PromiseLike<boolean> | AsyncIterable<boolean>

/**
 * Resolves once the candidacy has become pointless: the task is done, by whomever, or it has given any result while this
 * candidate led. Somebody else's failure is none of its business. Rejects as the task does.
 *
 * @returns whether it is; false when there are no more values
 */
export async function followTask(task: Task, isLeading: () => boolean): Promise<boolean> {
  if (!(Symbol.asyncIterator in task)) return (await task) || isLeading()
  for await (const isDone of task) {
    if (isDone || isLeading()) return true
  }
  return false
}
