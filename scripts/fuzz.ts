/**
 * `npm run fuzz -- --minutes N`: the properties of the unit tests, many more runs of each, with another seed in each round.
 * Ends with the first round that fails, and says how to play it again.
 */
import { spawn } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { glob, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Command } from 'commander'
import { systemClock } from '../src/clock.ts'

interface Flags {
  readonly minutes: string
  readonly times: string
  readonly seed?: string
  readonly path?: string
  readonly grep?: string
  readonly manifests?: boolean
}

const ROOT = join(import.meta.dirname, '..')
const MOCHA = join(ROOT, 'node_modules/.bin/mocha')
/** What fast-check says of a failure. */
const FAILURE = /\{ seed: (-?\d+), path: "([^"]*)"/g

const flags = new Command('fuzz')
  .option('--minutes <n>', 'begin no round later than this', '5')
  .option('--times <n>', 'runs of each property, as a multiple of those in the unit tests', '10')
  .option('--seed <n>', 'one round, with this seed')
  .option('--path <path>', 'of that round one failure; name its test with --grep')
  .option('--grep <pattern>', 'only the properties whose names match')
  .option('--manifests', 'instead: random manifests on a real control plane')
  .parse()
  .opts<Flags>()

process.exitCode = await main()

async function main(): Promise<number> {
  const endsAt = systemClock.now() + Number(flags.minutes) * 60_000
  for (let round = 1; ; round++) {
    const seed = flags.seed ?? String(randomInt(2 ** 31))
    console.log(`\n=== round ${round}, seed ${seed}`)
    const { code, output } = await run(seed)
    if (code !== 0) {
      for (const [, of, path] of output.matchAll(FAILURE)) {
        console.log(`to replay: npm run fuzz -- --seed ${of} --path ${path} --grep '<name of the property>'${mode()}`)
      }
      console.log(`round ${round} has failed: npm run fuzz -- --seed ${seed} --times ${flags.times}${mode()}`)
      return 1
    }
    if (flags.seed !== undefined || systemClock.now() >= endsAt) return 0
  }
}

function mode(): string {
  return flags.manifests ? ' --manifests' : ''
}

async function propertyTests(): Promise<readonly string[]> {
  const found: string[] = []
  for await (const file of glob('src/**/*.test.ts', { cwd: ROOT })) {
    if ((await readFile(join(ROOT, file), 'utf8')).includes("from 'fast-check'")) found.push(file)
  }
  return found.toSorted()
}

async function run(seed: string): Promise<{ code: number | null; output: string }> {
  const suite = flags.manifests
    ? ['--require', './e2e/hooks.ts', '--spec', 'e2e/manifests.test.ts']
    : (await propertyTests()).flatMap((file) => ['--spec', file])
  const grep = flags.grep === undefined ? [] : ['--grep', flags.grep]
  const args = [
    '--no-config',
    ...suite,
    '--require',
    './scripts/seed.ts',
    '--timeout',
    '0',
    '--reporter',
    'dot',
    ...grep,
  ]
  // A path leads to one failure at once: more runs would only follow it.
  const env = { ...process.env, FUZZ_SEED: seed, FUZZ_PATH: flags.path ?? '', FUZZ_TIMES: flags.times }
  const child = spawn(MOCHA, args, { cwd: ROOT, env, stdio: ['ignore', 'pipe', 'inherit'] })
  const said: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => {
    said.push(chunk)
    process.stdout.write(chunk)
  })
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
  return { code, output: Buffer.concat(said).toString('utf8') }
}
