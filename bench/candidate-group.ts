/** Three candidates on one Lease, as processes of their own. */
import type { Candidate, Candidates } from '../e2e/candidates/candidate.ts'
import { monotonicMillis } from '../e2e/candidates/line.ts'
import { eventually } from '../e2e/controlplane/eventually.ts'
import { type Side, TIMING } from './side.ts'

const CANDIDATES = 3
/** After a crash the Lease has to expire, and client-go looks every few seconds; the machine may be busy. */
const NEXT_MILLIS = 60_000

/** A leader, and from when on it said that it leads. */
export interface Leading {
  readonly identity: string
  readonly fromMillis: number
}

export class CandidateGroup {
  readonly lease: string
  readonly #side: Side
  readonly #candidates: Candidates
  #members: readonly Candidate[] = []
  #started = 0
  /** Monotonic milliseconds since which nobody came or went. */
  atRestSince = 0

  constructor(candidates: Candidates, side: Side, lease: string) {
    this.#candidates = candidates
    this.#side = side
    this.lease = lease
  }

  /** Until there are three, one of which leads. */
  async fill(): Promise<void> {
    while (this.#members.length < CANDIDATES) {
      const { kind, command } = this.#side
      const identity = `${this.lease}-${(this.#started += 1)}`
      const member = await this.#candidates.start({ kind, command, lease: this.lease, identity, timing: TIMING })
      this.#members = [...this.#members, member]
      await member.says('newLeader')
    }
    await this.#leader()
    this.atRestSince = monotonicMillis()
  }

  /** SIGTERM to the leader. Resolves to the milliseconds from then until the next one said that it leads. */
  async handOver(): Promise<number> {
    const leader = await this.#leader()
    const from = monotonicMillis()
    const stopped = leader.stop()
    const next = await this.#leader(leader)
    await stopped
    this.#remove(leader)
    return next.terms.at(-1)!.fromMillis - from
  }

  /** SIGKILL to the leader. Resolves to who led, and to who did next. */
  async crash(): Promise<{ readonly last: string; readonly next: Leading }> {
    const leader = await this.#leader()
    await leader.kill()
    const next = await this.#leader(leader)
    this.#remove(leader)
    return { last: leader.identity, next: next.terms.at(-1)! }
  }

  #leader(other?: Candidate): Promise<Candidate> {
    const what = `a leader on ${this.lease}${other ? ` other than ${other.identity}` : ''}`
    return eventually({ what, millis: NEXT_MILLIS, intervalMillis: 5 }, () =>
      Promise.resolve(this.#members.find((each) => each !== other && each.isLeading)),
    )
  }

  #remove(member: Candidate): void {
    this.#members = this.#members.filter((each) => each !== member)
  }
}
