import { join } from 'node:path'
import { ended, type Scratch } from '../e2e/controlplane/scratch.ts'
import { systemClock } from '../src/clock.ts'
import type { Mutant } from './mutant.ts'
import { HOOK, output, ROOT, type Trial } from './run.ts'
import type { Verdict } from './verdict.ts'

const SIMULATOR = join(ROOT, 'src/sim/command/main.ts')
/** For a mistake that lets a world spin. */
const LIMIT_MILLIS = 900_000

/** Plays simulated worlds with the mistake made, seed by seed, until one shows that a rule is broken. */
export async function simulate(mutant: Mutant, seeds: number, work: Scratch): Promise<Trial> {
  const startedAt = systemClock.now()
  const flags = ['--seeds', `1-${seeds}`, '--fail-fast', '--jobs', '1']
  const child = work.spawn(process.execPath, ['--import', HOOK, SIMULATOR, ...flags], {
    cwd: ROOT,
    env: {
      ...process.env,
      NODE_COMPILE_CACHE: join(work.dir, 'compiled'),
      LEADERGROUP_MUTANT: mutant.name,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const said = output(child)
  const cancel = systemClock.timer(startedAt + LIMIT_MILLIS, () => process.kill(-child.pid!, 'SIGKILL'))
  const { code } = await ended(child)
  cancel()
  return { mutant, verdict: verdictOf(code, said(), seeds), millis: systemClock.now() - startedAt }
}

function verdictOf(code: number | null, said: string, seeds: number): Verdict {
  const [, seed, rule, text] = /^seed (\d+): (\S+) is broken: (.*)$/m.exec(said) ?? []
  // A world that comes to no end shows that the mutant is no program, and not that a rule is broken.
  if (rule === 'crash') return { kind: 'broken', why: `seed ${seed}: ${text}` }
  if (seed !== undefined) return { kind: 'killed', test: `seed ${seed}: ${rule}: ${text}`, files: ['the simulator'] }
  if (code === 0) return { kind: 'survived', tests: seeds }
  return { kind: 'broken', why: said.trim().slice(-2000) }
}
