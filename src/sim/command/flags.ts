import { homedir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

export interface Flags {
  readonly first: number
  /** Infinity: until the time is over. */
  readonly last: number
  /** Infinity: no limit. */
  readonly minutes: number
  readonly jobs: number
  readonly failFast: boolean
  readonly json: boolean
  /** Where to go on, and to note how far it got. */
  readonly stateFile: string | undefined
  /** One seed, or a plan from a file, is told as a story. */
  readonly told: { readonly seed: number } | { readonly planFile: string } | undefined
}

export const HELP = `Usage: npm run sim -- [flags]

Plays the whole operator in a simulated world, one world for each seed, and judges what happens.

  --seeds A-B       these seeds (default 1-2000)
  --seed N          one seed; if it fails, the shortest plan found that still fails, told as a story
  --plan FILE       a plan from a file, told as a story
  --minutes M       no longer than this
  --nightly         until --minutes (default 480) are over, going on where the last night ended
  --state FILE      where a night notes how far it got (default ~/.cache/leadergroup/sim-nightly.json)
  --jobs N          processes (default 2)
  --fail-fast       stop at the first failure, and do not look for its shortest plan
  --json            the figures as JSON, the last line of output
  --help            this text

Exit codes: 0 all is well; 1 a rule was broken, or what must be reached was not; 2 wrong flags; 130 interrupted.
`

const SEEDS = { first: 1, last: 2000 }
const NIGHT_MINUTES = 480

/** 'help', or what is wrong in words. */
export function parseFlags(args: readonly string[]): Flags | 'help' | { readonly wrong: string } {
  try {
    return checked(
      parseArgs({
        args: [...args],
        options: {
          seeds: { type: 'string' },
          seed: { type: 'string' },
          plan: { type: 'string' },
          minutes: { type: 'string' },
          nightly: { type: 'boolean' },
          state: { type: 'string' },
          jobs: { type: 'string' },
          'fail-fast': { type: 'boolean' },
          json: { type: 'boolean' },
          help: { type: 'boolean', short: 'h' },
        },
      }).values,
    )
  } catch (error) {
    return { wrong: (error as Error).message }
  }
}

interface Given {
  readonly [flag: string]: string | boolean | undefined
}

function checked(given: Given): Flags | 'help' {
  if (given['help']) return 'help'
  const { seeds, seed, plan, state } = given as Readonly<Record<string, string | undefined>>
  const isNight = given['nightly'] === true
  const range = seeds === undefined ? SEEDS : parseRange(seeds)
  const minutes = given['minutes'] === undefined ? undefined : positive('minutes', given['minutes'])
  return {
    first: range.first,
    last: isNight && seeds === undefined ? Infinity : range.last,
    minutes: minutes ?? (isNight ? NIGHT_MINUTES : Infinity),
    jobs: given['jobs'] === undefined ? 2 : positive('jobs', given['jobs']),
    failFast: given['fail-fast'] === true,
    json: given['json'] === true,
    stateFile: isNight ? (state ?? join(homedir(), '.cache', 'leadergroup', 'sim-nightly.json')) : undefined,
    told: plan !== undefined ? { planFile: plan } : seed === undefined ? undefined : { seed: positive('seed', seed) },
  }
}

function parseRange(text: string): { readonly first: number; readonly last: number } {
  const [, first, last] = /^(\d+)(?:-(\d+))?$/.exec(text) ?? []
  if (first === undefined) throw new Error(`--seeds must be a number or two with a hyphen between: it is ${text}`)
  return { first: Number(first), last: Number(last ?? first) }
}

function positive(flag: string, value: string | boolean): number {
  const number = Number(value)
  if (!(number > 0)) throw new Error(`--${flag} must be a number above 0: it is ${value}`)
  return number
}
