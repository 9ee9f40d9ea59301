import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { systemClock } from '../src/clock.ts'
import { Api } from '../src/kube/api.ts'
import { ConfigMaps, Leases, type Lease } from '../src/kube/objects.ts'
import type { UndiciTransport } from '../src/kube/undici.ts'
import { configMapLock } from '../src/lock/configmap-lock.ts'
import { describeLockContract, LOCK_KINDS } from '../src/lock/contract.ts'
import { Elector } from '../src/lock/elector.ts'
import { LEADER_ANNOTATION, parseLeader } from '../src/lock/leader-annotation.ts'
import { leaseLock } from '../src/lock/lease-lock.ts'
import type { Lock } from '../src/lock/lock.ts'
import { multiLock } from '../src/lock/multi-lock.ts'
import { type Candidates, openCandidates } from './candidates/candidate.ts'
import { needsClientGo } from './candidates/needs-go.ts'
import { checkTerms } from './candidates/terms.ts'
import { Contender } from './contender.ts'
import { eventually } from './controlplane/eventually.ts'
import { must } from './controlplane/must.ts'
import { adminApi, createNamespace, sharedCluster } from './controlplane/shared.ts'

const TIMING = { leaseDurationSeconds: 3, renewDeadlineSeconds: 2, retryPeriodSeconds: 0.5 }
const clock = systemClock
const random = Math.random

describeLockContract('a real control plane', async () => {
  const cluster = await sharedCluster()
  const transport = cluster.transport(cluster.plane.adminToken, 'leadergroup-lock-contract')
  return {
    transport,
    clock,
    namespace: await cluster.createNamespace('locks'),
    advance: (millis) => sleep(millis),
    tearDown: () => transport.close(),
  }
})

/** An elector whose process can be cut off. */
class Stage implements AsyncDisposable {
  readonly contenders: Contender[] = []
  readonly #transport: UndiciTransport
  readonly #cut = new Set<string>()

  constructor(transport: UndiciTransport) {
    this.#transport = transport
  }

  start(identity: string, open: (api: Api) => Lock): Contender {
    const send: UndiciTransport['send'] = (request) =>
      this.#cut.has(identity) ? Promise.reject(new Error('cut off')) : this.#transport.send(request)
    const lock = open(new Api({ send }, clock))
    // What is cut off fails, and is to be heard of by nobody.
    const contender = new Contender(identity, new Elector({ ...TIMING, lock, identity, onError: () => undefined }))
    this.contenders.push(contender)
    return contender
  }

  cutOff(identity: string): void {
    this.#cut.add(identity)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.contenders.map((each) => each.leave()))
    await this.#transport.close()
  }
}

async function openStage(): Promise<Stage> {
  const cluster = await sharedCluster()
  return new Stage(cluster.transport(cluster.plane.adminToken, 'leadergroup-locks'))
}

describe('elections on every lock', function () {
  this.timeout(60_000)
  for (const kind of LOCK_KINDS) {
    it(`one at a time leads on a ${kind.name}: until it leaves, and until it is cut off`, async () => {
      await using stage = await openStage()
      const api = await adminApi()
      const key = { name: 'db', namespace: await createNamespace('locks') }
      if (kind.body) must(await api.create(kind.objects[0]!, key.namespace, { metadata: key, ...kind.body }))
      const start = (identity: string): Contender =>
        stage.start(identity, (own) => kind.open(own, { ...key, clock, random }))
      const a = start('a')
      await a.leads()
      const b = start('b')
      if (kind.bearsEdits) await edits(api, kind.objects[0]!, key)
      await a.leave()
      await b.leads()
      const c = start('c')
      await eventually({ what: 'c follows' }, () => Promise.resolve(b.isLeading || undefined))
      stage.cutOff('b')
      assert.equal(await b.ended(), 'deadline')
      await c.leads()
      const terms = checkTerms([a, b, c])
      assert.deepEqual([terms.map(({ identity }) => identity), a.ends], [['a', 'b', 'c'], ['aborted']])
      const tokens = [a, b, c].map((each) => each.tokens[0]!)
      assert(tokens[0]! < tokens[1]! && tokens[1]! < tokens[2]!, `tokens grow: ${tokens.join()}`)
      assert.deepEqual(
        [b, c].map((each) => each.numbers[0]! - a.numbers[0]!),
        [1, 2],
      )
    })
  }
})

