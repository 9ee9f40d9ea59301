/**
 * Leaders are killed without a pause while the operators are killed and paused. The seed decides who, when and how long;
 * what happens in between is real. `CHAOS_SEED` repeats a choice of faults, `CHAOS_KILLS` sets their number.
 */
import assert from 'node:assert/strict'
import { systemClock } from '../src/clock.ts'
import { type Pod, Pods } from '../src/kube/objects.ts'
import { must } from './controlplane/must.ts'
import { Electorate } from './electorate.ts'
import { type Audit, openAudit } from './operator-audit.ts'
import { type LogLine, type OperatorProcess, startOperator } from './operator-process.ts'
import { type Scene, openScene } from './operator-scene.ts'
import { createPod, setReady } from './pods.ts'
import { Dice, type Fault, LONG_PAUSES, rage, sleep, type Storm, times } from './storm.ts'

const SEED = Number(process.env['CHAOS_SEED'] ?? Math.trunc(Math.random() * 2 ** 31))
const KILLS = Number(process.env['CHAOS_KILLS'] ?? 200)
/** Each takes the time of an election on a Lease. */
const OBSERVED_KILLS = Math.ceil(KILLS / 4)

/**
 * From the end of a leader to the next: two terms of the operators' own Lease (5 s each: a fault may hit the successor
 * before it has done anything), the start of a process, and as much again for a machine that is busy.
 */
const RECOVERY_MILLIS = 20_000

const GROUPS = ['db', 'queue', 'cache', 'index']
const PODS_EACH = 3

/** `breathMillis`: the longest time between a label and the end of the pod that bears it. */
interface Trial extends Storm {
  readonly breathMillis: number
}

/** How the leader of a group ends, and another one can follow. */
type Ending = (group: string, leader: Pod, breathMillis: number) => Promise<void>

