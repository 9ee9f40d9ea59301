/**
 * Mocha's own `spec` reporter, which also leaves its counts and what failed as JSON in the file that `TEST_OUTCOME`
 * names, for the summary of a run of several suites.
 */
import { writeFileSync } from 'node:fs'
import Mocha from 'mocha'

/** What the file holds. */
export interface Outcome {
  readonly passed: number
  readonly failed: number
  readonly failures: readonly Failure[]
}

export interface Failure {
  /** Of the test or hook, after those of the suites around it. */
  readonly title: string
  /** Its error with the stack. */
  readonly error: string
}

class OutcomeReporter extends Mocha.reporters.Spec {
  constructor(runner: Mocha.Runner, options: Mocha.MochaOptions) {
    super(runner, options)
    runner.once('end', () => {
      const file = process.env['TEST_OUTCOME']
      if (file !== undefined) writeFileSync(file, JSON.stringify(this.#outcome()))
    })
  }

  #outcome(): Outcome {
    return {
      passed: this.stats.passes,
      failed: this.stats.failures,
      failures: this.failures.map((test) => ({
        title: test.titlePath().join(' > '),
        error: test.err?.stack ?? test.err?.message ?? 'no error given',
      })),
    }
  }
}

// Mocha loads reporters with require() and takes what it gets for the class; this export is what require() returns.
export { OutcomeReporter as 'module.exports' }
