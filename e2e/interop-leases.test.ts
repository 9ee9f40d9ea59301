/** Leases as electors of other languages create, hold and release them (docs/interoperability.md), taken over by ours. */
import assert from 'node:assert/strict'
import type { Context } from 'mocha'
import type { Api } from '../src/kube/api.ts'
import { type Lease, type LeaseSpec, Leases } from '../src/kube/objects.ts'
import { type Candidate, type Candidates, openCandidates } from './candidates/candidate.ts'
import type { Timing } from './candidates/flags.ts'
import { EVERYBODYS_TIMING, PEERS } from './candidates/peers.ts'
import { type Kind, missingFor } from './candidates/programs.ts'
import { BUILD_MILLIS } from './candidates/tool.ts'
import { eventually } from './controlplane/eventually.ts'
import { must } from './controlplane/must.ts'
import { adminApi, createNamespace } from './controlplane/shared.ts'

/** Nobody who waits for a duration of its own is seen to lead within a test. */
const LONG: Timing = { leaseDurationSeconds: 120, renewDeadlineSeconds: 90, retryPeriodSeconds: 0.5 }
const SHORT: Timing = { leaseDurationSeconds: 3, renewDeadlineSeconds: 2, retryPeriodSeconds: 0.5 }

const LEASE = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease' }
const METADATA = {
  labels: { team: 'storage' },
  annotations: { 'example.com/note': 'ours', 'example.com/empty': '' },
  finalizers: ['example.com/kept'],
}
const TIMES = { acquireTime: '2026-01-01T00:00:00.000000Z', renewTime: '2026-01-01T00:00:00.000000Z' }

/** Nobody holds these. */
const FREE: Readonly<Record<string, LeaseSpec | undefined>> = {
  'created without a spec': undefined,
  'created with an empty spec': {},
  'released by client-go': { holderIdentity: '', leaseDurationSeconds: 1, leaseTransitions: 4, ...TIMES },
  'released by the Java client': { leaseDurationSeconds: 120, leaseTransitions: 4 },
  'released by kubert': { leaseTransitions: 4 },
  'released with all fields null': {
    holderIdentity: null,
    leaseDurationSeconds: null,
    acquireTime: null,
    renewTime: null,
    leaseTransitions: null,
  },
}

/** Somebody holds these, for so long after they were first seen, however old their times are. */
const HELD: Readonly<Record<string, { readonly spec: LeaseSpec; readonly timing: Timing; readonly seconds: number }>> =
  {
    'released by fabric8': {
      spec: { holderIdentity: 'other', leaseDurationSeconds: 1, leaseTransitions: 4, ...TIMES },
      timing: LONG,
      seconds: 1,
    },
    'held by the Python client, which counts no transitions': {
      spec: { holderIdentity: 'other', leaseDurationSeconds: 3, ...TIMES },
      timing: LONG,
      seconds: 3,
    },
    'held without times': {
      spec: { holderIdentity: 'other', leaseDurationSeconds: 2, leaseTransitions: 4 },
      timing: LONG,
      seconds: 2,
    },
    'held without a duration: for our own': {
      spec: { holderIdentity: 'other', leaseTransitions: 4, ...TIMES },
      timing: SHORT,
      seconds: SHORT.leaseDurationSeconds,
    },
  }

