import { assignedSteps } from './assign.ts'
import { decided } from './decided.ts'
import { followedSteps } from './observe.ts'
import { isUpToDate, refreshSteps, sawAll, started } from './operators.ts'
import { arrive } from './server.ts'
import { spend, type Omission, type OperatorState, type Sent, type Step, type World } from './world.ts'

export interface Rules {
  /** How a lagging cache catches up: object by object, or, for fewer states, all at once. Replies are always single. */
  readonly lag: 'objects' | 'caches'
  readonly omission?: Omission
}

type Put = (next: OperatorState, rest?: Partial<World>) => World

/** Every world that one step leads to, with the step in words. */
export function* successors(world: World, rules: Rules): Generator<Step> {
  yield* world.mode === 'Assign' ? assignedSteps(world) : followedSteps(world)
  for (const [index, operator] of world.operators.entries()) {
    const put: Put = (next, rest = {}) => ({
      ...world,
      ...rest,
      operators: world.operators.map((other, at) => (at === index ? next : other)),
    })
    yield* operatorSteps(world, operator, `op${index}`, put, rules)
  }
}

function* operatorSteps(
  world: World,
  operator: OperatorState,
  name: string,
  put: Put,
  { lag, omission }: Rules,
): Generator<Step> {
  if (lag === 'objects') yield* refreshSteps(world, operator, name, put)
  else if (!isUpToDate(world, operator)) yield [`${name} sees all`, put(sawAll(world, operator))]
  if (operator.sent) {
    yield* arrivals(world, operator, operator.sent, name, put, omission)
  } else {
    for (const action of decided(world.mode, operator, omission)) {
      const tick = operator.tick + 1
      const sent = { action, begunAt: tick, overdue: operator.overdue }
      yield [`${name} sends ${action.kind}`, put({ ...operator, tick, sent })]
    }
  }
  if (world.budget.expiries > 0 && operator.lease?.holderIdentity && !operator.overdue) {
    yield [
      `${name} has waited for the record's duration`,
      put({ ...operator, overdue: true }, spend(world, 'expiries')),
    ]
  }
  if (world.budget.crashes > 0) yield [`${name} crashes`, put(started(world), spend(world, 'crashes'))]
}

function* arrivals(
  world: World,
  operator: OperatorState,
  sent: Sent,
  name: string,
  put: Put,
  omission?: Omission,
): Generator<Step> {
  const idle = { ...operator, sent: undefined }
  const { effect, reply } = arrive(world, idle, sent, omission)
  const what = `${name}: ${describe(sent.action)}${effect ? '' : ' is refused or a read'}`
  yield [what, put(reply, effect ?? {})]
  if (effect && world.budget.lostReplies > 0) {
    yield [`${what}, reply lost`, put(idle, { ...effect, ...spend(world, 'lostReplies') })]
  }
}

function describe(action: Sent['action']): string {
  if (action.kind === 'patchPod') return `${action.step} ${action.pod.name} ${JSON.stringify(action.annotations)}`
  if (action.kind === 'advanceGate') return `gate names ${action.holder.name} for term ${action.term}`
  if (action.kind !== 'writeStatus' || !action.gate) return action.kind
  return `gate says ${action.status.gate} following ${action.status.leaseVersion}`
}
