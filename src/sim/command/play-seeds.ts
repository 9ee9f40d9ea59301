import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Played } from './worker.ts'

/**
 * What a simulation makes is soon of no use: in a nursery of this size hardly anything outlives its collection, and helping
 * threads would only take the cores from one another.
 */
const MEMORY = ['--min-semi-space-size=16', '--max-semi-space-size=16', '--single-threaded-gc']

const WORKER = fileURLToPath(new URL('worker.ts', import.meta.url))

export interface Playing {
  readonly jobs: number
  /** The next seed to play; undefined: no more. */
  readonly next: () => number | undefined
  readonly played: (outcome: Played) => void
  /** Aborts: seeds under way are dropped. */
  readonly signal: AbortSignal
}

/** Plays seeds in several processes. Resolves when there are no more, or at the abort. */
export async function playSeeds({ jobs, next, played, signal }: Playing): Promise<void> {
  await Promise.all(
    Array.from({ length: jobs }, async () => {
      // With what this process was told as well: a mistake that is to be found is made by a hook of each process.
      const worker = fork(WORKER, { serialization: 'json', execArgv: [...process.execArgv, ...MEMORY] })
      const ended = once(worker, 'exit').then(() => 'ended' as const)
      const aborted = once(signal, 'abort').catch(() => undefined)
      try {
        for (let seed = next(); seed !== undefined && !signal.aborted; seed = next()) {
          worker.send(seed)
          const answer = await Promise.race([once(worker, 'message'), ended, aborted])
          if (signal.aborted) return
          if (answer === 'ended') throw new Error(`the process that played seed ${seed} ended`)
          played((answer as [Played])[0])
        }
      } finally {
        worker.kill('SIGKILL')
      }
    }),
  )
}
