import type { Dice } from '../dice.ts'
import type { Mode } from './faults.ts'

/** What elects in a pod; nothing does in mode Assign. */
export type Kind = 'nothing' | 'library' | 'elect' | 'client-go'

export interface GroupPlan {
  readonly name: string
  readonly leaseName: string
  readonly mode: Mode
  /** One for each pod. */
  readonly members: readonly Kind[]
  readonly releaseDeadHolder: boolean
  /** Strangers write to its Lease, its pods' keys and itself. In the others nobody but the operator and the candidates does. */
  readonly hostile: boolean
  /** Of the endings of its leaders. */
  readonly seed: number
}

type Shape = Omit<GroupPlan, 'name' | 'leaseName' | 'seed'>

const ASSIGN: Shape = {
  mode: 'Assign',
  members: ['nothing', 'nothing', 'nothing'],
  releaseDeadHolder: false,
  hostile: false,
}
const OBSERVE: Shape = { ...ASSIGN, mode: 'Observe', members: ['library', 'library', 'library'] }

/** In turn. A quarter of the groups at least has no strangers: there nothing excuses anything. */
const SHAPES: readonly Shape[] = [
  ASSIGN,
  { ...OBSERVE, releaseDeadHolder: true },
  { ...ASSIGN, hostile: true },
  { ...OBSERVE, members: ['elect', 'elect', 'library'], releaseDeadHolder: true },
  ASSIGN,
  { ...OBSERVE, members: ['client-go', 'client-go', 'library'] },
  { ...ASSIGN, hostile: true },
  { ...OBSERVE, hostile: true },
]

export function groupPlans(
  count: number,
  dice: Dice,
  { clientGo }: { readonly clientGo: boolean },
): readonly GroupPlan[] {
  return Array.from({ length: count }, (_, index) => {
    const shape = SHAPES[index % SHAPES.length]!
    const members = shape.members.map((kind) => (kind === 'client-go' && !clientGo ? 'library' : kind))
    const seed = Math.trunc(dice.random() * 2 ** 32)
    const name = `${shape.mode.toLowerCase()}-${index + 1}`
    return { ...shape, members, name, leaseName: shape.mode === 'Assign' ? name : `${name}-lock`, seed }
  })
}
