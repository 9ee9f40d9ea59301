/** What the operator costs while nothing happens, and what a restart costs. */
import { sleepUntil, systemClock as clock } from '../src/clock.ts'
import { Pods } from '../src/kube/objects.ts'
import { must } from '../e2e/controlplane/must.ts'
import { isWrite } from './audit.ts'
import { watchCommits } from './commits.ts'
import { type Figure, atMost, single } from './figure.ts'
import { type RunningOperator, type StartOptions, startOperator } from './operator.ts'
import type { Population } from './population.ts'
import type { Stage } from './stage.ts'
import { isLabelled } from './trigger.ts'

/** The least number of groups from which on a limit of megabytes holds. */
const RSS_GOALS: readonly (readonly [groups: number, megabytes: number])[] = [
  [0, 90],
  [1, 120],
  [1_001, 150],
]
const RESTART_GOAL_SECONDS = 5

/** Memory and CPU of the operator that is at rest now, over some seconds. */
export async function measureResources(
  stage: Stage,
  operator: RunningOperator,
  { groups, how, seconds }: { readonly groups: number; readonly how: string; readonly seconds: number },
): Promise<Figure[]> {
  stage.progress.say(`resources: ${groups} groups, ${how}, ${seconds} s`)
  const before = await operator.usage()
  await sleepUntil(clock, clock.now() + seconds * 1000, stage.signal)
  const after = await operator.usage()
  const megabytes = after.residentBytes / 1e6
  const [, limit] = RSS_GOALS.findLast(([least]) => groups >= least)!
  const cpu = (100 * (after.cpuSeconds - before.cpuSeconds)) / ((after.at - before.at) / 1000)
  const what = `${groups} groups, ${how}`
  return [
    {
      what: `RSS at ${what}`,
      unit: 'MB',
      value: single(megabytes),
      goal: atMost(megabytes, limit, 'MB'),
    },
    { what: `of which heap in use at ${what}`, unit: 'MB', value: single(after.heapBytes / 1e6) },
    { what: `CPU at ${what}`, unit: '% of a core', value: single(cpu) },
  ]
}

/** Nothing happens for so long. */
export async function measureQuiet(stage: Stage, population: Population, seconds: number): Promise<Figure[]> {
  await population.settle()
  stage.progress.say(`quiet: ${population.groups.length} groups, ${seconds} s`)
  await stage.audit.skip()
  await sleepUntil(clock, clock.now() + seconds * 1000, stage.signal)
  const writes = (await stage.audit.writes()).length
  const what = `${population.groups.length} groups, ${seconds} s of rest: writes beyond its own Lease`
  return [{ what, unit: 'writes', value: single(writes), goal: { text: '0', reached: writes === 0 } }]
}

/** How long what a new process does of its own accord is looked at. */
const WATCHED_MILLIS = 10_000

/** Stops the operator and starts another: nothing has changed; then once more, and a leader has died meanwhile. */
export async function measureRestart(
  stage: Stage,
  population: Population,
  operator: RunningOperator,
  options: StartOptions,
): Promise<{
  readonly figures: readonly Figure[]
  readonly operator: RunningOperator
}> {
  const holders = await population.settle()
  const size = holders.size
  stage.progress.say(`restart: ${size} groups, nothing has changed`)
  await operator[Symbol.asyncDispose]()
  await stage.audit.skip()
  const second = await startOperator(stage, options)
  const acting = (await second.untilActing(stage.signal)) - second.startedAt
  await sleepUntil(clock, clock.now() + WATCHED_MILLIS, stage.signal)
  const writes = (await stage.audit.requests()).filter(isWrite).length
  await second[Symbol.asyncDispose]()

  stage.progress.say(`restart: ${size} groups, one has lost its leader`)
  const [[member, name] = [undefined, '']] = holders
  if (!member) return { figures: [], operator: await startOperator(stage, options) }
  await using pods = await watchCommits(stage.observer, Pods, member.namespace)
  must(await stage.api.delete(Pods, { namespace: member.namespace, name }, { gracePeriodSeconds: 0 }))
  const healed = pods.next('the label on another pod', (commit) => isLabelled(commit, member.group))
  const third = await startOperator(stage, options)
  const toLabel = ((await healed).at - third.startedAt) / 1000
  await population.addPod(member)
  return {
    figures: [
      {
        what: `restart with ${size} groups: exec → all lists complete, acting`,
        unit: 's',
        value: single(acting / 1000),
        goal: atMost(acting / 1000, RESTART_GOAL_SECONDS, 's'),
      },
      {
        what: `restart with ${size} groups: exec → label of a group that lost its leader`,
        unit: 's',
        value: single(toLabel),
        goal: atMost(toLabel, RESTART_GOAL_SECONDS, 's'),
      },
      {
        what: `restart with ${size} groups: writes when nothing changed`,
        unit: 'writes',
        value: single(writes),
        goal: { text: '0', reached: writes === 0 },
      },
    ],
    operator: third,
  }
}
