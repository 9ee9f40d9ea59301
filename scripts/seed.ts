/**
 * Loaded by mocha before the properties. The tests try the same values in each run, so that what they say is about the
 * change and not about luck; `npm run fuzz` tries others: a seed for each round, or the path to one failure in it, and more
 * runs also of those that do not say how many.
 */
import { configureGlobal } from 'fast-check'
import { runs } from '../src/sim/runs.ts'

/** What fast-check does where nothing is said. */
const USUAL_RUNS = 100

const { FUZZ_SEED: seed = '1', FUZZ_PATH: path } = process.env
configureGlobal({ seed: Number(seed), ...runs(USUAL_RUNS), ...(path ? { path } : {}) })
