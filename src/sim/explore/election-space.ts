import { isSameTerm } from '../../election/record.ts'
import { canonical } from './election-canonical.ts'
import type { Reach } from './election-reach.ts'
import type { ElectionRules } from './election-rules.ts'
import { electionSteps } from './election-steps.ts'
import { isOfThisLock, leads, type Candidate, type Election, type ElectionOmission } from './election-world.ts'
import type { Space } from './explore.ts'

/** @param reach judges also whether a leader can still be reached */
export function electionSpace(rules: ElectionRules, reach?: Reach): Space<Election> {
  return {
    successors: (world) => electionSteps(world, rules),
    canonical,
    judge: (world) =>
      world.violation ?? rivals(world, rules.omission) ?? unmoved(world, rules.omission) ?? reach?.judge(world),
    term: ({ past }) => past.terms,
  }
}

function rivals(world: Election, omission?: ElectionOmission): string | undefined {
  const leaders = world.candidates.filter(
    (each) => leads(each, omission) && each.o.tenure && isOfThisLock(world, each.o.tenure),
  )
  return leaders.length > 1 ? `${leaders.map(({ name }) => name).join(' and ')} lead at once` : undefined
}

/** Who has seen the lock in another's hands, or free, leads no more. */
function unmoved({ candidates }: Election, omission?: ElectionOmission): string | undefined {
  const leader = candidates.find((each) => leads(each, omission) && !isHeardAsOwn(each))
  return leader && `${leader.name} leads on, although it has seen that the lock is not as its term left it`
}

function isHeardAsOwn({ name, o: { tenure }, heard }: Candidate): boolean {
  if (!tenure || !heard) return false
  return isSameTerm({ ...tenure, holderIdentity: name, leaseTransitions: tenure.number }, heard.found.record)
}
