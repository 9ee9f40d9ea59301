import assert from 'node:assert/strict'
import { microTime } from '../election/micro-time.ts'
import { Leases, Pods, type Lease } from '../kube/objects.ts'
import { NAMESPACE, Rig } from './fixtures.ts'
import { LeaderGroups } from './resources.ts'

const KEY = { namespace: NAMESPACE, name: 'db' }

/** Pods that elect among themselves on the Lease `db`, played by hand, and an operator that follows. */
class Stage extends Rig {
  async open(spec: object = {}): Promise<void> {
    this.start('op', { elect: false })
    await this.createGroup('db', { mode: 'Observe', ...spec })
    for (const name of ['db-0', 'db-1']) await this.createPod(name)
    await this.rest()
  }

  /** Lets everything that is due happen, and the interval of status pass. */
  async rest(millis = 1500): Promise<void> {
    await this.clock.advance(millis)
  }

  now(): string {
    return microTime(this.clock.wallNow())
  }

  /** As client-go writes it. */
  async acquire(holderIdentity: string, leaseDurationSeconds = 15): Promise<void> {
    const found = await this.found()
    const spec = {
      holderIdentity,
      leaseDurationSeconds,
      acquireTime: this.now(),
      renewTime: this.now(),
      leaseTransitions: found ? (found.spec?.leaseTransitions ?? 0) + 1 : 0,
    }
    if (found) await this.ok(this.api.mergePatch(Leases, KEY, { spec }))
    else await this.ok(this.api.create(Leases, NAMESPACE, { metadata: { name: 'db' }, spec }))
    await this.rest()
  }

  async renew(): Promise<void> {
    await this.ok(this.api.mergePatch(Leases, KEY, { spec: { renewTime: this.now() } }))
    await this.rest()
  }

  async release(): Promise<void> {
    const spec = { holderIdentity: '', leaseDurationSeconds: 1, acquireTime: this.now(), renewTime: this.now() }
    await this.ok(this.api.mergePatch(Leases, KEY, { spec }))
    await this.rest()
  }

  async found(): Promise<Lease | undefined> {
    const outcome = await this.clock.settle().then(() => this.api.get(Leases, KEY))
    return outcome.kind === 'ok' ? outcome.object : undefined
  }

  /** Its container ended at this second, and runs again. */
  async crash(name: string, finishedAt: string): Promise<void> {
    const containerStatuses = [
      {
        name: 'db',
        state: { running: { startedAt: finishedAt } },
        lastState: { terminated: { exitCode: 137, reason: 'Error', finishedAt } },
        restartCount: 1,
      },
    ]
    await this.status(name, { containerStatuses })
  }

  async status(name: string, status: object): Promise<void> {
    await this.ok(this.api.mergePatch(Pods, { namespace: NAMESPACE, name }, { status }, { subresource: 'status' }))
    await this.rest()
  }

  async story(): Promise<string> {
    const { status } = await this.group()
    const ready = status?.conditions?.find(({ type }) => type === 'Ready')
    const labelled = await this.labelled()
    return `${labelled.join() || '-'}: ${status?.holder ?? '-'} term ${status?.term} ${ready?.status} ${ready?.reason}`
  }
}

