/**
 * Mocha's reporter for a run with a mutant: leaves the verdict in the file that `VERDICT` names, and stops at the first
 * finding unless `VERDICT_OF_ALL` asks for them all.
 */
import { writeFileSync } from 'node:fs'
import { relative } from 'node:path'
import Mocha from 'mocha'
import { isFinding, LOADED, type Verdict } from './verdict.ts'

class VerdictReporter extends Mocha.reporters.Base {
  readonly #files = new Set<string>()
  #killer: string | undefined
  #fault: string | undefined

  constructor(runner: Mocha.Runner, options: Mocha.MochaOptions) {
    super(runner, options)
    runner.on('fail', (test: Mocha.Test, error: Error) => {
      const title = test.titlePath().join(': ')
      if (!isFinding(error)) return void (this.#fault ??= `${title}: ${error.stack}`)
      this.#killer ??= title
      this.#files.add(relative(process.cwd(), test.file ?? ''))
      if (process.env['VERDICT_OF_ALL'] === undefined) runner.abort()
    })
    runner.once('end', () => writeFileSync(process.env['VERDICT']!, JSON.stringify(this.#verdict())))
  }

  #verdict(): Verdict {
    if (!(globalThis as { [LOADED]?: true })[LOADED]) return { kind: 'broken', why: 'the check does not load the file' }
    if (this.#killer !== undefined) return { kind: 'killed', test: this.#killer, files: [...this.#files] }
    if (this.#fault !== undefined) return { kind: 'broken', why: this.#fault }
    return { kind: 'survived', tests: this.stats.passes }
  }
}

// Mocha loads reporters with require() and takes what it gets for the class; this export is what require() returns.
export { VerdictReporter as 'module.exports' }
