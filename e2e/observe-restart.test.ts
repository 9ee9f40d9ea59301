import assert from 'node:assert/strict'
import { sleepUntil, systemClock } from '../src/clock.ts'
import { needsClientGo } from './candidates/needs-go.ts'
import { restartedContainer } from './container-status.ts'
import { FollowedGroup, LASTING } from './followed-group.ts'
import { observeSuite, observedWell } from './observe-suite.ts'
import { isLabelled } from './operator-scene.ts'
import { showContainers } from './pods.ts'

const SHORT_LEASE = ['--lease-duration', '2s', '--renew-deadline', '1500ms', '--retry-period', '500ms']
/** From the release of a Lease on: the whole way to the next label takes some tens of them. */
const MOMENTS_MILLIS = [0, 8, 20, 60]

describe('a group in mode Observe, when the operator starts again', () => {
  const suite = observeSuite(...SHORT_LEASE)
  const group = (name: string): FollowedGroup => new FollowedGroup(suite, name)

  before(async function () {
    await needsClientGo(this)
  })

  it('keeps its leader without a write', async () => {
    const it = await group('stands').create()
    const { pod } = await it.led({ timing: LASTING }, [{ timing: LASTING }])
    const term = await it.untilLed(pod)
    await suite.scene.untilStatus('two eligible pods', ({ eligible }) => eligible === 2, it.name)
    assert.equal(await suite.operator.stop(), 0)
    const before = await written()
    await suite.operator.start()
    // It has looked at all there is.
    const other = await group('other').create()
    await other.led({ timing: LASTING }, [])
    assert.deepEqual(await written(), before)
    assert.equal(await it.untilLed(pod), term)
    assert.deepEqual((await it.check()).leaders, [pod.metadata.name])

    /** Versions of the group and its pods. */
    async function written(): Promise<readonly string[]> {
      const history = await suite.scene.observer.history()
      const own = history.filter(({ kind, object }) => kind !== 'lease' && object.metadata.name.startsWith('stands'))
      return own.map(({ version, object }) => `${version} ${JSON.stringify(object)}`)
    }
  })

  it('keeps a leader that is silent, but gives the label to none that was not seen to renew', async () => {
    const standing = await group('silent').create()
    const silent = await standing.led({ timing: LASTING }, [{ timing: LASTING }])
    const { lease } = await standing.crash(silent)
    assert.equal(await suite.operator.stop(), 0)
    const unproven = await group('unproven').create()
    const unseen = await unproven.join({ timing: LASTING })
    await unseen.candidate.says('leading')
    await unseen.candidate.kill()
    await suite.operator.start()
    await unproven.untilSaid('False', 'HolderUnproven')
    await standing.stays(silent, lease)
    await unproven.contend(unseen.pod, { timing: LASTING })
    await unproven.untilLed(unseen.pod)
    await standing.check()
    await unproven.check()
  })

  it('takes the label off a holder that died meanwhile, and leaves its Lease', async () => {
    const it = await group('meanwhile').create({ failover: { releaseDeadHolder: true } })
    const first = await it.led({ timing: LASTING }, [{ timing: LASTING }])
    assert.equal(await suite.operator.stop(), 0)
    const end = await it.crash(first)
    await showContainers(suite.scene.api, first.pod, restartedContainer('main', end))
    await suite.operator.start()
    await it.untilSaid('False', 'HolderDead')
    await it.passed()
    await it.isUntouched(end.lease)
    assert.deepEqual((await it.check()).emptied, [])
  })

  it('follows the next leader, and leaves no label on the last, when the Lease moved meanwhile', async () => {
    const it = await group('moved').create()
    const first = await it.led({ timing: LASTING }, [{ timing: LASTING }])
    assert.equal(await suite.operator.stop(), 0)
    await it.leave(first)
    assert.equal(isLabelled(await suite.scene.pod(first.pod.metadata.name), it.name), true)
    await suite.operator.start()
    await it.untilNext(first)
    await it.check()
  })

  it('never labels two, at whatever moment of a hand-over it is killed', async () => {
    const it = await group('killed').create()
    let leader = await it.led({ timing: LASTING }, [{ timing: LASTING }, { timing: LASTING }])
    for (const millis of MOMENTS_MILLIS) {
      await it.untilRenewed()
      const stopping = leader.candidate.stop()
      await sleepUntil(systemClock, systemClock.now() + millis, new AbortController().signal)
      await suite.operator.kill()
      await stopping
      const { pod } = leader
      await suite.operator.start()
      leader = await it.untilNext()
      const { candidate } = await it.contend(pod, { timing: LASTING })
      await candidate.says('newLeader')
    }
    const { leaders } = await it.check()
    assert.ok(leaders.length > MOMENTS_MILLIS.length, `${leaders.length} labels in ${MOMENTS_MILLIS.length} hand-overs`)
  })

  observedWell(suite, { writes: 30 })
})
