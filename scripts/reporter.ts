/** Mocha's own `spec` reporter, which also leaves its counts as JSON in the file that `TEST_COUNTS` names. */
import { writeFileSync } from 'node:fs'
import Mocha from 'mocha'

class CountingReporter extends Mocha.reporters.Spec {
  constructor(runner: Mocha.Runner, options: Mocha.MochaOptions) {
    super(runner, options)
    runner.once('end', () => {
      const { passes, failures } = this.stats
      const file = process.env['TEST_COUNTS']
      if (file !== undefined) writeFileSync(file, JSON.stringify({ passed: passes, failed: failures }))
    })
  }
}

// Mocha loads reporters with require() and takes what it gets for the class; this export is what require() returns.
export { CountingReporter as 'module.exports' }
