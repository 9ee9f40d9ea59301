import * as fc from 'fast-check'
import { anySpec } from '../any-custom.ts'
import { Dice } from './dice.ts'

/** Names that mean something elsewhere, or to JavaScript, or are as long as they may be. */
const NAMES = ['constructor', 'role', 'leader', 'db-ro', 'x'.repeat(63)]

interface Selector {
  readonly matchLabels?: Readonly<Record<string, string>>
  readonly matchExpressions?: readonly { readonly key: string; readonly operator: string }[]
}

/** Whose pods it selects: another group's, everybody's, nobody's. */
const SELECTORS: readonly Selector[] = [
  { matchLabels: { 'app-db': 'yes' } },
  { matchExpressions: [{ key: 'app-queue', operator: 'Exists' }] },
  { matchExpressions: [{ key: 'no-pod-has-it', operator: 'DoesNotExist' }] },
  { matchLabels: { 'no-pod-has-it': 'yes' } },
]

/**
 * A group that means no good to the others: any spec that the schema admits, also such as the CRD's rules refuse today, for
 * another version may have let it pass. It may select their pods, and name their Leases and Services.
 */
export function hostileGroup(seed: string): object & { readonly metadata: { readonly name: string } } {
  const dice = new Dice(seed)
  const [any] = fc.sample(anySpec, { numRuns: 1, seed: dice.whole(0, 2 ** 31 - 1) }) as [object]
  const spec = dice.chance(0.75) ? { ...any, selector: dice.pick(SELECTORS) } : any
  return {
    apiVersion: 'leadergroup.io/v1alpha1',
    kind: 'LeaderGroup',
    metadata: { name: dice.pick(NAMES) },
    spec,
  } as object & { readonly metadata: { readonly name: string } }
}
