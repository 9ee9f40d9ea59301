/** One run: a storm, then calm, again and again; and what it has shown. Whoever starts it says how long, and may end it any time. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { monotonicMillis } from '../candidates/line.ts'
import { auditOf } from './audit.ts'
import { type Clocks, clocksNow } from './audit-events.ts'
import { Beliefs } from './beliefs.ts'
import { BOUND_MILLIS, untilCalm } from './calm.ts'
import { Court } from './court.ts'
import { EndLeaders } from './end-leaders.ts'
import { Hands, isByHand } from './hands.ts'
import { Injector } from './inject.ts'
import type { Plan, Round } from './plan.ts'
import { type Report, type RoundReport, report } from './report.ts'
import { Tally } from './tally.ts'
import type { Seen } from './witness.ts'
import { type World, openWorld } from './world.ts'

export interface Progress {
  readonly seconds: number
  readonly what: string
  readonly failovers: number
  readonly faults: number
  readonly violations: number
}

const PROGRESS_MILLIS = 10_000
const CLOCKS_MILLIS = 500

export interface RunOptions {
  readonly plan: Plan
  /** No round begins after that. */
  readonly millis: number
  /** Where everything is kept. Default: nothing is. */
  readonly dir?: string
  /** Ends the run; it reports all the same. */
  readonly signal: AbortSignal
  readonly onProgress?: (progress: Progress) => void
}

export function runChaos(options: RunOptions): Promise<Report> {
  return new Run(options).run()
}

class Run {
  readonly #options: RunOptions
  readonly #court: Court
  readonly #tally: Tally
  readonly #beliefs = new Beliefs()
  readonly #deleted = new Set<string>()
  readonly #history: Seen[] = []
  readonly #clocks: Clocks[] = [clocksNow()]
  readonly #rounds: RoundReport[] = []
  readonly #beginning = monotonicMillis()
  #what = 'starting'

  constructor(options: RunOptions) {
    this.#options = options
    this.#court = new Court(options.plan.groups)
    this.#tally = new Tally(options.plan.groups)
  }

  async run(): Promise<Report> {
    const { plan, signal, dir } = this.#options
    await using world = await openWorld({
      plan,
      ...(dir === undefined ? {} : { dir }),
      beliefs: this.#beliefs,
      signal,
      tell: (seen) => this.#see(seen),
      surprise: (what, said) =>
        this.#court.accuse({ rule: 'exit', subject: what, text: 'nobody told it to', around: said }),
    })
    const reminding = setInterval(() => this.#progress(), PROGRESS_MILLIS)
    const comparing = setInterval(() => this.#clocks.push(clocksNow()), CLOCKS_MILLIS)
    try {
      await this.#storms(world)
    } catch (error) {
      if (!signal.aborted) throw error
    } finally {
      clearInterval(reminding)
      clearInterval(comparing)
      this.#clocks.push(clocksNow())
    }
    this.#say('reading the audit log')
    for (const { group, kind, identity, other, fromMillis, toMillis, excuse } of this.#beliefs.findings()) {
      if (excuse !== undefined) continue
      const text = `${other} led from ${Math.round(fromMillis)} ms on, ${identity} (${kind}) until ${Math.round(toMillis)} ms`
      this.#court.accuse({ rule: 'I5', subject: group, text })
    }
    const history = this.#history
    if (dir !== undefined) {
      await writeFile(join(dir, 'history.jsonl'), history.map((seen) => `${JSON.stringify(seen)}\n`).join(''))
      await writeFile(join(dir, 'beliefs.json'), JSON.stringify(this.#beliefs.all))
    }
    const audit = await auditOf(world, {
      groups: plan.groups,
      history,
      beliefs: this.#beliefs.all,
      clocks: this.#clocks,
    })
    for (const accusation of audit.accusations) this.#court.accuse(accusation)
    for (const violation of audit.judged) this.#court.accuseAt(violation)
    return report({
      plan,
      millis: monotonicMillis() - this.#beginning,
      rounds: this.#rounds,
      tally: this.#tally,
      overlaps: this.#beliefs.findings(),
      court: this.#court,
      requests: audit.requests,
      commits: history.length,
      leaseOperations: audit.leaseOperations,
      isCutShort: signal.aborted,
    })
  }

  async #storms(world: World): Promise<void> {
    const { plan, millis } = this.#options
    const hands = new Hands(world, plan.groups, this.#deleted)
    const injector = new Injector(world, hands, ({ kind }, what) => this.#tally.count(kind, what === 'ends'))
    const ending = plan.groups.map(
      (group) => new EndLeaders(world, group, (ended) => this.#tally.ended(ended, monotonicMillis())),
    )
    await this.#calm(world, 'before the first storm')
    for (const [index, round] of plan.rounds.entries()) {
      if (index > 0 && monotonicMillis() - this.#beginning > millis) return
      this.#say(`storm ${index + 1} of ${plan.rounds.length}`)
      if (index > 0) await this.#restart(world, round)
      const storm = new AbortController()
      const limit = setTimeout(() => storm.abort(new Error('the storm is over')), round.millis)
      try {
        const signal = AbortSignal.any([storm.signal, world.signal])
        await Promise.all([injector.rage(round, signal), ...ending.map((each) => each.goOn(signal))])
      } finally {
        clearTimeout(limit)
        storm.abort(new Error('the storm is over'))
      }
      const calmMillis = await this.#calm(world, `after storm ${index + 1}`)
      this.#rounds.push({ millis: round.millis, bothAct: round.bothAct, calmMillis })
    }
  }

  /** Both act, or one of them does, as the round wants it. */
  async #restart({ replicas }: World, { bothAct }: Round): Promise<void> {
    for (const replica of replicas) {
      await replica.kill()
      await replica.start(bothAct ? ['--no-leader-elect'] : [])
    }
  }

  async #calm(world: World, when: string): Promise<number> {
    this.#say(`calm ${when}`)
    const { millis, unrest } = await untilCalm(world, this.#options.plan.groups)
    for (const [subject, text] of unrest) {
      this.#court.accuse({
        rule: 'L1',
        subject,
        text: `${when}, ${BOUND_MILLIS / 1000} s after the last fault: ${text}`,
      })
    }
    return millis
  }

  #see(seen: Seen): void {
    this.#history.push(seen)
    this.#court.follow(seen)
    this.#tally.follow(seen)
    const { change, atMillis } = seen
    if (change.kind !== 'lease') return
    const isTheirs = isByHand(seen) || (change.gone && this.#deleted.has(change.object.metadata.uid))
    const group = this.#options.plan.groups.find(({ leaseName }) => leaseName === change.object.metadata.name)
    if (isTheirs && group) this.#beliefs.excuse({ group: group.name, atMillis })
  }

  #say(what: string): void {
    this.#what = what
    this.#progress()
  }

  #progress(): void {
    this.#options.onProgress?.({
      seconds: (monotonicMillis() - this.#beginning) / 1000,
      what: this.#what,
      failovers: this.#tally.failovers.length,
      faults: this.#tally.faultCount,
      violations: this.#court.violations.length,
    })
  }
}
