/**
 * Candidates of all kinds on one Lease. Whoever leads is stopped, killed or paused past its Lease, each kind in each way
 * in turn, and another one follows. A few stand by at any time; the dice say who.
 */
import assert from 'node:assert/strict'
import type { Candidate, Candidates } from './candidates/candidate.ts'
import type { Timing } from './candidates/flags.ts'
import { monotonicMillis } from './candidates/line.ts'
import { PEERS } from './candidates/peers.ts'
import type { Kind } from './candidates/programs.ts'
import { eventually } from './controlplane/eventually.ts'
import type { Dice } from './dice.ts'

export const ENDINGS = ['stopped', 'killed', 'paused'] as const
export type Ending = (typeof ENDINGS)[number]

/** How one term ended. */
export interface HandOver {
  /** Who led. */
  readonly kind: Kind
  readonly ending: Ending
  readonly next: Kind
  /** From the signal to the next one's first word as a leader. */
  readonly millis: number
}

interface Broken {
  readonly kind: Kind
  readonly by: Kind
}

export interface Rotation {
  readonly handOvers: readonly HandOver[]
  /** Those that ended as it is known of them, and by whose release. */
  readonly broken: readonly Broken[]
  /** Terms that ended before anybody was told to end them: a machine that stood still for too long. */
  readonly lost: readonly Kind[]
}

export interface RotationOptions {
  readonly candidates: Candidates
  readonly kinds: readonly Kind[]
  readonly lease: string
  readonly timing: Timing
  readonly terms: number
  readonly dice: Dice
}

const STANDING_BY = 3
/** A few leases and polls, and as much again for a machine that is busy. */
const NEXT_MILLIS = 30_000

export function rotate(options: RotationOptions): Promise<Rotation> {
  return new Rotating(options).run()
}

class Rotating {
  readonly #options: RotationOptions
  readonly #handOvers: HandOver[] = []
  readonly #broken: Broken[] = []
  readonly #lost: Kind[] = []
  readonly #endings: ReadonlyMap<Kind, Ending[]>
  /** Who has stood by at a release that may have ended it, and whose that was. */
  readonly #witnessed = new Map<Candidate, Kind>()
  #deck: readonly Kind[] = []
  #contending: Candidate[] = []
  #started = 0

  constructor(options: RotationOptions) {
    this.#options = options
    this.#endings = new Map(options.kinds.map((kind) => [kind, [] as Ending[]]))
  }

  async run(): Promise<Rotation> {
    await this.#fill()
    let leader = await this.#leaderOtherThan(undefined)
    while (this.#handOvers.length < this.#options.terms) {
      await this.#fill()
      leader = await this.#end(leader)
    }
    // Nobody is left who only seemed to contend: all that still stand by lead once more.
    while (this.#contending.length > 1) leader = await this.#end(leader)
    assert.equal(await leader.stop(), 0, `${leader.identity} stopped:\n${leader.complaints()}`)
    return { handOvers: this.#handOvers, broken: this.#broken, lost: this.#lost }
  }

  /** Ends the leader's term, and resolves to the next leader. */
  async #end(leader: Candidate): Promise<Candidate> {
    const others = this.#contending.filter((each) => each !== leader)
    const ending = this.#nextEnding(leader.kind, others)
    if (!leader.isLeading) {
      this.#lost.push(leader.kind)
      if (leader.hasEnded) this.#remove(leader)
      return this.#leaderOtherThan(undefined)
    }
    const from = monotonicMillis()
    if (ending === 'paused') leader.pause()
    if (ending === 'killed') await leader.kill()
    if (ending === 'stopped')
      assert.equal(await leader.stop(), 0, `${leader.identity} stopped:\n${leader.complaints()}`)
    const next = await this.#leaderOtherThan(leader)
    const millis = next.terms.at(-1)!.fromMillis - from
    this.#handOvers.push({ kind: leader.kind, ending, next: next.kind, millis })
    if (ending === 'paused') {
      leader.resume()
      await eventually({ what: `${leader.identity} sees that it leads no more`, millis: NEXT_MILLIS }, () =>
        Promise.resolve(leader.isLeading ? undefined : true),
      )
      // Electors that are used once end their program after their last word.
      if (!REMAINS.has(leader.kind)) await leader.ended()
    }
    if (leader.hasEnded) this.#remove(leader)
    for (const other of others) {
      if (ending === 'stopped' && cannotFollow(other.kind, leader.kind)) this.#witnessed.set(other, leader.kind)
    }
    await this.#bury()
    return next
  }

  /** Each kind goes through all endings, in an order of the dice. Nobody else could follow some releases. */
  #nextEnding(kind: Kind, others: readonly Candidate[]): Ending {
    const endings = this.#endings.get(kind)!
    if (endings.length === 0) endings.push(...this.#options.dice.shuffled(ENDINGS))
    const isPossible = (ending: Ending): boolean =>
      ending !== 'stopped' || others.some((other) => !cannotFollow(other.kind, kind))
    const index = Math.max(0, endings.findIndex(isPossible))
    if (isPossible(endings[index]!)) return endings.splice(index, 1)[0]!
    return 'killed'
  }

  async #leaderOtherThan(leader: Candidate | undefined): Promise<Candidate> {
    const names = this.#contending.map(({ identity }) => identity).join(', ')
    const what = `a leader${leader ? ` other than ${leader.identity}` : ''} of ${names}`
    return eventually({ what, millis: NEXT_MILLIS, intervalMillis: 10 }, () =>
      Promise.resolve(this.#contending.find((each) => each !== leader && each.isLeading)),
    )
  }

  /** Those that stand by are as many as they should be. */
  async #fill(): Promise<void> {
    const { candidates, kinds, lease, timing, dice } = this.#options
    while (this.#contending.length <= Math.min(STANDING_BY, kinds.length - 1)) {
      if (this.#deck.length === 0) this.#deck = dice.shuffled(kinds)
      const [kind, ...rest] = this.#deck as readonly [Kind, ...Kind[]]
      this.#deck = rest
      const identity = `${kind}-${(this.#started += 1)}`
      this.#contending.push(await candidates.start({ kind, lease, identity, timing }))
    }
  }

  /** Removes those that contend no more. Only what is known of them may have been the reason. */
  async #bury(): Promise<void> {
    for (const candidate of this.#contending.filter(contendsNoMore)) {
      const by = this.#witnessed.get(candidate)
      assert.ok(by, `${candidate.identity} contends no more:\n${candidate.complaints()}`)
      this.#broken.push({ kind: candidate.kind, by })
      await candidate.kill()
      this.#remove(candidate)
    }
  }

  #remove(candidate: Candidate): void {
    this.#contending = this.#contending.filter((each) => each !== candidate)
  }
}

/** Programs that contend again after a term that was lost. */
const REMAINS: ReadonlySet<Kind> = new Set(['leadergroup', 'kubert'])

function cannotFollow(kind: Kind, released: Kind): boolean {
  return PEERS[kind].cannotFollow?.value.includes(released) ?? false
}

function contendsNoMore(candidate: Candidate): boolean {
  const { lastWords } = PEERS[candidate.kind]
  return candidate.hasEnded || (lastWords !== undefined && candidate.complaints().includes(lastWords))
}
