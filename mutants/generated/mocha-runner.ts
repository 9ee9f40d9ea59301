/**
 * Stryker's test runner for this project. Its own one for mocha reaches into parts of mocha that version 12 does not have
 * any more; this one uses mocha's programmatic API only.
 *
 * All mutants of a run are in the sources at once, each behind a switch, so tests are loaded once and run many times.
 */
import Mocha from 'mocha'
import { globSync } from 'node:fs'
import { commonTokens, declareClassPlugin, PluginKind, tokens } from '@stryker-mutator/api/plugin'
import type { InstrumenterContext, StrykerOptions } from '@stryker-mutator/api/core'
import {
  determineHitLimitReached,
  DryRunStatus,
  TestStatus,
  toMutantRunResult,
  type DryRunOptions,
  type DryRunResult,
  type MutantRunOptions,
  type MutantRunResult,
  type TestResult,
  type TestRunner,
  type TestRunnerCapabilities,
} from '@stryker-mutator/api/test-runner'

/** Where the switches look; Stryker's default for `globalNamespace`. */
const NAMESPACE = '__stryker__'

class MochaRunner implements TestRunner {
  static readonly inject = tokens(commonTokens.options)
  readonly #mocha: Mocha
  readonly #switches: InstrumenterContext
  #isLoaded = false
  #isDryRun = false

  constructor(options: StrykerOptions) {
    const { spec, ignore } = options['mocha'] as { readonly spec: string[]; readonly ignore: string[] }
    const globals = globalThis as { [NAMESPACE]?: InstrumenterContext }
    this.#switches = globals[NAMESPACE] ??= {}
    // Stryker has a time limit of its own, which knows how long the tests took without a mutant.
    this.#mocha = new Mocha({ timeout: 0, reporter: Silent })
    this.#mocha.cleanReferencesAfterRun(false)
    for (const file of ordered(globSync(spec, { exclude: ignore }))) this.#mocha.addFile(file)
    const { switches, isDryRun } = { switches: this.#switches, isDryRun: () => this.#isDryRun }
    this.#mocha.suite.beforeEach(function () {
      if (isDryRun()) switches.currentTestId = this.currentTest!.fullTitle()
    })
  }

  /** A module that was imported stays so: mutants of what runs at import get a process of their own. */
  capabilities(): TestRunnerCapabilities {
    return { reloadEnvironment: false }
  }

  async dryRun({ coverageAnalysis, disableBail }: DryRunOptions): Promise<DryRunResult> {
    this.#isDryRun = coverageAnalysis === 'perTest'
    const result = await this.#run(disableBail)
    this.#isDryRun = false
    const { mutantCoverage } = this.#switches
    if (result.status !== DryRunStatus.Complete || mutantCoverage === undefined) return result
    return { ...result, mutantCoverage }
  }

  async mutantRun(options: MutantRunOptions): Promise<MutantRunResult> {
    const { activeMutant, testFilter, disableBail, hitLimit, mutantActivation } = options
    Object.assign(this.#switches, { hitLimit, hitCount: hitLimit === undefined ? undefined : 0 })
    if (testFilter) this.#mocha.grep(new RegExp(testFilter.map((id) => `^${literally(id)}$`).join('|')))
    else this.#mocha.grep('')
    return toMutantRunResult(await this.#run(disableBail, activeMutant.id, mutantActivation))
  }

  async #run(disableBail: boolean, mutant?: string, activation?: 'runtime' | 'static'): Promise<DryRunResult> {
    bail(this.#mocha.suite, !disableBail)
    Object.assign(this.#switches, { activeMutant: activation === 'static' ? mutant : undefined })
    if (!this.#isLoaded) await this.#mocha.loadFilesAsync()
    this.#isLoaded = true
    Object.assign(this.#switches, { activeMutant: mutant })
    const tests: TestResult[] = []
    await new Promise<void>((resolve) => {
      const runner = this.#mocha.run(() => resolve())
      runner.on('pass', (test) => tests.push({ ...resultOf(test), status: TestStatus.Success }))
      runner.on('fail', (test, error: Error) => {
        tests.push({ ...resultOf(test), status: TestStatus.Failed, failureMessage: error.message || String(error) })
      })
    })
    const { hitCount, hitLimit } = this.#switches
    return determineHitLimitReached(hitCount, hitLimit) ?? { status: DryRunStatus.Complete, tests }
  }
}

/** What tries thousands of cases comes last: most mutants die of a table before. */
function ordered(files: readonly string[]): readonly string[] {
  const isSlow = (file: string): boolean => /property|safety/.test(file)
  const sorted = files.toSorted()
  return [...sorted.filter((file) => !isSlow(file)), ...sorted.filter(isSlow)]
}

class Silent extends Mocha.reporters.Base {}

/** A regular expression for this very text. */
function literally(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\/]/g, '\\$&')
}

function resultOf(runnable: Mocha.Test): { id: string; name: string; timeSpentMs: number } {
  // Of a hook that failed, the test that it failed for.
  const title = (runnable.ctx?.currentTest ?? runnable).fullTitle()
  return { id: title, name: title, timeSpentMs: runnable.duration ?? 0 }
}

function bail(suite: Mocha.Suite, isOn: boolean): void {
  suite.bail(isOn)
  for (const child of suite.suites) bail(child, isOn)
}

export const strykerPlugins = [declareClassPlugin(PluginKind.TestRunner, 'mocha', MochaRunner)]
