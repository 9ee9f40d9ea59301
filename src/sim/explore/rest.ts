import { LEADER_ROLE } from '../../group/keys.ts'
import { canonical } from './canonical.ts'
import { run } from './first-world.ts'
import { livingWriter } from './observe.ts'
import type { OperatorState, ServerPod, World } from './world.ts'

/**
 * Mode Observe: whether one operator alone, whatever it knows and has under way, comes to rest in a world that stands still,
 * with the label where it belongs; and, when the record's time is over as well, with none.
 */
export class Rest {
  /** Worlds of one operator on the way to a rest that is as it should be. */
  readonly #good = new Set<string>()

  /** What is wrong with the rest that an operator comes to; undefined: nothing. */
  judge(world: World): string | undefined {
    for (const operator of world.operators) {
      const fault = this.#fault({ ...world, operators: [operator] })
      if (fault !== undefined) return fault
    }
    return undefined
  }

  #fault(world: World): string | undefined {
    const way: string[] = []
    let isKnown = false
    const visit = (at: World): boolean => {
      const key = canonical(at)
      isKnown = this.#good.has(key)
      if (!isKnown) way.push(key)
      return !isKnown
    }
    const rest = run(world, visit)
    const fault = isKnown ? undefined : (rest.violation ?? misplaced(rest) ?? lasting(rest))
    return fault ?? this.#remember(way)
  }

  #remember(way: readonly string[]): undefined {
    for (const key of way) this.#good.add(key)
  }
}

/**
 * A label on a pod that does not hold the Lease, or none on one that was seen to renew it.
 *
 * Watches of pods and Leases are not in step. So a record may reach an operator later than what happened after it was
 * written, and speak for a namesake of its writer, or for a process that has ended since. No stamp tells: each comes from
 * another clock. That ends when the record changes or expires.
 */
function misplaced(world: World): string | undefined {
  const { lease, pods } = world
  const [operator] = world.operators
  if (!operator) return undefined
  const labelled = pods.find((pod) => pod?.role === LEADER_ROLE)
  if (labelled && !mayHold(labelled, world, operator))
    return `${labelled.name} rests with the label, and is not the holder`
  const writer = livingWriter(world)
  const sight = lease && operator.lease?.sight
  if (labelled || !writer || !sight?.changed || operator.overdue) return undefined
  const known = operator.pods.find((pod) => pod?.uid === writer.uid)
  const isKnown = world.identity === 'nameAndUID' || sight.seenAt > (known?.firstSeenAt ?? Infinity)
  return isKnown ? `${writer.name} was seen to renew the Lease, and rests without label` : undefined
}

function mayHold({ name, uid }: ServerPod, { lease, group }: World, operator: OperatorState): boolean {
  const pod = operator.pods.find((each) => each?.uid === uid)
  const { sight } = operator.lease ?? {}
  if (!lease?.writer || !pod || !sight) return false
  const isSince = (tick: number): boolean => sight.changed && sight.seenAt > tick
  if (lease.writer.uid === uid) return pod.electing.every(({ end }) => !end || isSince(end.seenAt))
  const { holderUID, holderIdentity } = group.status
  // Another operator may have mapped it so, and what status says of a pod that lives is believed.
  const isMapped = holderUID === uid && holderIdentity === lease.holderIdentity
  return lease.holderIdentity?.split('_', 1)[0] === name && (isMapped || isSince(pod.firstSeenAt))
}

/** A label, or a leader in status, that outlasts the duration of a record that nobody renews. */
function lasting(rest: World): string | undefined {
  const { pods, group } = run({
    ...rest,
    operators: rest.operators.map((operator) => ({ ...operator, overdue: true })),
  })
  const labelled = pods.find((pod) => pod?.role === LEADER_ROLE)
  if (labelled) return `${labelled.name} keeps the label although its record has expired`
  return group.status.holder && `status names ${group.status.holder} although its record has expired`
}
