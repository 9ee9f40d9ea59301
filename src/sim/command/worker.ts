/** Plays the seeds that it is sent, one after the other. */
import { planOf } from '../world/make-plan.ts'
import { run, type Outcome } from '../world/run.ts'

export type Played = Omit<Outcome, 'lines'>

// What is refused is an error with a stack, thousands of times a second. Whoever replays a seed gets the stacks.
Error.stackTraceLimit = 0

let stray: unknown
process.on('unhandledRejection', (error) => (stray = error))

process.on('message', (seed: number) => void play(seed))
// Ctrl-C goes to all: it is for the parent to say what is left.
process.on('SIGINT', () => undefined)
process.on('disconnect', () => process.exit())

async function play(seed: number): Promise<void> {
  stray = undefined
  const played = await outcomeOf(seed)
  const violations =
    stray === undefined
      ? played.violations
      : [
          ...played.violations,
          { rule: 'crash', text: `nobody handled: ${stray instanceof Error ? stray.message : JSON.stringify(stray)}` },
        ]
  process.send?.({ ...played, violations })
}

async function outcomeOf(seed: number): Promise<Played> {
  try {
    const { lines: _lines, ...played } = await run(planOf(seed))
    return played
  } catch (error) {
    const text = `the simulation ended with ${error instanceof Error ? error.message : JSON.stringify(error)}`
    return {
      seed,
      digest: '',
      violations: [{ rule: 'crash', text }],
      failovers: 0,
      simulatedMillis: 0,
      writes: 0,
      reached: [],
    }
  }
}
