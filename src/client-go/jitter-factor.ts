import { JITTER_FACTOR } from '../election/timing.ts'

/** How far a try to acquire may be put off beyond the retry period, as a factor. */
export const JitterFactor = JITTER_FACTOR
