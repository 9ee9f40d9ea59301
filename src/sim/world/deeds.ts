import { faultName } from './coverage.ts'
import { Dice } from './dice.ts'
import type { Link } from './link.ts'
import type { OperatorProcess } from './operator-process.ts'
import type { Deed, PlannedEvent, Which } from './plan.ts'
import type { Slot } from './slot.ts'
import { meddle, touch } from './meddle.ts'
import type { World } from './world.ts'

type DeedOf<K extends Deed['do']> = Extract<Deed, { do: K }>

/** What a fault can strike: a process, on a machine. */
interface Party {
  readonly name: string
  readonly link: Link | undefined
  pause(): (() => void) | undefined
  suspend(): (() => void) | undefined
  stepWall(millis: number): void
}

/** Makes one planned event happen. */
export function perform(world: World, deed: PlannedEvent): void {
  world.trace.tell(world.world.now(), 'fate', () => described(deed))
  const strikes = strikesOf(world, deed)
  // What finds nobody there is no fault that was tried.
  if (strikes.length > 0) world.reachFault(faultName(deed), 'group' in deed ? deed.group : undefined)
  for (const strike of strikes) strike()
}

/** What is done to whom. */
function strikesOf(world: World, deed: PlannedEvent): readonly (() => void)[] {
  switch (deed.do) {
    case 'endPod': {
      const slots = deed.who === 'all' ? world.slotsIn(deed.group) : [world.slotOf(deed.group, deed.who)]
      return slots.flatMap((slot) => (slot?.podName === undefined ? [] : [() => endPod(world, slot, deed)]))
    }
    case 'operator':
      return running(world, deed).map((operator) => () => endOperator(world, operator, deed))
    case 'killAfterWrite':
      return running(world, deed).map((operator) => () => killAfterWrite(world, operator, deed))
    case 'stop':
    case 'stepWall':
    case 'weather':
    case 'cut':
    case 'silence':
      return partiesOf(world, deed.which).map((party) => () => strike(world, party, deed))
    case 'freeze':
    case 'serverDown':
    case 'compact':
    case 'hand':
    case 'strangers':
      return [() => strikeAll(world, deed)]
  }
}

/** What befalls no process. */
function strikeAll(
  world: World,
  deed: DeedOf<'freeze' | 'serverDown' | 'compact' | 'hand' | 'strangers'> & PlannedEvent,
): void {
  switch (deed.do) {
    case 'freeze':
      world.network.freeze(deed.server, deed.what)
      return world.later(deed.millis, () => world.network.thaw(deed.server, deed.what))
    case 'serverDown': {
      const servers = deed.server === 'all' ? world.network.indexes : [deed.server]
      for (const server of servers) world.network.stop(server)
      return world.later(deed.millis, () => servers.forEach((server) => world.network.start(server)))
    }
    case 'compact':
      world.network.expireWatchesAs(deed.refusal)
      return world.api.compact()
    case 'hand':
      return meddle(world, deed)
    case 'strangers':
      return world.later(0, () => repeat(world, deed, deed.times))
  }
}

function running(world: World, { which }: DeedOf<'operator' | 'killAfterWrite'>): readonly OperatorProcess[] {
  return world.operatorsOf(which).filter(({ isRunning }) => isRunning)
}

function partiesOf(world: World, which: Which): readonly Party[] {
  if (which === 'holders' || which === 'followers') return world.slotsOf(which).flatMap(candidateOf)
  return world.operatorsOf(which).map(({ name, clock, link }) => ({
    name,
    link,
    pause: () => clock?.pause(),
    suspend: () => clock?.suspend(),
    stepWall: (millis) => clock?.stepWall(millis),
  }))
}

function candidateOf(slot: Slot): readonly Party[] {
  const { candidate } = slot
  if (!candidate) return []
  return [
    {
      name: candidate.process,
      link: candidate.link,
      pause: () => candidate.clock.pause(),
      suspend: () => slot.suspend(),
      stepWall: (millis) => slot.stepWall(millis),
    },
  ]
}

type Strike = DeedOf<'stop' | 'stepWall' | 'weather' | 'cut' | 'silence'>

function strike(world: World, party: Party, deed: Strike & { readonly at: number }): void {
  const { link } = party
  switch (deed.do) {
    case 'stop': {
      const goOn = party[deed.how]()
      return goOn && world.later(deed.millis, goOn)
    }
    case 'stepWall':
      return party.stepWall(deed.byMillis)
    case 'weather': {
      const { at, traffic, probability, effect, millis } = deed
      const luck = new Dice(`${world.seed}/weather/${at}/${party.name}`)
      return world.later(millis, world.network.sky.begin({ of: party.name, traffic, probability, effect }, luck))
    }
    case 'cut':
      return link?.cut(deed.withError ? new Error('terminated') : undefined)
    case 'silence':
      link?.silence()
      return world.later(deed.millis, () => link?.revive())
  }
}

function endPod(world: World, slot: Slot, { how, millis }: DeedOf<'endPod'>): void {
  switch (how) {
    case 'giveWay':
      return slot.candidate?.giveWay()
    case 'ineligible':
      slot.annotate({ 'leadergroup.io/ineligible': 'true' })
      return world.later(millis, () => slot.annotate({ 'leadergroup.io/ineligible': null }))
    case 'delete':
      return slot.delete(30)
    case 'force':
      return slot.delete(0)
    case 'unready':
      slot.setReady(false)
      return world.later(millis, () => slot.setReady(true))
    case 'crash':
      return slot.crash(millis)
    case 'fail':
    case 'succeed':
      slot.crash(0, how === 'fail' ? 'Failed' : 'Succeeded')
      return world.later(millis, () => slot.delete(0))
    case 'node': {
      const machine = slot.switchOff()
      // The controller that deletes the pods of such a node comes round now and then.
      world.later(millis / 2, () => machine.markOutOfService())
      return world.later(millis, () => {
        slot.deleteFrom(machine)
        world.later(millis, () => slot.switchOn(machine))
      })
    }
  }
}

function endOperator(world: World, operator: OperatorProcess, { how, millis }: DeedOf<'operator'>): void {
  operator[how]()
  world.later(millis, () => operator.start())
}

function repeat(world: World, deed: DeedOf<'strangers'>, times: number): void {
  touch(world, deed.group, deed.what)
  if (times > 1) world.later(deed.everyMillis, () => repeat(world, deed, times - 1))
}

function killAfterWrite(world: World, operator: OperatorProcess, { writes, millis }: DeedOf<'killAfterWrite'>): void {
  const { link } = operator
  if (!link) return
  const last = link.writes + writes + 1
  link.onWrite = (count) => {
    if (count < last) return
    link.onWrite = () => undefined
    if (operator.link !== link) return
    operator.kill()
    world.later(millis, () => operator.start())
  }
}

function described({ at: _at, ...deed }: PlannedEvent): string {
  return JSON.stringify(deed)
}
