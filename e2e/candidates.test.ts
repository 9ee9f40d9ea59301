import assert from 'node:assert/strict'
import type { Api } from '../src/kube/api.ts'
import { type Lease, Leases } from '../src/kube/objects.ts'
import { type Candidate, type Candidates, SHORT, openCandidates } from './candidates/candidate.ts'
import type { Timing } from './candidates/flags.ts'
import { needsClientGo } from './candidates/needs-go.ts'
import { untilRenewed } from './candidates/renewal.ts'
import { checkTerms } from './candidates/terms.ts'
import { eventually } from './controlplane/eventually.ts'
import { must } from './controlplane/must.ts'
import { adminApi, createNamespace } from './controlplane/shared.ts'

/** Two programs on client-go and one on our elector. */
const KINDS: Readonly<Record<string, keyof typeof OVERSEEN_MILLIS>> = {
  a: 'client-go',
  b: 'leadergroup',
  c: 'client-go',
}
const NAMES = Object.keys(KINDS)

/** Nobody who waits for its end is seen to lead within a test. */
const LONG: Timing = { leaseDurationSeconds: 120, renewDeadlineSeconds: 90, retryPeriodSeconds: 0.5 }
/** client-go compares records whose times have whole seconds: of renewals in one second it sees the first. */
const OVERSEEN_MILLIS = { 'client-go': 1000, leadergroup: 0 }
/** Of stamps with whole milliseconds, and of two clocks. */
const ROUNDING_MILLIS = 20

describe('candidates on client-go and on our elector, on one Lease', () => {
  let api: Api
  let key: { readonly namespace: string; readonly name: string }
  let candidates: Candidates

  before(async function () {
    await needsClientGo(this)
  })
  beforeEach(async () => {
    api = await adminApi()
    key = { namespace: await createNamespace('candidates'), name: 'db' }
    candidates = await openCandidates(key.namespace)
  })
  afterEach(async function () {
    await candidates[Symbol.asyncDispose]()
    if (this.currentTest?.state !== 'failed') return
    for (const { identity, lines } of candidates.all) console.error(identity, JSON.stringify(lines))
  })

  for (const first of ['a', 'b']) {
    const others = NAMES.filter((name) => name !== first)

    it(`hand over when one on ${KINDS[first]} is told to stop`, async () => {
      const leader = await startLed(first, others, LONG)
      await leave(leader)
      const next = await untilOtherLeads(leader)
      assert.equal((await lease()).spec?.holderIdentity, next.identity)
      assert.deepEqual(identities(checkTerms(candidates.all)), [first, next.identity])
    })

    it(`take over after the lease duration when one on ${KINDS[first]} is killed`, async () => {
      const leader = await startLed(first, others)
      await leader.kill()
      const { spec: last } = await lease()
      const next = await untilOtherLeads(leader)
      const { spec } = await lease()
      assert.equal(last?.holderIdentity, first)
      assert.equal(spec?.holderIdentity, next.identity)
      assert.equal(spec.leaseTransitions, last.leaseTransitions! + 1)
      const millis = Date.parse(spec.acquireTime!) - Date.parse(last.renewTime!)
      const least = SHORT.leaseDurationSeconds * 1000 - OVERSEEN_MILLIS[KINDS[next.identity]!]
      assert.ok(millis > least - ROUNDING_MILLIS, `${next.identity} took over after ${millis} ms`)
      assert.deepEqual(identities(checkTerms(candidates.all)), [first, next.identity])
    })
  }

  it('leave what else is on the Lease as it is', async () => {
    const metadata = {
      labels: { team: 'storage' },
      annotations: { 'example.com/note': 'ours', 'example.com/empty': '' },
    }
    const empty = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name: key.name, ...metadata } }
    const { uid } = must(await api.create<Lease>(Leases, key.namespace, empty)).metadata
    const leader = await startLed('a', ['b', 'c'], LONG)
    await leave(leader)
    const second = await untilOtherLeads(leader)
    await leave(second)
    await untilOtherLeads(leader, second)
    const { metadata: after } = await lease()
    assert.equal(after.uid, uid)
    assert.deepEqual(after.labels, metadata.labels)
    assert.deepEqual(after.annotations, metadata.annotations)
    assert.deepEqual(new Set(identities(checkTerms(candidates.all))), new Set(NAMES))
  })

  it('come to one leader again after one of them was paused for longer than its Lease', async () => {
    const leader = await startLed('b', ['a', 'c'])
    leader.pause()
    const next = await untilOtherLeads(leader)
    leader.resume()
    await leader.says('stopped')
    assert.deepEqual(
      candidates.all.filter(({ isLeading }) => isLeading),
      [next],
    )
  })

  /** `first` leads, the others contend. */
  async function startLed(first: string, others: readonly string[], timing = SHORT): Promise<Candidate> {
    const start = (identity: string): Promise<Candidate> =>
      candidates.start({ kind: KINDS[identity]!, lease: key.name, identity, timing })
    const leader = await start(first)
    await leader.says('leading')
    await Promise.all(
      others.map(async (identity) => {
        const other = await start(identity)
        await other.says('newLeader')
      }),
    )
    return leader
  }

  async function leave(leader: Candidate): Promise<void> {
    await untilRenewed(api, key)
    assert.equal(await leader.stop(), 0)
  }

  function untilOtherLeads(...than: readonly Candidate[]): Promise<Candidate> {
    return eventually({ what: 'another leader', millis: 20_000, intervalMillis: 10 }, () =>
      Promise.resolve(candidates.all.find((each) => each.isLeading && !than.includes(each))),
    )
  }

  async function lease(): Promise<Lease> {
    return must(await api.get(Leases, key))
  }
})

function identities(terms: readonly { readonly identity: string }[]): readonly string[] {
  return terms.map(({ identity }) => identity)
}
