import { strict as assert } from 'node:assert'
import { Api } from '../kube/api.ts'
import { LeaseCandidates, Leases, type Lease, type LeaseCandidate } from '../kube/objects.ts'
import type { TransportRequest } from '../kube/transport.ts'
import { ApiServer } from '../sim/apiserver.ts'
import { VirtualClock } from '../sim/clock.ts'
import { answered, untilAborted, type Answer } from '../sim/election-stage.ts'
import { coordinated, type CoordinatedOptions } from './coordinated.ts'
import { InvalidOptionsError, type ElectionError, type TermEndedError } from './errors.ts'
import type { Term } from './term.ts'

const KEY = { namespace: 'default', name: 'db' }
const STRATEGY = 'OldestEmulationVersion'

/** Candidates on an in-memory API server, whose coordinator is the test. */
class CoordinatedStage {
  readonly clock = new VirtualClock()
  readonly server = new ApiServer(this.clock, { coordinatedLeaderElection: true })
  readonly admin = new Api(this.server.transport(), this.clock)

  candidate(identity: string, options: Partial<CoordinatedOptions> = {}) {
    const log = {
      terms: [] as Term[],
      ends: [] as string[],
      errors: [] as ElectionError[],
      fate: (_request: TransportRequest): 'pass' | 'hang' | 'fail' | Answer => 'pass',
      /** Called when a DELETE has left. */
      beforeDelete: () => Promise.resolve(),
      stop: new AbortController(),
    }
    const transport = this.server.transport({
      user: identity,
      before: async ({ method }) => {
        if (method === 'DELETE') await log.beforeDelete()
        return undefined
      },
    })
    const send = (request: TransportRequest) => {
      const fate = log.fate(request)
      if (fate === 'pass') return transport.send(request)
      if (fate === 'fail') return Promise.reject(new Error('cut'))
      if (typeof fate === 'object') return Promise.resolve(answered(fate))
      return new Promise<never>((_resolve, reject) =>
        request.signal.addEventListener('abort', () => reject(request.signal.reason as Error), { once: true }),
      )
    }
    const elector = coordinated(new Api({ send }, this.clock), {
      ...KEY,
      identity,
      binaryVersion: '1.0.0',
      clock: this.clock,
      random: () => 0.5,
      onError: (error) => log.errors.push(error),
      ...options,
    })
    const contend = (work: (term: Term) => unknown = untilAborted): Promise<unknown> =>
      elector.lead(
        async (term) => {
          log.terms.push(term)
          try {
            return await work(term)
          } finally {
            if (term.signal.aborted) log.ends.push((term.signal.reason as TermEndedError).reason)
          }
        },
        { signal: log.stop.signal },
      )
    return Object.assign(log, { elector, contend })
  }

  async leaseCandidate(name: string): Promise<LeaseCandidate | undefined> {
    const outcome = await this.admin.get(LeaseCandidates, { ...KEY, name })
    return outcome.kind === 'ok' ? outcome.object : undefined
  }

  async lease(): Promise<Lease> {
    const outcome = await this.admin.get(Leases, KEY)
    assert(outcome.kind === 'ok', outcome.kind)
    return outcome.object
  }

  /** As the API server's controller names a holder: for 5 s, with its own time, and nothing of the term before. */
  async name(holderIdentity: string): Promise<void> {
    const renewTime = '2026-01-01T00:00:00.000000Z'
    const spec = { holderIdentity, renewTime, leaseDurationSeconds: 5, strategy: STRATEGY }
    const found = await this.admin.get(Leases, KEY)
    const written =
      found.kind === 'ok'
        ? await this.admin.mergePatch(Leases, KEY, { spec: { ...spec, acquireTime: null, preferredHolder: null } })
        : await this.admin.create(Leases, KEY.namespace, { metadata: KEY, spec })
    assert.equal(written.kind, 'ok')
    await this.clock.settle()
  }

  async prefer(preferredHolder: string | null): Promise<void> {
    assert.equal((await this.admin.mergePatch(Leases, KEY, { spec: { preferredHolder } })).kind, 'ok')
    await this.clock.settle()
  }

  async ping(name: string, pingTime: string): Promise<void> {
    const key = { ...KEY, name }
    assert.equal((await this.admin.mergePatch(LeaseCandidates, key, { spec: { pingTime } })).kind, 'ok')
    await this.clock.settle()
  }

  /** Kinds of objects that somebody wrote, with what is left of them. */
  history(user: string): readonly string[] {
    return this.server.history
      .filter((revision) => revision.user === user)
      .map(({ type, resource }) => `${type} ${resource.kind}`)
  }
}