describe('operator, mode Observe', () => {
  let stage: Stage
  /** The test itself has put a second label on. */
  let foreign: boolean
  beforeEach(() => {
    stage = new Stage()
    foreign = false
  })
  afterEach(async () => {
    assert.ok(stage.mostLabels() <= (foreign ? 2 : 1))
    await stage.end()
  })

  it('follows a Lease from holder to holder', async () => {
    await stage.open()
    assert.equal(await stage.story(), '-: - term 1 False LeaseMissing')
    await stage.acquire('db-0')
    assert.equal(await stage.story(), 'db-0: db-0 term 2 True LeaderElected')
    await stage.acquire('db-1_7f3a')
    assert.equal(await stage.story(), 'db-1: db-1 term 3 True LeaderElected')
    await stage.release()
    assert.equal(await stage.story(), '-: - term 3 False LeaseReleased')
    await stage.acquire('db-1_7f3a')
    assert.equal(await stage.story(), 'db-1: db-1 term 4 True LeaderElected')
    await stage.acquire('somebody')
    assert.equal(await stage.story(), '-: - term 4 False HolderUnknown')
  })

  it('says in status what the Lease says', async () => {
    await stage.open()
    await stage.acquire('db-0')
    await stage.acquire('db-1_7f3a')
    const lease = await stage.found()
    const { status } = await stage.group()
    assert.ok(status)
    const { conditions: _, history, gate, leaseVersion, ...rest } = status
    assert.deepEqual(rest, {
      observedGeneration: 1,
      holder: 'db-1',
      holderUID: status.holderUID,
      holderIdentity: 'db-1_7f3a',
      acquireTime: lease?.spec?.acquireTime,
      transitions: 1,
      term: 3,
      candidates: 2,
      eligible: 2,
      leaseName: 'db',
    })
    assert.equal(gate, `db-1_${status.holderUID}/${(await stage.group()).metadata.uid}/3`)
    assert.equal(leaseVersion, `${lease?.metadata.uid}/${lease?.metadata.resourceVersion}`)
    assert.deepEqual(
      history?.map(({ holder, term, reason }) => [holder, term, reason]),
      [
        ['db-1', 3, undefined],
        ['db-0', 2, 'LeaseChanged'],
      ],
    )
  })

  it('writes nothing while its holder renews', async () => {
    await stage.open()
    await stage.acquire('db-0')
    const before = stage.writesOf('op')
    for (let i = 0; i < 20; i++) await stage.renew()
    assert.equal(stage.writesOf('op'), before)
  })

  it('takes the label off when the record has not changed for its duration, and not before', async () => {
    await stage.open()
    await stage.acquire('db-0')
    await stage.renew()
    await stage.rest(13_000)
    assert.equal(await stage.story(), 'db-0: db-0 term 2 True LeaderElected')
    await stage.rest(2000)
    assert.equal(await stage.story(), '-: - term 2 False LeaseExpired')
    await stage.renew()
    assert.equal(await stage.story(), 'db-0: db-0 term 3 True LeaderElected')
  })

  it('takes the label off when the Lease is deleted, and follows the next one', async () => {
    await stage.open()
    await stage.acquire('db-0')
    await stage.ok(stage.api.delete(Leases, KEY))
    await stage.rest()
    assert.equal(await stage.story(), '-: - term 2 False LeaseMissing')
    await stage.acquire('db-1')
    assert.equal(await stage.story(), 'db-1: db-1 term 3 True LeaderElected')
  })

  it('leaves the Lease alone: no owner, no annotation, no write', async () => {
    await stage.open()
    await stage.acquire('db-0')
    const before = await stage.found()
    await stage.rest(60_000)
    assert.deepEqual(await stage.found(), before)
    assert.deepEqual([before?.metadata.ownerReferences, before?.metadata.annotations], [undefined, undefined])
  })

  it('keeps a label that stands when it starts again, and gives a new one only after a renewal', async () => {
    await stage.open()
    await stage.acquire('db-0')
    await stage.renew()
    const first = stage.writesOf('op')
    stage.start('op2', { elect: false })
    await stage.rest()
    assert.deepEqual([stage.writesOf('op'), stage.writesOf('op2')], [first, 0])
    assert.equal(await stage.story(), 'db-0: db-0 term 2 True LeaderElected')
  })

  it('takes a Lease of a group in mode Assign for what it is', async () => {
    await stage.createGroup('web', { leaseName: 'db', selector: { matchLabels: { app: 'db' } } })
    await stage.open()
    const { status } = await stage.group()
    assert.match(JSON.stringify(status?.conditions), /LeaseHeldByAnother.*belongs to LeaderGroup web/)
  })

  describe('on proof of death', () => {
    it('takes the label off at once, and waits for the Lease to expire', async () => {
      await stage.open()
      await stage.acquire('db-0')
      await stage.rest(3000)
      await stage.crash('db-0', wholeSecond(stage.now()))
      assert.equal(await stage.story(), '-: - term 2 False HolderDead')
      assert.equal((await stage.found())?.spec?.holderIdentity, 'db-0')
    })

    it('empties the holder, and nothing else, where it is told to', async () => {
      await stage.open({ failover: { releaseDeadHolder: true } })
      await stage.acquire('db-0')
      await stage.renew()
      const before = await stage.found()
      await stage.rest(3000)
      await stage.crash('db-0', wholeSecond(stage.now()))
      const after = await stage.found()
      assert.deepEqual(after?.spec, { ...before?.spec, holderIdentity: '' })
      assert.equal(await stage.story(), '-: - term 2 False LeaseReleased')
      await stage.acquire('db-1')
      assert.equal(await stage.story(), 'db-1: db-1 term 3 True LeaderElected')
    })

    it('knows the last state of a pod that was deleted', async () => {
      await stage.open({ failover: { releaseDeadHolder: true } })
      await stage.acquire('db-0')
      await stage.rest(3000)
      const finishedAt = wholeSecond(stage.now())
      const containerStatuses = [
        { name: 'db', state: { terminated: { exitCode: 0, reason: 'Completed', finishedAt } } },
      ]
      const status = { phase: 'Succeeded', containerStatuses }
      await stage.ok(
        stage.api.mergePatch(Pods, { namespace: NAMESPACE, name: 'db-0' }, { status }, { subresource: 'status' }),
      )
      await stage.deletePod('db-0')
      await stage.rest()
      assert.equal((await stage.found())?.spec?.holderIdentity, '')
    })

    it('leaves the Lease alone after a force delete: the process may live on', async () => {
      await stage.open({ failover: { releaseDeadHolder: true } })
      await stage.acquire('db-0')
      await stage.rest(3000)
      await stage.deletePod('db-0')
      await stage.rest()
      assert.equal((await stage.found())?.spec?.holderIdentity, 'db-0')
      assert.equal(await stage.story(), '-: - term 2 False HolderUnknown')
    })
  })

  it('comes to rest when status is wiped, and no term comes again', async () => {
    await stage.open()
    await stage.acquire('db-0')
    await stage.ok(
      stage.api.mergePatch(
        LeaderGroups,
        KEY,
        { status: { gate: null, term: null, holder: null, holderUID: null } },
        { subresource: 'status' },
      ),
    )
    await stage.renew()
    assert.match(await stage.story(), /^db-0: db-0 term [4-9] True LeaderElected$/)
  })

  it('puts a label back that somebody took off, in a new term', async () => {
    await stage.open()
    await stage.acquire('db-0')
    const labels = { 'db.leadergroup.io/role': null }
    await stage.ok(stage.api.mergePatch(Pods, { namespace: NAMESPACE, name: 'db-0' }, { metadata: { labels } }))
    await stage.renew()
    assert.equal(await stage.story(), 'db-0: db-0 term 3 True LeaderElected')
  })

  it('takes a foreign label off', async () => {
    await stage.open()
    await stage.acquire('db-0')
    const labels = { 'db.leadergroup.io/role': 'leader' }
    stage.start('op2', { elect: false })
    await stage.ok(stage.api.mergePatch(Pods, { namespace: NAMESPACE, name: 'db-1' }, { metadata: { labels } }))
    await stage.rest()
    assert.equal(await stage.story(), 'db-0: db-0 term 2 True LeaderElected')
    foreign = true
  })
})

function wholeSecond(time: string): string {
  return `${time.slice(0, 'YYYY-MM-DDTHH:MM:SS'.length)}Z`
}
