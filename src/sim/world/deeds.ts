import { Dice } from './dice.ts'
import type { OperatorProcess } from './operator-process.ts'
import type { Deed, PlannedEvent } from './plan.ts'
import type { Slot } from './slot.ts'
import type { World } from './world.ts'

type DeedOf<K extends Deed['do']> = Extract<Deed, { do: K }>

/** Makes one planned event happen. */
export function perform(world: World, deed: PlannedEvent): void {
  world.trace.tell(world.world.now(), 'fate', () => described(deed))
  switch (deed.do) {
    case 'endPod': {
      const slot = world.slotOf(deed.group, deed.who)
      return slot && endPod(world, slot, deed)
    }
    case 'operator':
      return each(world, deed, (operator) => strike(world, operator, deed))
    case 'killAfterWrite':
      return each(world, deed, (operator) => killAfterWrite(world, operator, deed))
    case 'stepWall':
      return each(world, deed, ({ clock }) => clock?.stepWall(deed.byMillis))
    case 'weather': {
      const { at, traffic, probability, effect, millis } = deed
      const of = world.operatorsOf(deed.which).map(({ name }) => name)
      const luck = new Dice(`${world.seed}/weather/${at}`)
      return world.later(millis, world.network.sky.begin({ of, traffic, probability, effect }, luck))
    }
    case 'cut':
      return each(world, deed, ({ link }) => link?.cut(deed.withError ? new Error('terminated') : undefined))
    case 'silence':
      return each(world, deed, ({ link }) => {
        link?.silence()
        world.later(deed.millis, () => link?.revive())
      })
    case 'freeze':
      world.network.freeze(deed.server)
      return world.later(deed.millis, () => world.network.thaw(deed.server))
    case 'serverDown': {
      const servers = deed.server === 'all' ? world.network.indexes : [deed.server]
      for (const server of servers) world.network.stop(server)
      return world.later(deed.millis, () => servers.forEach((server) => world.network.start(server)))
    }
    case 'compact':
      world.network.expireWatchesAs(deed.refusal)
      return world.api.compact()
  }
}

function each(world: World, { which }: Extract<Deed, { which: unknown }>, run: (it: OperatorProcess) => void): void {
  for (const operator of world.operatorsOf(which)) run(operator)
}

function endPod(world: World, slot: Slot, { how, millis }: DeedOf<'endPod'>): void {
  switch (how) {
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
    case 'node':
      slot.lose()
      return world.later(millis, () => {
        slot.showNode(false, true)
        slot.delete(0)
        world.later(millis, () => slot.showNode(true))
      })
  }
}

function strike(world: World, operator: OperatorProcess, { how, millis }: DeedOf<'operator'>): void {
  const { clock } = operator
  switch (how) {
    case 'kill':
      operator.kill()
      return world.later(millis, () => operator.start())
    case 'pause':
    case 'suspend':
      return clock && world.later(millis, clock[how]())
    case 'stop':
      operator.stop()
      return world.later(millis, () => operator.start())
  }
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
