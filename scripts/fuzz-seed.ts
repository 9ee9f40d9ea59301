/**
 * Loaded by mocha before the properties, in `npm run fuzz`: the seed of the round, the path to one failure in it, and how
 * often those are tried that do not say it themselves.
 */
import { configureGlobal } from 'fast-check'
import { runs } from '../src/sim/runs.ts'

/** What fast-check does where nothing is said. */
const USUAL_RUNS = 100

const { FUZZ_SEED: seed, FUZZ_PATH: path } = process.env
configureGlobal({ seed: Number(seed), ...runs(USUAL_RUNS), ...(path ? { path } : {}) })