describe('Leases of other electors, taken over by ours', () => {
  let api: Api
  let namespace: string
  let candidates: Candidates

  before(async () => {
    api = await adminApi()
    namespace = await createNamespace('interop-leases')
    candidates = await openCandidates(namespace)
  })
  after(() => candidates?.[Symbol.asyncDispose]())

  for (const [index, [what, spec]] of Object.entries(FREE).entries()) {
    it(`${what}: at once`, async () => {
      const name = `free-${index}`
      const candidate = await takeOver(name, spec, LONG)
      await leaves(name, candidate, spec)
    })
  }

  for (const [index, [what, { spec, timing, seconds }]] of Object.entries(HELD).entries()) {
    it(`${what}: after ${seconds} s`, async () => {
      const name = `held-${index}`
      const candidate = await takeOver(name, spec, timing)
      const waited = candidate.terms[0]!.fromMillis - candidate.lines[0]!.monotonicMillis
      assert.ok(waited >= seconds * 1000, `it led after ${waited} ms`)
      await leaves(name, candidate, spec)
    })
  }

  it('are not taken by fabric8 when kubert released them: its election is over, and its program not told', async function () {
    const candidate = await contend(this, 'fabric8', 'broken-fabric8', { leaseTransitions: 4 })
    await complains(candidate, PEERS.fabric8.lastWords!)
    assert.equal(candidate.hasEnded, false)
    assert.equal(await candidate.stop(), 0)
  })

  const unread = {
    'when kubert released them': { leaseTransitions: 4 },
    'when the Python client created them': { holderIdentity: 'other', leaseDurationSeconds: 3, ...TIMES },
  }
  for (const [index, [what, spec]] of Object.entries(unread).entries()) {
    it(`are not taken by the Java client ${what}, until somebody else has written`, async function () {
      const name = `broken-java-${index}`
      const candidate = await contend(this, 'client-java', name, spec)
      await complains(candidate, 'NullPointerException')
      const written = { ...(await lease(name)), spec: FREE['released by client-go']! }
      must(await api.replace<Lease>(Leases, { namespace, name }, written))
      await candidate.says('leading')
    })
  }

  /** Starts one of another kind on such a Lease. */
  async function contend(context: Context, kind: Kind, name: string, spec: LeaseSpec): Promise<Candidate> {
    context.timeout(BUILD_MILLIS)
    const missing = await missingFor(kind)
    if (missing !== undefined) {
      console.log(`      skipped: ${missing}`)
      context.skip()
    }
    must(await api.create<Lease>(Leases, namespace, { ...LEASE, metadata: { name }, spec }))
    return candidates.start({ kind, lease: name, identity: `${kind}-1`, timing: EVERYBODYS_TIMING })
  }

  async function complains(candidate: Candidate, words: string): Promise<void> {
    await eventually({ what: `${candidate.identity} says ${words}`, millis: 20_000 }, () =>
      Promise.resolve(candidate.complaints().includes(words) ? true : undefined),
    )
  }

  async function takeOver(name: string, spec: LeaseSpec | undefined, timing: Timing): Promise<Candidate> {
    const lease = { ...LEASE, metadata: { name, ...METADATA } }
    must(await api.create<Lease>(Leases, namespace, spec ? { ...lease, spec } : lease))
    const candidate = await candidates.start({ kind: 'leadergroup', lease: name, identity: 'ours', timing })
    await candidate.says('leading')
    return candidate
  }

  /** The next term's number, what was on the Lease, and a release that every elector reads. */
  async function leaves(name: string, candidate: Candidate, before: LeaseSpec | undefined): Promise<void> {
    const leaseTransitions = (before?.leaseTransitions ?? 0) + 1
    const held = await lease(name)
    assert.equal(held.spec?.holderIdentity, 'ours')
    assert.equal(held.spec.leaseTransitions, leaseTransitions)
    assert.equal(await candidate.stop(), 0)
    const { metadata, spec } = await lease(name)
    const { labels, annotations, finalizers } = metadata
    assert.deepEqual({ labels, annotations, finalizers }, METADATA)
    assert.deepEqual(
      { ...spec, acquireTime: 'set', renewTime: 'set' },
      { holderIdentity: '', leaseDurationSeconds: 1, leaseTransitions, acquireTime: 'set', renewTime: 'set' },
    )
    assert.ok(spec?.acquireTime && spec.renewTime, JSON.stringify(spec))
  }

  async function lease(name: string): Promise<Lease> {
    return must(await api.get<Lease>(Leases, { namespace, name }))
  }
})
