import type { Candidate, CandidatePlan } from './candidate.ts'
import { ClientGoCandidate } from './client-go-candidate.ts'
import { LibraryCandidate } from './library-candidate.ts'
import type { Birth } from './electing-process.ts'

export function startCandidate(plan: CandidatePlan, birth: Birth): Candidate {
  return plan.kind === 'library' ? new LibraryCandidate(plan, birth) : new ClientGoCandidate(plan, birth)
}
