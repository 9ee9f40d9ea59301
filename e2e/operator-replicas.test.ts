import assert from 'node:assert/strict'
import { systemClock } from '../src/clock.ts'
import { Leases } from '../src/kube/objects.ts'
import { eventually } from './controlplane/eventually.ts'
import { must } from './controlplane/must.ts'
import { adminApi } from './controlplane/shared.ts'
import { openAudit } from './operator-audit.ts'
import { OPERATOR_NAMESPACE, type OperatorProcess, startOperator } from './operator-process.ts'
import { type Scene, keysOn, openScene, readyOf } from './operator-scene.ts'

/** Of the operators' own Lease, by default. */
const LEASE_DURATION_MILLIS = 5_000
const SHORT_LEASE = ['--lease-duration', '2s', '--renew-deadline', '1500ms', '--retry-period', '500ms']
/** For starting again, or for one pass of a busy machine. */
const SLACK_MILLIS = 3_000

describe('operator processes', () => {
  let scene: Scene
  let operators: OperatorProcess[]

  beforeEach(async () => {
    operators = []
    scene = await openScene('replicas')
  })
  afterEach(async function () {
    await scene[Symbol.asyncDispose]()
    for (const operator of operators) {
      if (this.currentTest?.state === 'failed') console.error(`${operator.name}:\n${await operator.logTail()}`)
      await operator.end()
    }
  })

  async function start(name: string, ...args: string[]): Promise<OperatorProcess> {
    const operator = await startOperator({ name, args })
    operators.push(operator)
    return operator
  }

  it('answer probes and a scrape', async () => {
    const operator = await start('operator')
    await scene.createLed()
    assert.deepEqual(await operator.probe('/healthz'), { status: 200, body: 'ok' })
    assert.deepEqual(await operator.probe('/readyz'), { status: 200, body: 'ok' })
    const verbose = await operator.probe('/readyz?verbose')
    assert.equal(verbose?.status, 200)
    for (const check of ['ping', 'leadergroups', 'pods', 'leases']) {
      assert.ok(verbose.body.includes(`[+]${check} ok\n`), `${check} is not in ${verbose.body}`)
      assert.equal((await operator.probe(`/readyz/${check}`))?.status, 200)
    }
    assert.equal((await operator.probe('/readyz/none'))?.status, 404)
    const metrics = await metricsOf(operator)
    assert.ok(valueOf(metrics, 'leader_election_master_status') === 1)
    assert.ok((valueOf(metrics, 'leadergroup_transitions_total') ?? 0) >= 1)
    assert.ok(
      (valueOf(metrics, 'controller_runtime_reconcile_total{controller="leadergroup",result="success"}') ?? 0) > 0,
    )
    assert.ok((valueOf(metrics, 'leadergroup_watch_connected{resource="pods"}') ?? 0) === 1)
    assert.match(metrics, /rest_client_requests_total\{code="200",method="PATCH"/)
    assert.equal(await operator.stop(), 0)
    assert.equal(await operator.probe('/healthz'), undefined)
  })

  it('hand over at once when the one that acts is stopped', async () => {
    const [acting, standby] = await startTwo()
    await scene.createLed()
    const since = systemClock.now()
    assert.equal(await acting.stop(), 0)
    await scene.deletePod('db-0', 0)
    await scene.untilLed('db-1')
    const millis = systemClock.now() - since
    assert.ok(millis < 2_000, `${Math.round(millis)} ms from SIGTERM to the label by the standby`)
    assert.equal((await operatorsLease()).holder, standby.identity)
    await scene.check(2)
  })

  it('take over within a lease duration when the one that acts is killed', async () => {
    const [acting, standby] = await startTwo()
    await scene.createLed()
    const since = systemClock.now()
    await acting.kill()
    await scene.deletePod('db-0', 0)
    await scene.untilLed('db-1')
    const millis = systemClock.now() - since
    assert.ok(millis < LEASE_DURATION_MILLIS + SLACK_MILLIS, `it took ${Math.round(millis)} ms`)
    assert.equal((await operatorsLease()).holder, standby.identity)
    await acting.start()
    await scene.check(2)
  })

  it('do not lead twice when one wakes up that was paused for longer than its Lease', async () => {
    const [acting, standby] = await startTwo(...SHORT_LEASE)
    await scene.createLed()
    acting.pause()
    await scene.deletePod('db-0', 0)
    await scene.untilLed('db-1')
    assert.equal((await operatorsLease()).holder, standby.identity)
    acting.resume()
    await eventually({ what: 'the end of its term' }, async () => {
      const status = valueOf(await metricsOf(acting), 'leader_election_master_status')
      return status === 0 ? true : undefined
    })
    await scene.deletePod('db-1', 0)
    await scene.createPod('db-2')
    await scene.untilLed('db-2')
    await scene.check(3)
  })

  it('take off at their start what a group left that was deleted while none ran', async () => {
    const first = await start('first')
    await scene.createLed()
    assert.equal(await first.stop(), 0)
    await scene.deleteGroup()
    assert.ok((await scene.pods()).every((pod) => keysOn(pod).length > 0))
    await start('second')
    await scene.untilGone()
  })

  it('go on where another one ended, without a write when nothing changed', async () => {
    const first = await start('first')
    await scene.createLed()
    await scene.untilStatus('two eligible pods', ({ eligible }) => eligible === 2)
    assert.equal(await first.stop(), 0)
    const before = (await scene.observer.history()).length
    const second = await start('second')
    await eventually({ what: 'an acting operator' }, async () =>
      valueOf(await metricsOf(second), 'leader_election_master_status') === 1 ? true : undefined,
    )
    // A failover elsewhere shows that it has looked at all there is.
    await using other = await openScene('replicas')
    await other.createLed()
    assert.equal((await scene.observer.history()).length, before)
  })

  it('serve the namespaces that they are told, and look at no other', async () => {
    await scene.createGroup()
    await scene.createPod('db-0')
    const audit = await openAudit()
    await using served = await openScene('replicas')
    const operator = await start('operator', '--namespace', served.namespace)
    await served.createLed()
    assert.equal(await operator.stop(), 0)
    assert.equal(readyOf(await scene.group())?.status, 'Unknown')
    assert.deepEqual(await scene.leaders(), [])
    const asked = new Set((await audit.requests()).map(({ objectRef }) => objectRef?.namespace))
    assert.deepEqual(asked, new Set([served.namespace, OPERATOR_NAMESPACE]))
  })

  it('say what they would do, and do nothing, in a dry run', async () => {
    await scene.createGroup()
    await scene.createPod('db-0')
    const audit = await openAudit()
    const before = (await scene.observer.history()).length
    const operator = await start('operator', '--dry-run')
    await eventually({ what: 'a line in the log' }, async () => {
      const lines = await operator.log()
      return lines.some(({ msg }) => /^dry run: .*would create the Lease/.test(msg)) ? true : undefined
    })
    await scene.createPod('db-1')
    assert.equal(await operator.stop(), 0)
    assert.deepEqual(await audit.writes(), [])
    // The second pod, and its status.
    assert.equal((await scene.observer.history()).length, before + 2)
  })

  /** The first of them acts. */
  async function startTwo(...args: string[]): Promise<[OperatorProcess, OperatorProcess]> {
    const two = await Promise.all([start('operator-a', ...args), start('operator-b', ...args)])
    const { holder } = await eventually({ what: 'an operator that acts' }, async () => {
      const lease = await operatorsLease()
      return two.some(({ identity }) => identity === lease.holder) ? lease : undefined
    })
    const status = await Promise.all(
      two.map(async (each) => valueOf(await metricsOf(each), 'leader_election_master_status') ?? 0),
    )
    assert.ok(status.filter((value) => value === 1).length <= 1, 'both say that they act')
    return two[0].identity === holder ? two : [two[1], two[0]]
  }
})

async function operatorsLease(): Promise<{ readonly holder: string | undefined }> {
  const api = await adminApi()
  const key = { namespace: OPERATOR_NAMESPACE, name: 'leadergroup-operator' }
  const { spec } = must(await api.get(Leases, key))
  return { holder: spec?.holderIdentity ?? undefined }
}

async function metricsOf(operator: OperatorProcess): Promise<string> {
  const response = await fetch(operator.metricsUrl, { signal: AbortSignal.timeout(2_000) })
  assert.equal(response.status, 200)
  return response.text()
}

/** Of the first sample whose name, or name and labels, begin so. */
function valueOf(metrics: string, sample: string): number | undefined {
  const line = metrics.split('\n').find((each) => each.startsWith(sample))
  return line === undefined ? undefined : Number(line.slice(line.lastIndexOf(' ') + 1))
}
