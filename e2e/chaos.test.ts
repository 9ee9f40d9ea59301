/**
 * Leaders are killed without a pause while the operators are killed and paused. The seed decides who, when and how long;
 * what happens in between is real. `CHAOS_SEED` repeats a choice of faults, `CHAOS_KILLS` sets their number.
 */
import assert from 'node:assert/strict'
import { sleepUntil, systemClock } from '../src/clock.ts'
import { Leases, type Pod, Pods } from '../src/kube/objects.ts'
import { must } from './controlplane/must.ts'
import { type Audit, openAudit } from './operator-audit.ts'
import { type LogLine, OPERATOR_NAMESPACE, type OperatorProcess, startOperator } from './operator-process.ts'
import { type Scene, openScene } from './operator-scene.ts'
import { createPod, setReady } from './pods.ts'

const SEED = Number(process.env['CHAOS_SEED'] ?? Math.trunc(Math.random() * 2 ** 31))
const KILLS = Number(process.env['CHAOS_KILLS'] ?? 200)

/**
 * From the end of a leader to the next: two terms of the operators' own Lease (5 s each: a fault may hit the successor
 * before it has done anything), the start of a process, and as much again for a machine that is busy.
 */
const RECOVERY_MILLIS = 20_000

const GROUPS = ['db', 'queue', 'cache', 'index']
const PODS_EACH = 3

/** What happens to the operators. `both`: one is killed while the other is paused, and nobody is there for a while. */
interface Fault {
  readonly kind: 'kill' | 'pause' | 'both'
  readonly hits: 'acting' | 'other'
  readonly millis: number
}

/** One fault after the other, in this order. */
interface Storm {
  readonly faults: readonly Fault[]
  /** The longest time between two faults, and between a label and the end of the pod that bears it. */
  readonly calmMillis: number
  readonly breathMillis: number
}

