import { isReleased, isSameTerm, type LeaseRecord, type Versioned } from '../../election/record.ts'
import type { Candidate, Election, ElectionOmission, Write } from './election-world.ts'

/** What comes of a write that has reached the lock object. */
export interface Carried {
  readonly world: Election
  readonly answer: Versioned | 'conflict'
}

export function carryOut(world: Election, write: Write, omission?: ElectionOmission): Carried {
  const { stored, serial } = world
  const { attempt, version } = write
  const present = stored === 'absent' ? undefined : stored.version
  const isUnchecked = omission === 'noVersion' || (omission === 'releaseUnchecked' && attempt.purpose === 'release')
  if (version !== present && !(isUnchecked && present !== undefined)) return { world, answer: 'conflict' }
  const written = { record: attempt.record, version: String(serial) }
  const past = present === undefined && world.past.isDeleted ? { ...world.past, bornAt: written.version } : world.past
  const violation = brokenBy(world, write)
  return {
    world: { ...world, stored: written, serial: serial + 1, past, ...(violation ? { violation } : {}) },
    answer: written,
  }
}

/** It names a version that is gone. A write that creates the object succeeds after all if that is deleted. */
export function isHopeless({ stored, budget }: Election, { version }: Pick<Write, 'version'>): boolean {
  if (stored === 'absent') return version !== undefined
  return version !== stored.version && (version !== undefined || budget.deletions <= 0)
}

/** What must hold of every write that succeeds, whoever's it was and however late. */
function brokenBy({ stored, candidates }: Election, write: Write): string | undefined {
  const { by, attempt } = write
  const { purpose, record } = attempt
  const writer = candidates.find(({ name }) => name === by)
  if (stored === 'absent' || !writer) return undefined
  switch (purpose) {
    case 'acquire':
      return outbid(stored.record, record) ?? hasty(stored, write)
    case 'renew':
      return isSameTerm(stored.record, record) ? undefined : `${by} renews a term that is over`
    case 'release':
      return emptied(stored.record, record, writer)
  }
}

function outbid(before: LeaseRecord, { holderIdentity, leaseTransitions }: LeaseRecord): string | undefined {
  if (leaseTransitions > before.leaseTransitions) return undefined
  return `the term of ${holderIdentity} has the number ${leaseTransitions}, and so had an earlier one`
}

/** Who takes the lock from another that did not give it up must have seen it unchanged for as long as it says. */
function hasty(stored: Versioned, { by, version, silence }: Write): string | undefined {
  const { holderIdentity, leaseDurationSeconds } = stored.record
  if (isReleased(stored.record) || holderIdentity === by) return undefined
  const seconds = version === stored.version ? silence / 1000 : 0
  if (seconds >= leaseDurationSeconds) return undefined
  return `${by} takes the lock from ${holderIdentity} after ${seconds} s of silence`
}

function emptied(before: LeaseRecord, release: LeaseRecord, { name, work }: Candidate): string | undefined {
  if (before.holderIdentity !== name || before.leaseTransitions !== release.leaseTransitions) {
    return `${name} releases what ${before.holderIdentity || 'nobody'} holds`
  }
  return work?.number === release.leaseTransitions ? `${name} releases the lock while its work runs` : undefined
}

/** What is found there, in words. */
export function inShort(found: Election['stored']): string {
  if (found === 'absent') return 'no lock'
  const { holderIdentity, leaseTransitions } = found.record
  return `${holderIdentity || 'nobody'} in term ${leaseTransitions}`
}