describe('chaos', () => {
  const dice = new Dice(SEED)
  const { random } = dice
  let audit: Audit
  let scene: Scene
  let operators: OperatorProcess[]
  /** For pods of names that were not there before. */
  let names = PODS_EACH

  beforeEach(async () => {
    operators = []
    audit = await openAudit()
    scene = await openScene('chaos')
  })
  afterEach(async function () {
    await scene[Symbol.asyncDispose]()
    if (this.currentTest?.state === 'failed') console.error(`CHAOS_SEED=${SEED} ${scene.namespace}`)
    for (const operator of operators) {
      if (this.currentTest?.state === 'failed') console.error(`${operator.name}:\n${await operator.logTail(200)}`)
      await operator.end()
    }
  })

  it(`${KILLS} leaders die while two operators are killed and paused`, async function () {
    this.timeout(240_000)
    await startTwo()
    await survive(KILLS, endPod, { faults: dice.weather(), calmMillis: 800, breathMillis: 700 })
    await bothActed()
  })

  it(`${KILLS / 2} leaders die while two operators act at once, and are killed and paused`, async function () {
    this.timeout(240_000)
    await startTwo('--no-leader-elect')
    // Many short ones: what one had decided is carried out after the other has moved on.
    await survive(KILLS / 2, endPod, { faults: showers(), calmMillis: 80, breathMillis: 100 })
  })

  describe('where the pods elect among themselves', () => {
    let electorates: Map<string, Electorate>

    beforeEach(() => {
      electorates = new Map(GROUPS.map((group) => [group, new Electorate(scene.api, group)]))
    })
    afterEach(async () => {
      for (const electorate of electorates.values()) await electorate[Symbol.asyncDispose]()
    })

    const endElector: Ending = async (group, leader, breathMillis) => {
      const electorate = electorates.get(group)!
      await sleep(random() * breathMillis)
      const { name, uid } = leader.metadata
      // Most stop and let another one follow at once; a dead one's Lease has to expire.
      if (random() < 0.7) {
        await electorate.giveWay(leader)
        return await scene.untilOver(leader, group, RECOVERY_MILLIS)
      }
      await electorate.kill(uid)
      electorate.join(await replace(group, leader, name))
    }

    it(`${OBSERVED_KILLS} leaders end while two operators are killed and paused`, async function () {
      this.timeout(240_000)
      await startTwo()
      const trial = { faults: dice.weather(), calmMillis: 800, breathMillis: 700 }
      await survive(OBSERVED_KILLS, endElector, trial, electorates)
      await bothActed()
    })

    it(`${OBSERVED_KILLS} leaders end while two operators act at once, and are killed and paused`, async function () {
      this.timeout(240_000)
      await startTwo('--no-leader-elect')
      const trial = { faults: showers(), calmMillis: 80, breathMillis: 300 }
      await survive(OBSERVED_KILLS, endElector, trial, electorates)
    })
  })

  /** Many short ones: what one operator had decided is carried out after the other has moved on. */
  function showers(): readonly Fault[] {
    const short = times(80, () => dice.fault('pause', dice.either(), 5, 120))
    const long = times(5, () => dice.fault('pause', dice.either(), 300, 1_500))
    return dice.shuffled([...short, ...long, ...times(2, () => dice.fault('kill', dice.either()))])
  }

  async function bothActed(): Promise<void> {
    const terms = await Promise.all(operators.map(async (operator) => timesActed(await operator.log())))
    assert.ok(terms[0]! + terms[1]! >= 1 + LONG_PAUSES, `the faults had no effect: ${terms.join(' and ')} terms`)
  }

  async function startTwo(...args: string[]): Promise<void> {
    operators = await Promise.all(['operator-a', 'operator-b'].map((name) => startOperator({ name, args })))
  }

  async function survive(
    kills: number,
    end: Ending,
    { breathMillis, ...storm }: Trial,
    electorates?: ReadonlyMap<string, Electorate>,
  ): Promise<void> {
    for (const group of GROUPS) {
      await scene.createGroup(group, electorates ? { mode: 'Observe' } : {})
      for (let index = 0; index < PODS_EACH; index++) {
        const pod = await scene.createPod(`${group}-${index}`, { app: group })
        electorates?.get(group)?.join(pod)
      }
    }
    const each = Math.ceil(kills / GROUPS.length)
    const failed = new AbortController()
    let isRaging = true
    const raging = rage(operators, storm, { api: scene.api, dice, signal: failed.signal }).finally(
      () => (isRaging = false),
    )
    const ending = GROUPS.map(async (group) => {
      try {
        return await endLeaders(
          group,
          (leader) => end(group, leader, breathMillis),
          (count) => isRaging || count < each,
        )
      } catch (error) {
        failed.abort(error)
        throw error
      }
    })
    await Promise.allSettled([raging, ...ending])
    const [ended] = await Promise.all([Promise.all(ending), raging])
    const slowest = Math.round(Math.max(...ended.map(({ slowestMillis }) => slowestMillis)))
    const total = ended.reduce((sum, { count }) => sum + count, 0)
    console.log(`      seed ${SEED}: ${total} leaders, the slowest recovery took ${slowest} ms`)
    for (const group of GROUPS) {
      await scene.untilLabelled(group, RECOVERY_MILLIS)
      await scene.untilCondition('True', 'LeaderElected', group)
      await scene.check(each + 1, group)
    }
    assert.ok((await audit.check()) >= kills * 3)
  }

  /** Again and again: waits for a leader, ends it, and gives the group another. */
  async function endLeaders(
    group: string,
    end: (leader: Pod) => Promise<void>,
    goesOn: (ended: number) => boolean,
  ): Promise<{ readonly count: number; readonly slowestMillis: number }> {
    let slowestMillis = 0
    let count = 0
    for (; goesOn(count); count++) {
      const since = systemClock.now()
      const leader = await scene.untilLabelled(group, RECOVERY_MILLIS)
      slowestMillis = Math.max(slowestMillis, systemClock.now() - since)
      await end(leader)
    }
    return { count, slowestMillis }
  }

  async function endPod(group: string, labelled: Pod, breathMillis: number): Promise<void> {
    const leader = random() < 0.5 ? await unseat(group, labelled) : labelled
    // Some at once: in the middle of what the operator does upon the label.
    if (random() < 0.7) await sleep(random() * breathMillis)
    await replace(group, leader, random() < 0.5 ? leader.metadata.name : `${group}-${names++}`)
  }

  async function replace(group: string, { metadata: { name, uid } }: Pod, successor: string): Promise<Pod> {
    const { api, namespace } = scene
    must(await api.delete(Pods, { namespace, name }, { gracePeriodSeconds: 0, preconditions: { uid } }))
    return createPod(api, { namespace, name: successor, labels: { app: group } })
  }

  /** The leader lives on, and could be labelled by an operator that wakes up late. Resolves to its successor. */
  async function unseat(group: string, leader: Pod): Promise<Pod> {
    const unready = await setReady(scene.api, leader, false)
    const successor = await scene.untilLabelled(group, RECOVERY_MILLIS, leader.metadata.uid)
    await setReady(scene.api, unready, true)
    return successor
  }
})

function timesActed(log: readonly LogLine[]): number {
  return log.filter(({ msg }) => msg === 'this replica acts').length
}
