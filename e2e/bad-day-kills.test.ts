import assert from 'node:assert/strict'
import type { Pod } from '../src/kube/objects.ts'
import { eventually } from './controlplane/eventually.ts'
import { sharedCluster } from './controlplane/shared.ts'
import { type OperatorProcess, startOperator } from './operator-process.ts'
import { type Scene, openScene, stampOf } from './operator-scene.ts'
import { type Tap, openTap } from './tap.ts'

const PORTS = [{ name: 'sql', port: 5432 }]
const SERVICES = [
  { name: 'db', role: 'Leader', ports: PORTS },
  { name: 'db-ro', role: 'Follower', ports: PORTS },
]

/** With the start of a process, on a machine that is busy. */
const FAILOVER_MILLIS = 30_000
/** Longer than the operator waits with what may wait in status. */
const QUIET_MILLIS = 1500
/** Far more than a failover needs: it is rather a loop. */
const MOST_WRITES = 30

interface Failover {
  readonly what: string
  readonly spec: object
  /** Ends the leader; resolves to who is there to lead in its stead. */
  readonly lose: (scene: Scene, leader: string) => Promise<void>
  /** At least so many writes are part of it. */
  readonly writes: number
}

const unready = (scene: Scene, leader: string): Promise<void> => scene.setReady(leader, false)
async function recreated(scene: Scene, leader: string): Promise<void> {
  await scene.deletePod(leader, 0)
  await scene.createPod(leader)
}

const FAILOVERS: readonly Failover[] = [
  // Seal, gate, label, status.
  { what: 'from a leader that is not ready', spec: {}, lose: unready, writes: 4 },
  // And the slices of the leader and of the followers.
  {
    what: 'from a leader that is not ready, with Services',
    spec: { services: SERVICES, labelFollowers: true },
    lose: unready,
    writes: 6,
  },
  // No seal; the enrolment of the new pod may be among them.
  {
    what: 'from a leader that is recreated under its name, with Services',
    spec: { services: SERVICES },
    lose: recreated,
    writes: 5,
  },
]

describe('a bad day: the operator is killed after each of its writes', function () {
  this.timeout(180_000)
  const runs: Promise<number>[] = []
  // Most of the time is that of processes which start: so the failovers run beside each other.
  before(async () => {
    await sharedCluster()
    for (const failover of FAILOVERS) {
      const run = killAfterEach(failover)
      run.catch(() => undefined)
      runs.push(run)
    }
  })
  after(() => Promise.allSettled(runs))

  for (const [index, { what, writes }] of FAILOVERS.entries()) {
    it(`of a failover ${what}, and the next one goes on`, async () => {
      const killed = await runs[index]!
      assert.ok(killed >= writes, `it was killed ${killed} times`)
    })
  }
})

/** Resolves to how many writes a failover has. */
async function killAfterEach({ what, spec, lose }: Failover): Promise<number> {
  await using scene = await openScene('kills')
  await using tap = await openTap(await sharedCluster())
  const args = ['--no-leader-elect', '--namespace', scene.namespace]
  await using operator = await startOperator({ name: 'killed', args, kubeconfig: await tap.kubeconfig() })
  await scene.createLed(['db-0', 'db-1'], spec)
  for (let count = 1; count <= MOST_WRITES; count++) {
    const leader = await untilAtRest(scene)
    const killing = killAt(count, tap, operator)
    await lose(scene, leader.metadata.name)
    const over = `${scene.namespace}: a failover ${what}, killed after write ${count}`
    const end = await eventually({ what: over, millis: FAILOVER_MILLIS }, async () => {
      if (killing.begun) return 'killed'
      const isOver = tap.quietMillis > QUIET_MILLIS && (await isLedAnew(scene, leader.metadata.uid))
      return isOver ? 'over' : undefined
    })
    if (end === 'over') {
      await scene.check(count)
      return count - 1
    }
    await killing.done
    // It remembers nothing, so it is as good as another one.
    await operator.start()
    const goesOn = `${scene.namespace}: the next one goes on after write ${count}`
    await eventually({ what: goesOn, millis: FAILOVER_MILLIS }, () => isLedAnew(scene, leader.metadata.uid))
    await scene.setReady(leader.metadata.name, true)
  }
  throw new Error(`a failover of more than ${MOST_WRITES} writes:\n${await operator.logTail(100)}`)
}

interface Killing {
  begun: boolean
  readonly done: Promise<void>
}

/** Kills the operator when this write has taken effect, before it hears of it. */
function killAt(count: number, tap: Tap, operator: OperatorProcess): Killing {
  const { promise: done, resolve, reject } = Promise.withResolvers<void>()
  const killing: Killing = { begun: false, done }
  done.catch(() => undefined)
  let writes = 0
  tap.onWrite = async () => {
    if (++writes !== count) return
    killing.begun = true
    tap.cut()
    tap.onWrite = () => Promise.resolve()
    await operator.kill().then(resolve, reject)
  }
  return killing
}

/** Until there is nothing left to write: the leader stands, the other pod could follow, and status says so. */
function untilAtRest(scene: Scene): Promise<Pod> {
  return eventually({ what: `${scene.namespace}: rest`, millis: FAILOVER_MILLIS }, async () => {
    const leader = await isLedAnew(scene)
    const { status } = await scene.group()
    const enrolled = (await scene.pods()).every((pod) => stampOf(pod) !== undefined)
    return enrolled && status?.eligible === 2 ? leader : undefined
  })
}

/** The leader, if it is not `than`, and pods, Lease, status and slices agree about it. */
async function isLedAnew(scene: Scene, than?: string): Promise<Pod | undefined> {
  const leader = await scene.led()
  if (!leader || leader.metadata.uid === than) return undefined
  if ((await scene.group()).spec.services === undefined) return leader
  const others = (await scene.pods()).filter(({ metadata }) => metadata.uid !== leader.metadata.uid)
  const names = others.map(({ metadata }) => metadata.name).join()
  const [behind, besides] = [await scene.podsBehind('db'), await scene.podsBehind('db-ro')]
  return behind.join() === leader.metadata.name && besides.join() === names ? leader : undefined
}