describe('coordinated election', () => {
  let stage: CoordinatedStage
  beforeEach(() => {
    stage = new CoordinatedStage()
  })

  it('stands, and neither creates the Lease nor takes it before it is named', async () => {
    const a = stage.candidate('a', { emulationVersion: '0.9.0' })
    void a.contend()
    await stage.clock.advance(1_000)
    const { leaseName, binaryVersion, emulationVersion, strategy, renewTime } = (await stage.leaseCandidate('a'))!.spec!
    assert.deepEqual(
      [leaseName, binaryVersion, emulationVersion, strategy, renewTime],
      ['db', '1.0.0', '0.9.0', STRATEGY, '2026-01-01T00:00:00.000000Z'],
    )
    await stage.clock.advance(60_000)
    assert.equal((await stage.admin.get(Leases, KEY)).kind, 'notFound')
    await stage.name('b')
    await stage.clock.advance(600_000)
    assert.deepEqual([a.terms, a.errors, (await stage.lease()).spec?.holderIdentity], [[], [], 'b'])
    await stage.name('a')
    assert.equal(a.elector.isLeader(), true)
  })

  it('leads when it is named, with its own duration, and keeps the strategy', async () => {
    const a = stage.candidate('a')
    void a.contend()
    await stage.name('a')
    const { metadata, spec } = await stage.lease()
    assert.deepEqual([a.terms[0]?.number, a.terms[0]?.token], [1, BigInt(metadata.resourceVersion)])
    await stage.clock.advance(30_000)
    const later = (await stage.lease()).spec
    assert.deepEqual(
      [later?.strategy, later?.leaseDurationSeconds, later?.acquireTime, later?.leaseTransitions],
      [STRATEGY, 15, spec?.acquireTime, 1],
    )
    assert.deepEqual([a.ends, a.errors], [[], []])
  })

  it('lets the work end when another is preferred, then releases, and waits to be named again', async () => {
    const a = stage.candidate('a')
    let finish: () => void = assert.fail
    void a.contend(() => new Promise<void>((resolve) => (finish = resolve)))
    await stage.name('a')
    await stage.prefer('b')
    assert.deepEqual([a.terms[0]?.signal.aborted, a.terms[0]?.isCurrent(), a.elector.isLeader()], [true, true, false])
    assert.equal((await stage.lease()).spec?.holderIdentity, 'a', 'not before the work has returned')
    finish()
    await stage.clock.advance(30_000)
    const { spec } = await stage.lease()
    assert.deepEqual([a.ends, spec?.holderIdentity, spec?.strategy, a.terms.length], [['preferred'], '', STRATEGY, 1])
    await stage.name('a')
    assert.deepEqual([a.terms.length, a.terms[1]?.number], [2, 2])
    assert(await stage.leaseCandidate('a'))
  })

  it('ends at its deadline when the work does not', async () => {
    const a = stage.candidate('a')
    void a.contend(() => new Promise(() => undefined))
    await stage.name('a')
    await stage.clock.advance(1_000)
    await stage.prefer('b')
    await stage.clock.advance(8_999)
    assert.equal(a.terms[0]?.isCurrent(), true)
    await stage.clock.advance(1)
    assert.equal(a.terms[0]?.isCurrent(), false)
  })

  it('leads on through what the coordinator or anybody else writes beside the term', async () => {
    const a = stage.candidate('a')
    void a.contend()
    await stage.name('a')
    for (const patch of [{ spec: { strategy: 'example.com/mine' } }, { metadata: { labels: { by: 'hand' } } }]) {
      await stage.clock.advance(1_999)
      a.fate = ({ path }) => (path.includes('watch=true') ? 'hang' : 'pass')
      await stage.admin.mergePatch(Leases, KEY, patch)
      await stage.clock.advance(2_000)
    }
    const { metadata, spec } = await stage.lease()
    assert.deepEqual([a.ends, spec?.strategy, metadata.labels], [[], 'example.com/mine', { by: 'hand' }])
  })

  it('ends at once when the coordinator names another', async () => {
    const a = stage.candidate('a')
    void a.contend()
    await stage.name('a')
    await stage.name('b')
    assert.deepEqual([a.ends, a.elector.isLeader()], [['taken'], false])
  })

  it('answers pings at once, also those of a clock that is ahead, and each of them once', async () => {
    const a = stage.candidate('a')
    void a.contend()
    await stage.clock.advance(10_000)
    await stage.ping('a', '2026-01-01T00:00:09.000000Z')
    assert.equal((await stage.leaseCandidate('a'))?.spec?.renewTime, '2026-01-01T00:00:10.000000Z')
    const writes = stage.history('a').length
    await stage.clock.advance(299_999)
    assert.equal(stage.history('a').length, writes)
    await stage.clock.advance(1)
    assert.equal(stage.history('a').length, writes + 1, 'five minutes later it says that it is alive')
    await stage.ping('a', '2026-01-01T01:00:00.000000Z')
    const { pingTime, renewTime } = (await stage.leaseCandidate('a'))!.spec!
    assert.deepEqual([pingTime, renewTime], ['2026-01-01T01:00:00.000000Z', '2026-01-01T01:00:00.000000Z'])
    await stage.clock.advance(600_000)
    assert.equal(stage.history('a').length, writes + 2, 'there is no later time to tell yet')
  })

  it('stands again when it is deleted, replaces what it was under another version, or for another Lease', async () => {
    const older = { leaseName: 'db', binaryVersion: '0.1.0', strategy: STRATEGY }
    await stage.admin.create(LeaseCandidates, KEY.namespace, { metadata: { name: 'a' }, spec: older })
    const other = { ...older, leaseName: 'other' }
    await stage.admin.create(LeaseCandidates, KEY.namespace, { metadata: { name: 'b' }, spec: other })
    for (const name of ['a', 'b']) void stage.candidate(name).contend()
    await stage.clock.advance(1_000)
    for (const name of ['a', 'b']) {
      const { leaseName, binaryVersion } = (await stage.leaseCandidate(name))!.spec!
      assert.deepEqual([leaseName, binaryVersion], ['db', '1.0.0'])
      await stage.admin.delete(LeaseCandidates, { ...KEY, name })
      await stage.clock.settle()
      assert(await stage.leaseCandidate(name))
    }
  })

  it('withdraws its candidate before it releases: when told, when its work is done, when it is disposed of', async () => {
    for (const end of ['abort', 'value', 'disposal'] as const) {
      stage = new CoordinatedStage()
      const a = stage.candidate('a')
      let finish: (value: string) => void = assert.fail
      const led = a.contend((term) =>
        end === 'value' ? new Promise<string>((resolve) => (finish = resolve)) : untilAborted(term),
      )
      await stage.name('a')
      if (end === 'abort') a.stop.abort()
      if (end === 'value') finish('done')
      const disposed = end === 'disposal' ? a.elector[Symbol.asyncDispose]() : undefined
      await stage.clock.settle()
      assert.equal(await led, end === 'value' ? 'done' : undefined)
      await disposed
      assert.deepEqual(stage.history('a').slice(-2), ['DELETED LeaseCandidate', 'MODIFIED Lease'], end)
      assert.deepEqual([(await stage.lease()).spec?.holderIdentity, a.errors], ['', []])
      assert.equal(stage.clock.nextTimerAt(), undefined)
    }
  })

  it('is gone in time though its candidate cannot be withdrawn, and says so', async () => {
    const a = stage.candidate('a')
    const led = a.contend()
    await stage.name('a')
    a.fate = ({ method }) => (method === 'DELETE' ? 'fail' : 'pass')
    a.stop.abort()
    await stage.clock.settle()
    assert.equal(await led, undefined)
    assert.deepEqual(
      [(await stage.lease()).spec?.holderIdentity, a.errors.map(({ code }) => code)],
      ['', ['unreachable']],
    )
  })

  it('takes away its own candidate, and none that has been made in its place meanwhile', async () => {
    const a = stage.candidate('a')
    const led = a.contend()
    await stage.clock.settle()
    const own = await stage.leaseCandidate('a')
    assert(own)
    a.beforeDelete = async () => {
      await stage.admin.delete(LeaseCandidates, { ...KEY, name: 'a' })
      const { metadata, spec } = own
      const another = { metadata: { namespace: metadata.namespace, name: metadata.name }, spec }
      assert.equal((await stage.admin.create(LeaseCandidates, KEY.namespace, another)).kind, 'ok')
    }
    a.stop.abort()
    await stage.clock.settle()
    assert.equal(await led, undefined)
    const left = await stage.leaseCandidate('a')
    assert(left && left.metadata.uid !== own.metadata.uid)
    assert.deepEqual(a.errors, [])
  })

  it('stands again when an overloaded server says', async () => {
    const a = stage.candidate('a')
    const seconds = new Set<number>()
    a.fate = ({ path }) => {
      if (!path.includes('leasecandidates')) return 'pass'
      seconds.add(Math.floor(stage.clock.now() / 1000))
      return { status: 429, headers: { 'retry-after': '60' }, body: '{}' }
    }
    void a.contend()
    await stage.clock.advance(59_999)
    assert.deepEqual([...seconds], [0])
    a.fate = () => 'pass'
    await stage.clock.advance(1)
    assert(await stage.leaseCandidate('a'))
    assert.deepEqual(
      a.errors.map(({ code, retryAfterMillis }) => [code, retryAfterMillis]),
      [['unreachable', 60_000]],
    )
  })

  it('goes on trying to stand, and tells why it cannot', async () => {
    const a = stage.candidate('a')
    a.fate = ({ path }) => (path.includes('leasecandidates') ? 'fail' : 'pass')
    void a.contend()
    await stage.clock.advance(5_000)
    assert(a.errors.length > 2)
    a.fate = () => 'pass'
    await stage.clock.advance(30_000)
    assert(await stage.leaseCandidate('a'))
  })

  it('answers, when it next renews, what a watch that hangs did not tell', async () => {
    const a = stage.candidate('a')
    a.fate = ({ path }) => (path.includes('watch=true') ? 'hang' : 'pass')
    void a.contend()
    await stage.clock.advance(299_000)
    a.fate = ({ path }) => (path.includes('?') ? 'hang' : 'pass')
    await stage.ping('a', '2026-01-01T01:00:00.000000Z')
    await stage.clock.advance(1_000)
    assert.equal((await stage.leaseCandidate('a'))?.spec?.renewTime, '2026-01-01T01:00:00.000000Z')
  })

  it('has withdrawn by the time that it says that it is done, also where it never led', async () => {
    const a = stage.candidate('a')
    const led = a.contend().then(() => stage.history('a'))
    await stage.clock.settle()
    a.stop.abort()
    const [history] = await Promise.all([led, stage.clock.settle()])
    assert.deepEqual(history, ['ADDED LeaseCandidate', 'DELETED LeaseCandidate'])
  })

  it('lets one use it at a time, and nobody after its disposal', async () => {
    const a = stage.candidate('a')
    const led = a.contend()
    await stage.clock.settle()
    await assert.rejects(
      a.elector.lead(() => undefined),
      /contending already/,
    )
    assert(await stage.leaseCandidate('a'), 'the refused one has withdrawn nothing')
    await Promise.all([a.elector[Symbol.asyncDispose](), stage.clock.settle()])
    assert.equal(await led, undefined)
    const writes = stage.history('a')
    await assert.rejects(
      a.elector.lead(() => undefined),
      /disposed/,
    )
    await stage.clock.settle()
    assert.deepEqual(stage.history('a'), writes)
  })

  it('stands again for the next use', async () => {
    const a = stage.candidate('a')
    const terms = a.elector.terms()
    const [first] = await Promise.all([terms.next(), stage.name('a')])
    assert(!first.done && first.value.isCurrent())
    await Promise.all([terms.return(), stage.clock.settle()])
    assert.equal(await stage.leaseCandidate('a'), undefined)
    void a.contend()
    await stage.clock.settle()
    assert(await stage.leaseCandidate('a'))
    assert.equal(a.elector.observed()?.holder, undefined)
  })

  it('requests nothing when it is aborted before it starts', async () => {
    const a = stage.candidate('a')
    a.stop.abort()
    assert.equal(await a.contend(), undefined)
    await stage.clock.settle()
    assert.deepEqual(stage.server.history, [])
  })

  it('refuses invalid options, all at once', () => {
    const options = { binaryVersion: 'v1.2', emulationVersion: '', strategy: 'oldest', leaseDurationSeconds: 1 }
    assert.throws(
      () => stage.candidate('a/b', options),
      (error) => error instanceof InvalidOptionsError && error.violations.length === 6,
    )
  })

  for (const [emulationVersion, binaryVersion, isRefused] of [
    ['1.10.0', '1.9.0', true],
    ['1.9.0', '1.10.0', false],
    ['1.9.0', '1.9.0', false],
    ['1.9.0', '1.9.0-rc.1', false],
    ['2.0.0', '1.9.9+build', true],
  ] as const) {
    it(`${isRefused ? 'refuses' : 'accepts'} ${emulationVersion} emulated by ${binaryVersion}`, () => {
      const construct = (): unknown => stage.candidate('a', { binaryVersion, emulationVersion })
      if (isRefused) assert.throws(construct, /must not be above/)
      else assert.doesNotThrow(construct)
    })
  }

  for (const identity of ['.', '..a', 'a b', 'ä']) {
    it(`refuses ${JSON.stringify(identity)} as the name of a candidate`, () => {
      assert.throws(() => stage.candidate(identity), /identity must be a name/)
    })
  }
})
