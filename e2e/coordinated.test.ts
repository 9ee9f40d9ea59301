import assert from 'node:assert/strict'
import { systemClock } from '../src/clock.ts'
import { Api } from '../src/kube/api.ts'
import { type Lease, LeaseCandidates, Leases } from '../src/kube/objects.ts'
import type { UndiciTransport } from '../src/kube/undici.ts'
import { coordinated } from '../src/lock/coordinated.ts'
import type { ElectionError } from '../src/lock/errors.ts'
import { checkTerms } from './candidates/terms.ts'
import { Contender } from './contender.ts'
import { type Cluster, Namespaces, openCluster } from './controlplane/cluster.ts'
import { eventually } from './controlplane/eventually.ts'
import { must } from './controlplane/must.ts'
import { sharedCluster } from './controlplane/shared.ts'

const TIMING = { leaseDurationSeconds: 5, renewDeadlineSeconds: 3, retryPeriodSeconds: 0.5 }
const STRATEGY = 'OldestEmulationVersion'

/** For so long a candidate counts as alive. */
const ELECTION_MILLIS = 5_000

/** The coordinator looks every five seconds, and gives candidates five to answer. */
describe('coordinated election, with the coordinator of the API server', function () {
  this.timeout(120_000)
  let cluster: Cluster
  let transport: UndiciTransport
  let key: { readonly namespace: string; readonly name: string }
  const contenders: Contender[] = []
  const errors: ElectionError[] = []
  const cut = new Set<string>()
  let count = 0

  before(async () => {
    cluster = await openCluster({
      controllerManager: false,
      featureGates: { CoordinatedLeaderElection: true },
      extraApiServerArgs: ['--runtime-config=coordination.k8s.io/v1beta1=true'],
    })
    transport = cluster.transport(cluster.plane.adminToken, 'coordinated')
  })
  beforeEach(async () => {
    key = { namespace: `coordinated-${(count += 1)}`, name: 'db' }
    must(await cluster.api.create(Namespaces, undefined, { metadata: { name: key.namespace } }))
    errors.length = 0
  })
  afterEach(async () => {
    await Promise.all(contenders.splice(0).map((each) => each.leave()))
    assert.deepEqual(
      errors.map(({ message }) => message),
      [],
    )
  })
  after(async () => {
    await transport?.close()
    await cluster?.[Symbol.asyncDispose]()
  })

  function stand(identity: string, binaryVersion: string, emulationVersion = binaryVersion): Contender {
    const send: UndiciTransport['send'] = (request) =>
      cut.has(identity) ? Promise.reject(new Error('cut off')) : transport.send(request)
    const api = new Api({ send }, systemClock)
    // What is cut off fails, and is to be heard of by nobody.
    const onError = (error: ElectionError): void => void (cut.has(identity) || errors.push(error))
    const elector = coordinated(api, { ...key, ...TIMING, identity, binaryVersion, emulationVersion, onError })
    const contender = new Contender(identity, elector)
    contenders.push(contender)
    return contender
  }

  const lease = async (): Promise<Lease> => must(await cluster.api.get(Leases, key))
  const candidate = async (name: string) => cluster.api.get(LeaseCandidates, { ...key, name })

  it('names the one candidate, which renews what it was given', async () => {
    const a = stand('Pod_a.1', '1.2.0')
    await a.leads()
    const found = must(await candidate('Pod_a.1'))
    const { binaryVersion, emulationVersion, strategy, leaseName } = found.spec!
    assert.deepEqual([binaryVersion, emulationVersion, strategy, leaseName], ['1.2.0', '1.2.0', STRATEGY, 'db'])
    const first = await lease()
    await eventually({ what: 'a renewal' }, async () => {
      const { spec } = await lease()
      return spec?.renewTime !== first.spec?.renewTime || undefined
    })
    const { spec } = await lease()
    assert.deepEqual(
      [spec?.holderIdentity, spec?.strategy, spec?.preferredHolder, spec?.leaseDurationSeconds],
      ['Pod_a.1', STRATEGY, undefined, 5],
    )
    assert.equal(spec?.leaseTransitions, a.numbers[0])
  })

  it('hands over to the older version, which the coordinator prefers, without two at a time; nothing else is lost', async () => {
    const a = stand('a', '1.2.0')
    await a.leads()
    must(await cluster.api.mergePatch(Leases, key, { metadata: { annotations: { note: 'mine' } } }))
    await eventually({ what: 'it is too long ago that a stood for the coordinator not to ask' }, async () => {
      const { renewTime } = must(await candidate('a')).spec!
      return Date.now() - Date.parse(renewTime!) > ELECTION_MILLIS || undefined
    })
    const b = stand('b', '1.2.0', '1.1.0')
    await b.leads()
    assert.deepEqual([a.ends, a.terms.length], [['preferred'], 1], 'the annotation ends no term')
    const { pingTime, renewTime } = must(await candidate('a')).spec!
    assert(pingTime && renewTime && renewTime >= pingTime, `the ping of ${pingTime} is answered: ${renewTime}`)
    const { metadata, spec } = await lease()
    assert.deepEqual([metadata.annotations, spec?.strategy, spec?.holderIdentity], [{ note: 'mine' }, STRATEGY, 'b'])
    const terms = checkTerms([a, b])
    assert.deepEqual(
      terms.map(({ identity }) => identity),
      ['a', 'b'],
    )
    assert(b.tokens[0]! > a.tokens[0]! && b.numbers[0]! > a.numbers[0]!)
  })

  it('is left by the leader at once: its candidate goes first, and the next is named', async () => {
    const a = stand('a', '1.0.0')
    await a.leads()
    const b = stand('b', '1.1.0')
    await eventually({ what: 'b stands' }, async () => ((await candidate('b')).kind === 'ok' ? true : undefined))
    await a.leave()
    assert.equal((await candidate('a')).kind, 'notFound')
    await b.leads()
    assert.equal((await lease()).spec?.holderIdentity, 'b')
    assert.deepEqual([checkTerms([a, b]).length, a.ends], [2, ['aborted']])
  })

  it('names another when the leader is cut off, whose term has ended by then', async () => {
    const c = stand('c', '1.0.0')
    await c.leads()
    const d = stand('d', '1.1.0')
    await eventually({ what: 'd stands' }, async () => ((await candidate('d')).kind === 'ok' ? true : undefined))
    cut.add('c')
    assert.equal(await c.ended(), 'deadline')
    await d.leads()
    assert.deepEqual(
      checkTerms([c, d]).map(({ identity }) => identity),
      ['c', 'd'],
    )
    assert(d.tokens[0]! > c.tokens[0]! && d.numbers[0]! > c.numbers[0]!)
  })

  it('stands again when its candidate is deleted', async () => {
    const a = stand('a', '1.0.0')
    await a.leads()
    const { uid } = must(await candidate('a')).metadata
    must(await cluster.api.delete(LeaseCandidates, { ...key, name: 'a' }))
    await eventually({ what: 'a stands again' }, async () => {
      const found = await candidate('a')
      return (found.kind === 'ok' && found.object.metadata.uid !== uid) || undefined
    })
    assert.equal(a.isLeading, true)
  })
})

describe('coordinated election, on an API server without it', () => {
  it('says what is missing', async function () {
    this.timeout(60_000)
    const cluster = await sharedCluster()
    const namespace = await cluster.createNamespace('uncoordinated')
    const { promise, resolve } = Promise.withResolvers<ElectionError>()
    const options = { name: 'db', namespace, identity: 'a', binaryVersion: '1.0.0', onError: resolve }
    const contender = new Contender('a', coordinated(cluster.api, options))
    const error = await promise
    await contender.leave()
    assert.match(error.message, /LeaseCandidate .*is the feature gate CoordinatedLeaderElection on/)
    assert.deepEqual([error.code, contender.terms], ['invalid', []])
  })
})