/** More than one in each renewal period, for longer than a lease duration. */
async function edits(
  api: Api,
  resource: (typeof LOCK_KINDS)[number]['objects'][number],
  key: { readonly name: string; readonly namespace: string },
): Promise<void> {
  for (let edit = 1; edit <= 40; edit++) {
    must(await api.mergePatch(resource, key, { metadata: { labels: { edit: `${edit}` } } }))
    await sleep(100)
  }
}

describe('a migration from ConfigMap to Lease, by both locks at a time', function () {
  this.timeout(120_000)
  let candidates: Candidates
  let key: { readonly namespace: string; readonly name: string }
  let api: Api

  before(async function () {
    await needsClientGo(this)
  })
  beforeEach(async () => {
    api = await adminApi()
    key = { namespace: await createNamespace('migration'), name: 'db' }
    candidates = await openCandidates(key.namespace)
  })
  afterEach(() => candidates[Symbol.asyncDispose]())

  const old = (own: Api): Lock => configMapLock(own, { ...key, clock, random })
  const both = (own: Api): Lock => multiLock(old(own), leaseLock(own, { ...key, clock, random }))
  const lease = async (): Promise<Lease> => must(await api.get(Leases, key))
  const holders = async () => {
    const { metadata } = must(await api.get(ConfigMaps, key))
    const { spec } = await lease()
    return [parseLeader(metadata.annotations?.[LEADER_ANNOTATION] ?? '')?.holderIdentity, spec?.holderIdentity]
  }

  it('has one leader at a time: the old lock, both, and client-go on the new one; a gone client-go is outwaited', async () => {
    await using stage = await openStage()
    const first = stage.start('old', old)
    await first.leads()
    const both1 = stage.start('both-1', both)
    const both2 = stage.start('both-2', both)
    await sleepPast(TIMING.leaseDurationSeconds)
    assert.equal(first.isLeading, true, 'both-1 and both-2 wait for it')
    await first.leave()
    const middle = await leaderOf([both1, both2])
    assert.deepEqual(await holders(), [middle.identity, middle.identity])
    must(await api.mergePatch(Leases, key, { metadata: { labels: { kept: 'yes' } } }))

    const go = await candidates.start({ kind: 'client-go', lease: key.name, identity: 'client-go' })
    await sleepPast(TIMING.leaseDurationSeconds)
    assert.equal(go.isLeading, false, 'client-go waits for the Lease')
    await Promise.all([both1.leave(), both2.leave()])
    await go.says('leading')
    const late = stage.start('late', both)
    await sleepPast(2 * TIMING.leaseDurationSeconds)
    assert.deepEqual([go.isLeading, late.terms.length], [true, 0], 'a primary that is released says nothing')
    assert.equal((await holders())[1], 'client-go')

    await go.kill()
    await late.leads()
    assert.deepEqual(await holders(), ['late', 'late'])
    assert.deepEqual((await lease()).metadata.labels, { kept: 'yes' })
    const terms = checkTerms([...stage.contenders, go])
    assert.deepEqual(
      terms
        .map(({ identity }) => identity.replace(/both-\d/, 'both'))
        .filter((each, index, all) => each !== all[index - 1]),
      ['old', 'both', 'client-go', 'late'],
    )
    const tokens = [first, middle, late].map((each) => each.tokens.at(-1)!)
    assert(tokens[0]! < tokens[1]! && tokens[1]! < tokens[2]!, `tokens grow: ${tokens.join()}`)
  })

  it('is taken from both by client-go on the Lease only when they are silent', async () => {
    await using stage = await openStage()
    const both1 = stage.start('both-1', both)
    await both1.leads()
    const go = await candidates.start({ kind: 'client-go', lease: key.name, identity: 'client-go' })
    stage.cutOff('both-1')
    assert.equal(await both1.ended(), 'deadline')
    await go.says('leading')
    assert.deepEqual(await holders(), ['both-1', 'client-go'])
    const both2 = stage.start('both-2', both)
    await go.stop()
    await both2.leads()
    assert.deepEqual(
      checkTerms([both1, both2, go]).map(({ identity }) => identity),
      ['both-1', 'client-go', 'both-2'],
    )
  })
})

const sleepPast = (seconds: number): Promise<void> => sleep(seconds * 1000 + 500)

async function leaderOf(contenders: readonly Contender[]): Promise<Contender> {
  return eventually({ what: 'one of them leads' }, () => Promise.resolve(contenders.find((each) => each.isLeading)))
}
