import { strict as assert } from 'node:assert'
import { Leases, type Lease } from '../kube/objects.ts'
import type { TransportRequest } from '../kube/transport.ts'
import { acquired, KEY, leadOn, Stage, untilAborted } from '../sim/election-stage.ts'
import { InvalidOptionsError, TermEndedError } from './errors.ts'

describe('elector', () => {
  let stage: Stage
  beforeEach(() => {
    stage = new Stage()
  })
  afterEach(() => assert.deepEqual([...stage.storms], []))

  it('creates the Lease, leads, and renews it every retry period', async () => {
    const a = stage.candidate('a')
    const { terms } = leadOn(a)
    await stage.clock.settle()
    assert.equal(a.elector.isLeader(), true)
    const { metadata, spec } = await stage.lease()
    const [term] = terms
    assert.deepEqual(
      [term?.number, term?.token, term?.identity, term?.isCurrent(), term?.remainingMillis()],
      [0, BigInt(metadata.resourceVersion), 'a', true, 10_000],
    )
    assert.deepEqual(metadata.labels, { app: 'db' })
    assert.match(spec?.renewTime ?? '', /^2026-01-01T00:00:00\.000500Z$/, 'the digits below a millisecond are drawn')
    assert.deepEqual([spec?.leaseDurationSeconds, spec?.leaseTransitions, spec?.acquireTime], [15, 0, spec?.renewTime])
    await stage.clock.advance(6_000)
    assert.deepEqual(stage.writes('a'), [0, 2_000, 4_000, 6_000])
    assert.equal((await stage.lease()).spec?.acquireTime, spec?.acquireTime)
    assert.deepEqual([terms.length, a.leaders, a.errors], [1, ['a'], []])
    a.requests.length = 0
    await stage.clock.advance(20_000)
    assert.deepEqual(
      a.requests,
      Array.from({ length: 10 }, (_, index) => `${8_000 + index * 2_000} PUT`),
    )
  })

  it('follows without a request while somebody leads, and takes over at once when that one releases', async () => {
    const a = stage.candidate('a')
    const b = stage.candidate('b')
    let finish: (value: string) => void = assert.fail
    const led = a.elector.lead(() => new Promise<string>((resolve) => (finish = resolve)))
    await stage.clock.settle()
    const { terms } = leadOn(b)
    await stage.clock.advance(10)
    b.requests.length = 0
    await stage.clock.advance(60_000)
    assert.deepEqual(b.requests, [])
    finish('value')
    await stage.clock.settle()
    assert.equal(await led, 'value')
    assert.deepEqual([terms[0]?.number, stage.writes('b')], [1, [60_010]])
    assert.deepEqual(b.leaders, ['a', undefined, 'b'])
    assert.equal(a.elector.isLeader(), false)
  })

  it('takes over from a crashed leader exactly a lease duration after its last renewal', async () => {
    const a = stage.candidate('a')
    leadOn(a)
    await stage.clock.advance(500)
    const { terms } = leadOn(stage.candidate('b'))
    await stage.clock.advance(5_000)
    a.fate = () => 'hang'
    await stage.clock.advance(4_000 + 15_000 - 5_500 - 1)
    assert.equal(terms.length, 0)
    await stage.clock.advance(1)
    assert.deepEqual([stage.writes('b'), terms[0]?.number], [[19_000], 1])
  })

  it('counts the deadline from when a request left, however late its answer comes', async () => {
    const a = stage.candidate('a')
    const delays: Readonly<Record<string, number>> = { POST: 1_500, PUT: 1_000 }
    // The watch would tell of the write before its answer does.
    a.fate = (request) => (isWatch(request) ? 'hang' : (delays[request.method] ?? 'pass'))
    const { terms } = leadOn(a)
    await stage.clock.advance(1_500)
    assert.equal(terms[0]?.remainingMillis(), 8_500)
    await stage.clock.advance(1_500)
    assert.equal(terms[0]?.remainingMillis(), 9_000, 'renewed by a request of two seconds')
  })

  it('ends the term at the deadline while its request hangs, and leads again under a new number', async () => {
    const a = stage.candidate('a')
    const { terms, ends } = leadOn(a)
    await stage.clock.advance(3_000)
    a.fate = () => 'hang'
    await stage.clock.advance(8_999)
    assert.deepEqual([a.elector.isLeader(), ends], [true, []])
    await stage.clock.advance(1)
    assert.deepEqual([a.elector.isLeader(), ends, terms[0]?.remainingMillis()], [false, ['deadline'], 0])
    assert.throws(() => terms[0]?.assertCurrent(), TermEndedError)
    assert.equal(a.errors[0]?.code, 'unreachable')
    a.fate = () => 'pass'
    await stage.clock.advance(10_000)
    assert.deepEqual([terms.length, terms[1]?.number, a.elector.isLeader()], [2, 1, true])
    assert(terms[1]!.token > terms[0]!.token)
  })

  for (const [what, change, reason, holder] of [
    ['another holder', (lease: Lease) => ({ ...lease, spec: { ...lease.spec, holderIdentity: 'x' } }), 'taken', 'x'],
    [
      'a release by a stranger',
      (lease: Lease) => ({ ...lease, spec: { ...lease.spec, holderIdentity: '' } }),
      'changed',
      'a',
    ],
    [
      'an annotation',
      (lease: Lease) => ({ ...lease, metadata: { ...lease.metadata, annotations: { by: 'hand' } } }),
      'changed',
      'a',
    ],
  ] as const) {
    it(`ends the term as soon as ${what} is seen, also while a request hangs`, async () => {
      const a = stage.candidate('a')
      const { terms, ends } = leadOn(a)
      await stage.clock.advance(1_999)
      a.fate = ({ method }) => (method === 'PUT' ? 'hang' : 'pass')
      await stage.clock.advance(10)
      await stage.edit(change)
      await stage.clock.settle()
      assert.deepEqual([ends, a.elector.isLeader(), terms[0]?.isCurrent()], [[reason], false, false])
      a.fate = () => 'pass'
      await stage.clock.advance(8_000)
      assert.equal(await stage.holder(), holder)
      assert.deepEqual(
        terms.map(({ number }) => number),
        holder === 'a' ? [0, 1] : [0],
      )
    })
  }

  for (const [what, method, from] of [
    ['that acquired', 'POST', 0],
    ['that renewed', 'PUT', 2_000],
  ] as const) {
    it(`recognises a write ${what} though its answer was lost, by the watch and without it`, async () => {
      for (const hasWatch of [true, false]) {
        stage = new Stage()
        const a = stage.candidate('a')
        let muted = 0
        a.fate = (request) => {
          if (isWatch(request) && !hasWatch) return 'hang'
          return request.method === method && muted++ === 0 ? 'mute' : 'pass'
        }
        const { terms, ends } = leadOn(a)
        await stage.clock.advance(from + 9_000)
        assert.deepEqual(
          [terms.map(({ number }) => number), ends, a.elector.isLeader(), await stage.holder()],
          [[0], [], true, 'a'],
        )
        assert.equal((await stage.lease()).spec?.leaseTransitions, 0)
      }
    })
  }

  it('leads anew, under a higher number, when the Lease is deleted under it', async () => {
    const a = stage.candidate('a')
    const { terms, ends } = leadOn(a)
    await stage.clock.advance(1_000)
    await stage.admin.delete(Leases, KEY)
    await stage.clock.settle()
    assert.deepEqual([ends, terms.map(({ number }) => number)], [['changed'], [0, 1]])
    assert(terms[1]!.token > terms[0]!.token)
    assert.equal(await stage.holder(), 'a')
  })

  for (const jump of [3_000, -3_000]) {
    it(`ends the term when the wall clock jumps by ${jump} ms, as after a suspend`, async () => {
      const a = stage.candidate('a')
      const { terms, ends } = leadOn(a)
      await stage.clock.advance(500)
      stage.clock.stepWall(jump)
      assert.deepEqual([a.elector.isLeader(), terms[0]?.isCurrent()], [false, false])
      stage.clock.stepWall(-jump)
      assert.equal(terms[0]?.isCurrent(), false, 'what was over stays over')
      await stage.clock.settle()
      assert.deepEqual([ends, terms[1]?.number], [['suspended'], 1])
    })
  }

  it('does not mind a small correction of the wall clock, but for its length', async () => {
    const a = stage.candidate('a')
    const { terms, ends } = leadOn(a)
    await stage.clock.advance(500)
    stage.clock.stepWall(1_000)
    assert.equal(terms[0]?.remainingMillis(), 8_500)
    await stage.clock.advance(30_000)
    assert.deepEqual([ends, terms[0]?.isCurrent()], [[], true])
  })

  it('lets two alternate when each steps down, and never both lead', async () => {
    const candidates = ['a', 'b'].map((identity) => stage.candidate(identity))
    const logs = candidates.map((candidate) => leadOn(candidate))
    await stage.clock.advance(1_000)
    for (let round = 0; round < 6; round++) {
      const leading = candidates.filter(({ elector }) => elector.isLeader())
      assert.equal(leading.length, 1)
      await Promise.all([leading[0]!.elector.stepDown(), stage.clock.advance(5_000)])
    }
    assert.deepEqual(
      logs.map(({ terms }) => terms.map(({ number }) => number)),
      [
        [0, 2, 4, 6],
        [1, 3, 5],
      ],
    )
  })

  it('comes back after standing back when nobody else wants to lead', async () => {
    const a = stage.candidate('a')
    const { terms, ends } = leadOn(a)
    await stage.clock.advance(1_000)
    await Promise.all([a.elector.stepDown({ standBackSeconds: 3 }), stage.clock.advance(2_999)])
    assert.deepEqual([ends, terms.length, await stage.holder()], [['stepDown'], 1, ''])
    await stage.clock.advance(1)
    assert.equal(terms[1]?.number, 1)
  })

  for (const [when, end] of [
    ['it steps down', { options: {}, stepDown: true }],
    ['its term is at its limit', { options: { termLimitSeconds: 1 }, stepDown: false }],
  ] as const) {
    it(`lets others come first when ${when}, also when its work takes long to stop`, async () => {
      const a = stage.candidate('a', end.options)
      void a.elector.lead(async (term) => {
        await untilAborted(term)
        await new Promise<void>((resolve) => stage.clock.timer(stage.clock.now() + 6_000, resolve))
      })
      await stage.clock.advance(500)
      const b = stage.candidate('b')
      leadOn(b)
      await stage.clock.advance(500)
      if (end.stepDown) void a.elector.stepDown()
      await stage.clock.advance(5_999)
      assert.deepEqual([await stage.holder(), a.elector.isLeader()], ['a', false])
      await stage.clock.advance(1)
      assert.deepEqual([await stage.holder(), b.elector.isLeader()], ['b', true])
    })
  }

  it('refuses to stand back for no time at all', async () => {
    const { elector } = stage.candidate('a')
    await assert.rejects(elector.stepDown({ standBackSeconds: -1 }), /standBackSeconds must be 0 or more: it is -1/)
  })

  it('gives way at its term limit, to whoever waits and in the end to itself', async () => {
    const [a, b] = ['a', 'b'].map((identity) => stage.candidate(identity, { termLimitSeconds: 60 })) as [Led, Led]
    const [ofA, ofB] = [leadOn(a), leadOn(b)]
    await stage.clock.advance(150_000)
    assert.deepEqual(
      [...ofA.terms, ...ofB.terms].map(({ identity, number }) => [identity, number]),
      [
        ['a', 0],
        ['a', 2],
        ['b', 1],
      ],
    )
    assert.deepEqual([ofA.ends, ofB.ends], [['limit'], ['limit']])
    await Promise.all([b.elector.pause(), stage.clock.advance(35_000)])
    assert.deepEqual([ofA.terms.map(({ number }) => number), a.elector.isLeader()], [[0, 2, 3], true])
  })

  it('closes the connections of its lock when nobody contends any more, and reports what that says', async () => {
    let [closed, version] = [0, 0]
    const { elector, errors } = stage.candidate('a', {
      lock: {
        describe: 'a lock',
        read: () => Promise.resolve('absent'),
        write: (record) => Promise.resolve({ record, version: String(++version) }),
        close: () => (++closed === 1 ? Promise.resolve() : Promise.reject(new Error('stuck'))),
      },
    })
    for (const round of [1, 2]) {
      const led = elector.lead(() => closed)
      await stage.clock.settle()
      assert.deepEqual([await led, closed], [round - 1, round])
    }
    await elector[Symbol.asyncDispose]()
    assert.deepEqual([closed, errors.map(({ message }) => message)], [2, ['close a lock: stuck']])
  })

  it('rejects with what its work throws, and releases', async () => {
    let calls = 0
    const led = stage.candidate('a').elector.lead(() => {
      if (++calls === 1) throw new Error('of the work')
      return 'led again'
    })
    const [outcome] = await Promise.allSettled([led, stage.clock.advance(60_000)])
    assert.deepEqual(outcome, { status: 'rejected', reason: new Error('of the work') })
    assert.deepEqual([calls, await stage.holder()], [1, ''])
  })

  it('acquires one term, which its disposal releases', async () => {
    const a = stage.candidate('a')
    {
      await using term = await acquired(stage, a.elector)
      assert.equal(term.isCurrent(), true)
      await assert.rejects(a.elector.acquire(), /contending already/)
    }
    await stage.clock.settle()
    assert.deepEqual([await stage.holder(), stage.clock.nextTimerAt()], ['', undefined])
    assert.equal((await acquired(stage, a.elector)).number, 1)
  })

  it('stops waiting for a term when told, with the reason', async () => {
    leadOn(stage.candidate('a'))
    await stage.clock.settle()
    const timers = stage.clock.nextTimerAt()
    const b = stage.candidate('b')
    const abort = new AbortController()
    const waiting = assert.rejects(b.elector.acquire({ signal: abort.signal }), /enough/)
    await stage.clock.advance(100)
    abort.abort(new Error('enough'))
    await waiting
    assert.deepEqual([stage.writes('b'), stage.clock.nextTimerAt()], [[], timers])
  })

  it('iterates over its terms, and releases when the loop is left', async () => {
    const a = stage.candidate('a')
    const numbers: number[] = []
    const iterated = (async () => {
      for await (const term of a.elector.terms()) {
        numbers.push(term.number)
        if (numbers.length === 3) break
      }
    })()
    await stage.clock.settle()
    await iterated
    assert.deepEqual([numbers, await stage.holder(), stage.clock.nextTimerAt()], [[0, 1, 2], '', undefined])
  })

  it('looks on while paused', async () => {
    const a = stage.candidate('a')
    const { terms, ends } = leadOn(a)
    await stage.clock.advance(1_000)
    await Promise.all([a.elector.pause(), stage.clock.advance(60_000)])
    assert.deepEqual([ends, await stage.holder(), a.elector.observed()?.number], [['stepDown'], '', 0])
    a.elector.resume()
    await stage.clock.settle()
    assert.equal(terms[1]?.number, 1)
  })

  it('tells what it observes', async () => {
    const a = stage.candidate('a')
    assert.equal(a.elector.observed(), undefined)
    leadOn(a)
    await stage.clock.advance(2_700)
    const { renewTime, ...observed } = a.elector.observed() ?? {}
    assert.deepEqual(observed, { holder: 'a', number: 0, changedMillisAgo: 700 })
    assert.equal(renewTime?.toISOString().slice(0, 19), '2026-01-01T00:00:02')
  })

  it('refuses a Lease that a LeaderGroup assigns, and says so once', async () => {
    await stage.admin.create(Leases, 'default', {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { ...KEY, annotations: { 'leadergroup.io/mode': 'Assign' } },
    })
    const a = stage.candidate('a')
    leadOn(a)
    await stage.clock.advance(60_000)
    assert.deepEqual([stage.writes('a'), a.errors.map(({ code }) => code)], [[], ['notOurs']])
    await stage.edit((lease) => ({ ...lease, metadata: { ...lease.metadata, annotations: {} } }))
    await stage.clock.settle()
    assert.equal(a.elector.isLeader(), true)
  })

  it('leads on when it is resumed without having been paused', async () => {
    const a = stage.candidate('a')
    const { ends } = leadOn(a)
    await stage.clock.advance(1_000)
    a.elector.resume()
    await stage.clock.advance(10_000)
    assert.deepEqual([ends, a.elector.isLeader()], [[], true])
  })

  it('does not trust a lock whose versions cannot be ordered', async () => {
    const record = { holderIdentity: '', leaseDurationSeconds: 1, leaseTransitions: 0 }
    const a = stage.candidate('a', {
      lock: {
        describe: 'an odd lock',
        read: () => Promise.resolve({ record, version: 'v1' }),
        write: () => assert.fail('its version orders nothing'),
      },
    })
    leadOn(a)
    await stage.clock.settle()
    assert.deepEqual(
      a.errors.map(({ code, message }) => [code, message]),
      [['invalid', 'an odd lock: version "v1" is no decimal integer']],
    )
  })

  it('looks on when it was paused before it led', async () => {
    const a = stage.candidate('a')
    await a.elector.pause()
    const { terms } = leadOn(a)
    await stage.clock.advance(10_000)
    assert.deepEqual([terms, stage.server.history], [[], []])
    a.elector.resume()
    await stage.clock.settle()
    assert.equal(terms.length, 1)
  })

  it('gives up a look at the lock when nobody waits for it any more', async () => {
    const a = stage.candidate('a')
    a.fate = () => 'hang'
    const abort = new AbortController()
    const led = a.elector.lead(() => assert.fail(), { signal: abort.signal })
    await stage.clock.advance(100)
    abort.abort()
    await stage.clock.settle()
    assert.deepEqual([await led, a.errors, stage.clock.nextTimerAt()], [undefined, [], undefined])
  })

  it('hands out a term that a hook has ended already, and leaves nothing behind', async () => {
    const a = stage.candidate('a', { onNewLeader: (holder) => holder && a.elector.stepDown() })
    const term = await acquired(stage, a.elector)
    assert.equal(term.signal.aborted, true)
    await Promise.all([term[Symbol.asyncDispose](), stage.clock.advance(1_000)])
    assert.deepEqual([await stage.holder(), stage.clock.nextTimerAt()], ['', undefined])
  })

  it('goes on when its lock does not heed the limit of a request, and when its watch ends or fails', async () => {
    const log: string[] = []
    const a = stage.candidate('a', {
      lock: {
        describe: 'a deaf lock',
        read: () => (log.push(`${stage.clock.now()} read`), new Promise(() => undefined)),
        write: () => assert.fail('nothing was read'),
        async *watch() {
          log.push(`${stage.clock.now()} watch`)
          if (log.length > 2) throw new Error('cut')
          yield* []
        },
      },
    })
    leadOn(a)
    await stage.clock.advance(9_000)
    assert.deepEqual(log, ['0 watch', '0 read', '5000 watch', '5000 read'])
    assert.deepEqual(
      a.errors.map(({ message }) => message),
      ['read a deaf lock: read a deaf lock: no answer within 5000 ms', 'watch a deaf lock: cut'],
    )
  })

  it('reports what it may not do, and goes on trying', async () => {
    const a = stage.candidate('a', {
      lock: {
        describe: 'Lease default/db',
        read: () => Promise.reject(new Error('no')),
        write: () => assert.fail('nothing was read'),
      },
    })
    leadOn(a)
    await stage.clock.advance(6_500)
    assert.deepEqual(
      a.errors.map(({ code, message }) => [code, message]),
      Array.from({ length: 3 }, () => ['unreachable', 'read Lease default/db: no']),
    )
  })

  it('comes back when an overloaded server says, but tries to keep its term', async () => {
    const overloaded = (retryAfter: string) => ({ status: 429, headers: { 'retry-after': retryAfter }, body: '{}' })
    const a = stage.candidate('a')
    a.fate = () => overloaded('7')
    const { ends } = leadOn(a)
    await stage.clock.advance(6_999)
    assert.deepEqual(
      a.requests.filter((request) => !request.endsWith('GET') || !request.startsWith('0')),
      [],
    )
    a.fate = () => 'pass'
    await stage.clock.advance(1)
    assert.equal(a.elector.isLeader(), true)
    const renewals = (): string[] => a.requests.filter((request) => request.endsWith('PUT'))
    a.fate = ({ method }) => (method === 'PUT' ? overloaded('60') : 'pass')
    // From the renewal that is due at 9 s, with 8 s left of the term, on.
    await stage.clock.advance(9_999)
    assert.deepEqual(renewals(), ['9000 PUT', '13000 PUT', '15000 PUT'])
    assert.deepEqual(ends, [])
    a.fate = () => 'pass'
    await stage.clock.advance(1)
    assert.deepEqual(ends, ['deadline'])
    assert.deepEqual([...new Set(a.errors.map(({ retryAfterMillis }) => retryAfterMillis))], [7_000, 60_000])
  })

  it('is not harmed by hooks that throw or reject', async () => {
    const a = stage.candidate('a', {
      onNewLeader: () => Promise.reject(new Error('late')),
      onOverrun: () => assert.fail(),
    })
    const b = stage.candidate('b', {
      onNewLeader: () => {
        throw new Error('at once')
      },
    })
    const { terms, ends } = leadOn(a)
    leadOn(b)
    await stage.clock.advance(30_000)
    assert.deepEqual([terms.length, ends], [1, []])
    assert.deepEqual(
      [...a.errors, ...b.errors].map(({ code }) => code),
      ['hook', 'hook'],
    )
  })

  it('requests nothing when it is aborted before it starts, and is of no use after its disposal', async () => {
    const a = stage.candidate('a')
    assert.equal(await a.elector.lead(() => assert.fail(), { signal: AbortSignal.abort() }), undefined)
    assert.deepEqual(a.requests, [])
    await a.elector[Symbol.asyncDispose]()
    await assert.rejects(
      a.elector.lead(() => undefined),
      /disposed/,
    )
  })

  it('refuses invalid options, all at once', () => {
    const options = { renewDeadlineSeconds: 14, retryPeriodSeconds: 12 }
    assert.throws(() => stage.candidate('', options), isInvalidInThreeWays)
  })
})

function isInvalidInThreeWays(error: unknown): boolean {
  return error instanceof InvalidOptionsError && error.violations.length === 3
}

type Led = ReturnType<Stage['candidate']>

const isWatch = ({ path }: TransportRequest): boolean => path.includes('watch=true')
