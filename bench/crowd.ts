/** What many electors in one process cost. */
import type { ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import { sleepUntil, systemClock as clock } from '../src/clock.ts'
import { candidateArgs } from '../e2e/candidates/flags.ts'
import type { Line } from '../e2e/candidates/line.ts'
import { eventually } from '../e2e/controlplane/eventually.ts'
import { ended, openScratch } from '../e2e/controlplane/scratch.ts'
import { type Figure, type Goal, atMost, single } from './figure.ts'
import type { Usage } from './say.ts'
import { TIMING, bundled, openSide } from './side.ts'
import { readShipped } from './shipped.ts'
import type { Stage } from './stage.ts'

/** For so many electors. */
const GOAL_ELECTORS = 1_000
const CPU_GOAL_PERCENT = 10
const RSS_GOAL_MEGABYTES = 150
const USAGE_SECONDS = 20
const START_MILLIS = 60_000

/** A process with `electors` that all lead, and then another one with as many that all stand by. */
export async function measureCrowds(stage: Stage, electors: number): Promise<Figure[]> {
  const seconds = USAGE_SECONDS
  const side = await openSide(stage, 'leadergroup')
  await using scratch = await openScratch()
  const { nodeArgs, env } = await readShipped()
  const start = (identity: string, lease = 'crowd', command = side.command): Crowd => {
    const flags = candidateArgs({ ...side, ...TIMING, lease, identity, releaseOnCancel: true })
    const [node, program] = command as [string, string]
    const args = [...nodeArgs, program, ...flags, `--count=${electors}`]
    const variables = { ...env, PATH: process.env['PATH'] }
    return new Crowd(scratch.spawn(node, args, { env: variables, stdio: ['ignore', 'pipe', 'ignore'] }))
  }
  stage.progress.say(`crowd: ${electors} bare renewals, ${seconds} s`)
  const bare = start('bare', 'floor', await bundled('renewals'))
  await bare.until(() => bare.leading === electors)
  const floor = await bare.usage(seconds, stage.signal)
  await bare.kill()
  stage.progress.say(`crowd: ${electors} electors that lead, ${seconds} s`)
  const leaders = start('leaders')
  await leaders.until(() => leaders.leading === electors)
  const leading = await leaders.usage(seconds, stage.signal)
  stage.progress.say(`crowd: ${electors} electors that stand by, ${seconds} s`)
  const others = start('others')
  await others.until(() => others.following >= electors)
  const standingBy = await others.usage(seconds, stage.signal)
  // A server that cannot take so many renewals makes some of them lose their terms.
  const still = Math.min(leading.leading, leaders.leading)
  await leaders.kill()
  await others.kill()
  return [
    ...figures(`${electors} electors in one process, ${still} leading all the time`, leading, electors, floor),
    ...figures(`${electors} electors in one process, standing by`, standingBy, electors),
  ]
}

interface Cost {
  /** How many led at the end, in this process. */
  readonly leading: number
  readonly cpuPercent: number
  readonly residentMegabytes: number
}

/** @param floor of as many renewals by nothing but undici */
function figures(what: string, { cpuPercent, residentMegabytes }: Cost, electors: number, floor?: Cost): Figure[] {
  const goal = (value: number, limit: number, unit: string): { goal?: Goal } =>
    electors >= GOAL_ELECTORS ? { goal: atMost(value, limit, unit) } : {}
  return [
    {
      what: `${what}: CPU`,
      unit: '% of a core',
      value: single(cpuPercent),
      ...(floor ? { floor: single(floor.cpuPercent) } : {}),
      ...goal(cpuPercent, CPU_GOAL_PERCENT, '% of a core'),
    },
    {
      what: `${what}: RSS`,
      unit: 'MB',
      value: single(residentMegabytes),
      ...(floor ? { floor: single(floor.residentMegabytes) } : {}),
      ...goal(residentMegabytes, RSS_GOAL_MEGABYTES, 'MB'),
    },
  ]
}

class Crowd {
  leading = 0
  following = 0
  readonly #child: ChildProcess
  readonly #end: Promise<unknown>
  readonly #usages: Usage[] = []

  constructor(child: ChildProcess) {
    this.#child = child
    this.#end = ended(child)
    this.#end.catch(() => undefined)
    createInterface({ input: child.stdout! }).on('line', (text) => this.#hear(JSON.parse(text) as Line | Usage))
  }

  /** Or until it has taken too long: what is measured says how many it was. */
  async until(isSo: () => boolean): Promise<void> {
    const end = clock.now() + START_MILLIS
    await eventually({ what: 'all electors, or the end of patience', millis: 2 * START_MILLIS }, () =>
      Promise.resolve(isSo() || clock.now() >= end || undefined),
    )
  }

  /** Over the next seconds. */
  async usage(seconds: number, signal: AbortSignal): Promise<Cost> {
    await sleepUntil(clock, clock.now() + SETTLING_MILLIS, signal)
    const before = this.#usages.length
    await sleepUntil(clock, clock.now() + seconds * 1_000, signal)
    const [first, last] = [this.#usages[before - 1]!, this.#usages.at(-1)!]
    const cpu = (100_000 * (last.cpuSeconds - first.cpuSeconds)) / (last.monotonicMillis - first.monotonicMillis)
    return { leading: this.leading, cpuPercent: cpu, residentMegabytes: last.residentBytes / 1e6 }
  }

  async kill(): Promise<void> {
    process.kill(-this.#child.pid!, 'SIGKILL')
    await this.#end
  }

  #hear(line: Line | Usage): void {
    if (line.event === 'usage') this.#usages.push(line)
    if (line.event === 'leading') this.leading += 1
    if (line.event === 'stopped') this.leading -= 1
    if (line.event === 'newLeader') this.following += 1
  }
}

/** What was needed to begin is done by then. */
const SETTLING_MILLIS = 10_000