describe('chaos', () => {
  const random = randomFrom(SEED)
  let audit: Audit
  let scene: Scene
  let operators: OperatorProcess[]

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
    // A pause of the acting one for longer than its Lease lasts (5 s): it wakes up beside a successor.
    const long = times(2, () => fault('pause', 'acting', 6_000, 8_000))
    const kills = times(2, () => fault('kill', 'acting'))
    const short = times(4, () => fault('pause', either(), 100, 3_000))
    const faults = shuffled([...long, ...kills, ...short, fault('kill', 'other'), fault('both', either(), 500, 3_000)])
    await survive(KILLS, { faults, calmMillis: 800, breathMillis: 700 })
    const terms = await Promise.all(operators.map(async (operator) => timesActed(await operator.log())))
    assert.ok(terms[0]! + terms[1]! >= 1 + long.length, `the faults had no effect: ${terms.join(' and ')} terms`)
  })

  it(`${KILLS / 2} leaders die while two operators act at once, and are killed and paused`, async function () {
    this.timeout(240_000)
    await startTwo('--no-leader-elect')
    // Many short ones: what one had decided is carried out after the other has moved on.
    const short = times(80, () => fault('pause', either(), 5, 120))
    const long = times(5, () => fault('pause', either(), 300, 1_500))
    const faults = shuffled([...short, ...long, fault('kill', either()), fault('kill', either())])
    await survive(KILLS / 2, { faults, calmMillis: 80, breathMillis: 100 })
  })

  async function startTwo(...args: string[]): Promise<void> {
    operators = await Promise.all(['operator-a', 'operator-b'].map((name) => startOperator({ name, args })))
  }

  async function survive(kills: number, storm: Storm): Promise<void> {
    const pods = GROUPS.flatMap((group) =>
      Array.from({ length: PODS_EACH }, (_, index) => [group, `${group}-${index}`]),
    )
    for (const group of GROUPS) await scene.createGroup(group)
    for (const [app = '', name = ''] of pods) await scene.createPod(name, { app })
    const each = Math.ceil(kills / GROUPS.length)
    const failed = new AbortController()
    let isRaging = true
    const raging = rage(storm, failed.signal).finally(() => (isRaging = false))
    const killing = GROUPS.map(async (group) => {
      try {
        return await killLeaders(group, storm.breathMillis, (count) => isRaging || count < each)
      } catch (error) {
        failed.abort(error)
        throw error
      }
    })
    await Promise.allSettled([raging, ...killing])
    const [killed] = await Promise.all([Promise.all(killing), raging])
    const slowest = Math.round(Math.max(...killed.map(({ slowestMillis }) => slowestMillis)))
    const total = killed.reduce((sum, { count }) => sum + count, 0)
    console.log(`      seed ${SEED}: ${total} leaders, the slowest recovery took ${slowest} ms`)
    for (const group of GROUPS) {
      await scene.untilLed(undefined, group, RECOVERY_MILLIS)
      await scene.check(each + 1, group)
    }
    assert.ok((await audit.check()) >= kills * 3)
  }

  /** Again and again: waits for a leader, kills its pod, and gives the group another. */
  async function killLeaders(
    group: string,
    breathMillis: number,
    goesOn: (killed: number) => boolean,
  ): Promise<{ readonly count: number; readonly slowestMillis: number }> {
    const { api, namespace } = scene
    let slowestMillis = 0
    let names = PODS_EACH
    let count = 0
    for (; goesOn(count); count++) {
      const since = systemClock.now()
      const leader = await scene.untilLabelled(group, RECOVERY_MILLIS)
      slowestMillis = Math.max(slowestMillis, systemClock.now() - since)
      const { name, uid } = (random() < 0.5 ? await unseat(group, leader) : leader).metadata
      // Some at once: in the middle of what the operator does upon the label.
      if (random() < 0.7) await sleep(random() * breathMillis)
      must(await api.delete(Pods, { namespace, name }, { gracePeriodSeconds: 0, preconditions: { uid } }))
      const successor = random() < 0.5 ? name : `${group}-${names++}`
      await createPod(api, { namespace, name: successor, labels: { app: group } })
    }
    return { count, slowestMillis }
  }

  /** The leader lives on, and could be labelled by an operator that wakes up late. Resolves to its successor. */
  async function unseat(group: string, leader: Pod): Promise<Pod> {
    const unready = await setReady(scene.api, leader, false)
    const successor = await scene.untilLabelled(group, RECOVERY_MILLIS, leader.metadata.uid)
    await setReady(scene.api, unready, true)
    return successor
  }

  async function rage({ faults, calmMillis }: Storm, signal: AbortSignal): Promise<void> {
    for (const { kind, hits, millis } of faults) {
      await sleep(random() * calmMillis)
      // The killing has failed: the operators are to be whole when the test ends.
      if (signal.aborted) return
      const [target, other] = await aim(hits)
      if (kind === 'pause') target.pause()
      if (kind === 'both') other.pause()
      if (kind !== 'pause') await target.kill()
      await sleep(millis)
      if (kind !== 'pause') await target.start()
      if (kind === 'pause') target.resume()
      if (kind === 'both') other.resume()
    }
  }

  /** The one that is hit, and the other one. */
  async function aim(hits: Fault['hits']): Promise<readonly [OperatorProcess, OperatorProcess]> {
    const [a, b] = operators as [OperatorProcess, OperatorProcess]
    const lease = await scene.api.get(Leases, { namespace: OPERATOR_NAMESPACE, name: 'leadergroup-operator' })
    const holder = lease.kind === 'ok' ? lease.object.spec?.holderIdentity : undefined
    return (holder === b.identity) === (hits === 'acting') ? [b, a] : [a, b]
  }

  function fault(kind: Fault['kind'], hits: Fault['hits'], fromMillis = 0, toMillis = 0): Fault {
    return { kind, hits, millis: fromMillis + random() * (toMillis - fromMillis) }
  }

  function either(): Fault['hits'] {
    return random() < 0.7 ? 'acting' : 'other'
  }

  function shuffled(faults: readonly Fault[]): readonly Fault[] {
    return faults
      .map((fault) => ({ fault, at: random() }))
      .toSorted((x, y) => x.at - y.at)
      .map(({ fault }) => fault)
  }
})

function times<T>(count: number, make: () => T): T[] {
  return Array.from({ length: count }, make)
}

function timesActed(log: readonly LogLine[]): number {
  return log.filter(({ msg }) => msg === 'this replica acts').length
}

function sleep(millis: number): Promise<void> {
  return sleepUntil(systemClock, systemClock.now() + millis, new AbortController().signal)
}

/** Mulberry32: uniform in [0, 1). */
function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
