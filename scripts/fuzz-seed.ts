/** Loaded by mocha before the properties, in `npm run fuzz`: the seed of the round, and the path to one failure in it. */
import { configureGlobal } from 'fast-check'

const { FUZZ_SEED: seed, FUZZ_PATH: path } = process.env
configureGlobal({ seed: Number(seed), ...(path ? { path } : {}) })
