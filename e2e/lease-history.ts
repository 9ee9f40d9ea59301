/** What a Lease's versions must say of electors that share it. */
import assert from 'node:assert/strict'
import { type Lease, type LeaseSpec } from '../src/kube/objects.ts'
import { PEERS } from './candidates/peers.ts'
import { KINDS, type Kind } from './candidates/programs.ts'

/** Times with whole milliseconds. */
const ROUNDING_MILLIS = 1

/**
 * Asserts for the versions of one Lease, in order:
 * - this library's elector comes only after a release, or when the last renewal is a duration ago, both by the holders'
 *   clocks, which are one machine's here;
 * - leaseTransitions grows by one with each new holder, but for those who leave it alone, and never else;
 * - labels and annotations stay.
 *
 * Identities begin with their kind.
 *
 * @returns what electors of other projects took before its time, beyond what is known of them: in words
 */
export function checkLeaseHistory(
  leases: readonly Lease[],
  { labels, annotations }: Pick<Lease['metadata'], 'labels' | 'annotations'>,
): readonly string[] {
  const early: string[] = []
  for (const [index, { metadata, spec = {} }] of leases.entries()) {
    const at = `version ${metadata.resourceVersion}, ${JSON.stringify(spec)}`
    assert.deepEqual(metadata.labels, labels, at)
    assert.deepEqual(metadata.annotations, annotations, at)
    const before = leases[index - 1]?.spec
    if (before) early.push(...checkStep(before, spec, `${at} after ${JSON.stringify(before)}`))
  }
  return early
}

function checkStep(before: LeaseSpec, spec: LeaseSpec, at: string): readonly string[] {
  const grown = (spec.leaseTransitions ?? 0) - (before.leaseTransitions ?? 0)
  const kind = KINDS.find((each) => spec.holderIdentity?.startsWith(`${each}-`))
  if (!kind || spec.holderIdentity === before.holderIdentity) {
    assert.equal(grown, 0, at)
    return []
  }
  assert.equal(grown, PEERS[kind].keepsTransitions ? 0 : 1, at)
  if (!before.holderIdentity) return []
  const due = Date.parse(before.renewTime!) + before.leaseDurationSeconds! * 1000
  const early = due - Date.parse(spec.renewTime!)
  if (early <= earlyMillis(kind)) return []
  const said = `taken ${early} ms early: ${at}`
  assert.notEqual(kind, 'leadergroup', said)
  return [said]
}

function earlyMillis(kind: Kind): number {
  return ROUNDING_MILLIS + (PEERS[kind].earlyMillis?.value ?? 0)
}
