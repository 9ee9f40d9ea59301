import { strict as assert } from 'node:assert'
import { InvalidOptionsError } from '../lock/errors.ts'
import { KEY, leadOn, Stage } from '../sim/election-stage.ts'
import type { LeaderCallbacks, LeaderElectionConfig } from './config.ts'
import { LeaderElector, type RunOptions } from './leader-elector.ts'
import { LeaseLock } from './lease-lock.ts'
import { LeaderMetrics } from './metrics.ts'

type Changes = Partial<Omit<LeaderElectionConfig, 'callbacks'>> & { readonly callbacks?: Partial<LeaderCallbacks> }

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))

const abortError = (): Error => Object.assign(new Error('gave up'), { name: 'AbortError' })

describe('client-go’s LeaderElector', () => {
  let stage: Stage
  beforeEach(() => {
    stage = new Stage()
  })

  /** One that says what it is told, and when. */
  function candidate(identity: string, { callbacks, ...changes }: Changes = {}) {
    const of = stage.candidate(identity)
    const log: string[] = []
    const say = (what: string): unknown => log.push(`${stage.clock.now()} ${what}`)
    const metrics = new LeaderMetrics()
    metrics.setProvider({
      newLeaderMetric: () => ({ on: (name) => say(`on ${name}`), off: (name) => say(`off ${name}`) }),
    })
    const lease = new LeaseLock({
      leaseMeta: KEY,
      lockConfig: { identity, eventRecorder: { event: (_lease, _type, _reason, message) => say(`event ${message}`) } },
    })
    const elector = new LeaderElector(
      {
        lock: {
          identity,
          lock: of.lock,
          describe: () => lease.describe(),
          recordEvent: (message) => lease.recordEvent(message),
        },
        leaseDurationSeconds: 15,
        renewDeadlineSeconds: 10,
        retryPeriodSeconds: 2,
        clock: of.process,
        random: () => 0.5,
        onError: (error) => of.errors.push(error),
        ...changes,
        callbacks: {
          onStartedLeading: async (signal) => {
            say('started')
            await aborted(signal)
            say('told')
          },
          onStoppedLeading: () => say('stopped'),
          onNewLeader: (leader) => say(`leader ${leader}`),
          ...callbacks,
        },
      },
      undefined,
      metrics,
    )
    const run = (options: RunOptions = {}) => {
      const running = { stop: new AbortController(), error: undefined as unknown, isOver: false }
      elector
        .run({ signal: running.stop.signal, ...options })
        .catch((error: unknown) => (running.error = error))
        .finally(() => (running.isOver = true))
      return running
    }
    /** Of all that was said, what the callbacks were told. */
    const told = (): string[] => log.filter((line) => /(started|told|stopped)$/.test(line) && !line.includes('event'))
    return { of, elector, log, say, told, run }
  }

  it('calls back in order, and has released when run resolves', async () => {
    const a = candidate('a')
    const run = a.run()
    await stage.clock.advance(1_000)
    assert.deepEqual([a.elector.isLeader(), a.elector.getLeader(), run.isOver], [true, 'a', false])
    run.stop.abort()
    await stage.clock.settle()
    assert.deepEqual(a.log, [
      '0 off default/db',
      '0 leader a',
      '0 on default/db',
      '0 event a became leader',
      '0 started',
      '1000 told',
      '1000 off default/db',
      '1000 event a stopped leading',
      '1000 stopped',
      '1000 leader ',
    ])
    assert.deepEqual([run.isOver, run.error, await stage.holder()], [true, undefined, ''])
    assert.deepEqual([a.elector.isLeader(), a.elector.getLeader(), stage.clock.nextTimerAt()], [false, '', undefined])
  })

  it('requests nothing and calls nothing back when it is ended before it runs', async () => {
    const a = candidate('a')
    const run = a.run({ signal: AbortSignal.abort() })
    await stage.clock.settle()
    assert.deepEqual([run.isOver, run.error, a.of.requests, a.log], [true, undefined, [], ['0 off default/db']])
  })

  it('calls nothing back when it is ended while it waits for another', async () => {
    leadOn(stage.candidate('b'))
    await stage.clock.settle()
    const a = candidate('a')
    const run = a.run()
    await stage.clock.advance(5_000)
    assert.deepEqual([a.elector.isLeader(), a.elector.getLeader()], [false, 'b'])
    run.stop.abort()
    await stage.clock.settle()
    assert.deepEqual([run.isOver, a.log], [true, ['0 off default/db', '0 leader b']])
  })

  it('has led nothing when a hook ends its term before its work is called', async () => {
    const stop = new AbortController()
    const a = candidate('a', { callbacks: { onNewLeader: () => stop.abort() } })
    const run = a.run({ signal: stop.signal })
    await stage.clock.settle()
    assert.deepEqual([run.isOver, a.log, await stage.holder()], [true, ['0 off default/db'], ''])
  })

  it('stops at the deadline when it is cut off, and contends no more until it is run again', async () => {
    const a = candidate('a')
    const first = a.run()
    await stage.clock.advance(3_000)
    a.of.fate = () => 'hang'
    await stage.clock.advance(9_000)
    assert.deepEqual(a.told(), ['0 started', '12000 told', '12000 stopped'])
    assert.equal(a.elector.isLeader(), false)
    await stage.clock.advance(60_000)
    assert.deepEqual([first.isOver, first.error, stage.clock.nextTimerAt()], [true, undefined, undefined])
    a.of.fate = () => 'pass'
    const second = a.run()
    await stage.clock.advance(15_000)
    assert.deepEqual([a.elector.isLeader(), second.isOver, a.told().length], [true, false, 4])
  })

  it('stops at once when another takes the lock, and tells who', async () => {
    const a = candidate('a')
    const run = a.run()
    await stage.clock.advance(1_000)
    await stage.edit((lease) => ({ ...lease, spec: { ...lease.spec, holderIdentity: 'b' } }))
    await stage.clock.settle()
    assert.deepEqual(a.told(), ['0 started', '1000 told', '1000 stopped'])
    assert.deepEqual([run.isOver, a.elector.getLeader(), await stage.holder()], [true, 'b', 'b'])
    assert.equal(a.log.filter((line) => line === '1000 leader b').length, 1)
    a.run()
    await stage.clock.settle()
    assert.equal(a.log.filter((line) => line.endsWith('leader b')).length, 1, 'once is enough')
  })

  it('cannot be run twice at a time', async () => {
    const a = candidate('a')
    a.run()
    await stage.clock.settle()
    const other = a.run()
    await stage.clock.settle()
    assert.match(String(other.error), /contending already/)
    assert.equal(a.elector.isLeader(), true)
  })

  const slow = (millis: number) => () =>
    new Promise<void>((resolve) => stage.clock.timer(stage.clock.now() + millis, resolve))
  const SLOW: readonly (readonly [string, Changes])[] = [
    ['onStartedLeading', { callbacks: { onStartedLeading: (signal) => aborted(signal).then(() => slow(3_000)()) } }],
    ['onStoppedLeading', { callbacks: { onStoppedLeading: () => slow(3_000)() } }],
  ]
  for (const [name, changes] of SLOW) {
    it(`releases only after ${name} has returned`, async () => {
      const a = candidate('a', changes)
      const run = a.run()
      await stage.clock.advance(1_000)
      run.stop.abort()
      await stage.clock.advance(2_999)
      assert.deepEqual([run.isOver, a.elector.isLeader(), await stage.holder()], [false, false, 'a'])
      await stage.clock.advance(1)
      assert.deepEqual([run.isOver, await stage.holder()], [true, ''])
    })
  }

  it('ends also when its work asks for that at once', async () => {
    const stop = new AbortController()
    const a = candidate('a', { callbacks: { onStartedLeading: () => stop.abort() } })
    const run = a.run({ signal: stop.signal })
    await stage.clock.settle()
    assert.deepEqual([run.isOver, run.error, a.told(), await stage.holder()], [true, undefined, ['0 stopped'], ''])
  })

  it('leads on when onStartedLeading returns early', async () => {
    const a = candidate('a', { callbacks: { onStartedLeading: () => undefined } })
    a.run()
    await stage.clock.advance(60_000)
    assert.deepEqual([a.elector.isLeader(), a.told()], [true, []])
  })

  const boom = new Error('boom')
  const bang = new Error('bang')
  const FAILURES: readonly {
    readonly what: string
    readonly callbacks: Partial<LeaderCallbacks>
    readonly error: unknown
    readonly stops?: boolean
  }[] = [
    { what: 'work throws', callbacks: { onStartedLeading: () => Promise.reject(boom) }, error: boom },
    {
      what: 'work throws at once',
      callbacks: {
        onStartedLeading: () => {
          throw boom
        },
      },
      error: boom,
    },
    {
      what: 'work is aborted by something else',
      callbacks: { onStartedLeading: () => Promise.reject(abortError()) },
      error: abortError(),
    },
    {
      what: 'work says that it was told to stop',
      callbacks: { onStartedLeading: (signal) => aborted(signal).then(() => Promise.reject(abortError())) },
      stops: true,
      error: undefined,
    },
    {
      what: 'work throws the reason of its signal',
      callbacks: { onStartedLeading: (signal) => aborted(signal).then(() => signal.throwIfAborted()) },
      stops: true,
      error: undefined,
    },
    {
      what: 'work fails to stop',
      callbacks: { onStartedLeading: (signal) => aborted(signal).then(() => Promise.reject(boom)) },
      stops: true,
      error: boom,
    },
    {
      what: 'onStoppedLeading throws',
      callbacks: { onStoppedLeading: () => Promise.reject(bang) },
      stops: true,
      error: bang,
    },
    {
      what: 'both throw',
      callbacks: { onStartedLeading: () => Promise.reject(boom), onStoppedLeading: () => Promise.reject(bang) },
      error: new AggregateError([boom, bang], 'both callbacks have thrown'),
    },
  ]
  for (const { what, callbacks, error, stops = false } of FAILURES) {
    it(`ends the term and releases when ${what}, and run ${error ? 'rejects with that' : 'resolves'}`, async () => {
      const a = candidate('a', { callbacks })
      const run = a.run()
      await stage.clock.settle()
      if (stops) run.stop.abort()
      await stage.clock.settle()
      assert.deepEqual([run.isOver, run.error, await stage.holder(), a.of.errors], [true, error, '', []])
      assert.equal(a.log.filter((line) => line === '0 event a stopped leading').length, 1)
      assert.equal(stage.clock.nextTimerAt(), undefined)
    })
  }

  it('is not harmed by a recorder, a metric or a listener that throws, and reports it', async () => {
    const throws = (): never => {
      throw boom
    }
    const { lock, process, errors } = stage.candidate('a')
    const metrics = new LeaderMetrics()
    metrics.setProvider({ newLeaderMetric: () => ({ on: throws, off: () => undefined }) })
    const config: LeaderElectionConfig = {
      lock: { identity: 'a', lock, describe: () => 'default/db', recordEvent: () => Promise.reject(boom) },
      leaseDurationSeconds: 15,
      renewDeadlineSeconds: 10,
      retryPeriodSeconds: 2,
      clock: process,
      onError: (error) => errors.push(error),
      callbacks: { onStartedLeading: () => undefined, onStoppedLeading: () => undefined, onNewLeader: throws },
    }
    const elector = new LeaderElector(config, undefined, metrics)
    void elector.run()
    await stage.clock.advance(5_000)
    assert.equal(elector.isLeader(), true)
    assert.deepEqual(
      errors.map(({ code, message }) => [code, message]),
      [
        ['hook', 'onNewLeader has thrown: Error: boom'],
        ['hook', 'the metric has thrown: Error: boom'],
        ['hook', 'recordEvent has thrown: Error: boom'],
      ],
    )
  })

  it('refuses what client-go refuses, in its words and one by one, and what an Elector refuses, all at once', () => {
    assert.throws(
      () => candidate('a', { leaseDurationSeconds: 9, lock: { identity: '', lock: KEY, describe: () => '' } }),
      {
        name: 'InvalidOptionsError',
        violations: ['leaseDuration must be greater than renewDeadline'],
      },
    )
    assert.throws(
      () => candidate('a', { leaseDurationSeconds: 10.5, termLimitSeconds: -1 }),
      (error) => error instanceof InvalidOptionsError && error.violations.length === 3,
    )
    assert.ok(candidate('a', { leaseDurationSeconds: 11, clockDrift: 0 }))
  })

  describe('health', () => {
    /** `a` leads, its last renewal is of 2 s, and its work does not end by itself. */
    async function stuck() {
      const hung = Promise.withResolvers<void>()
      const a = candidate('a', { callbacks: { onStartedLeading: () => hung.promise } })
      const run = a.run()
      await stage.clock.advance(3_000)
      return { ...a, run: () => run, hung }
    }
    const MESSAGE = 'failed election to renew leadership on lease default/db'

    it('is good while it leads, and while it follows', async () => {
      const a = await stuck()
      await stage.clock.advance(600_000)
      const b = candidate('b')
      b.run()
      await stage.clock.advance(1_000)
      assert.deepEqual([a.elector.check(0), b.elector.check(0)], [undefined, undefined])
    })

    it('is bad when work has outlived the lease by what is tolerated, and good again when it has returned', async () => {
      const a = await stuck()
      a.of.fate = () => 'hang'
      await stage.clock.advance(19_000)
      assert.equal(a.elector.check(5), undefined, '20 s after the last renewal')
      await stage.clock.advance(1)
      assert.equal(a.elector.check(5)?.message, MESSAGE)
      assert.equal(a.elector.check(6), undefined)
      a.hung.resolve()
      await stage.clock.advance(60_000)
      assert.deepEqual([a.run().isOver, a.elector.check(0)], [true, undefined])
    })

    it('counts from the last renewal also when the end was asked for', async () => {
      const a = await stuck()
      a.run().stop.abort()
      await stage.clock.advance(14_000)
      assert.equal(a.elector.check(0), undefined)
      await stage.clock.advance(1)
      assert.equal(a.elector.check(0)?.message, MESSAGE)
    })
  })

  describe('with a term limit', () => {
    it('gives up and returns, lets others come first, and leads again when it is run again', async () => {
      const a = candidate('a', { termLimitSeconds: 60 })
      const first = a.run()
      await stage.clock.advance(60_000)
      assert.deepEqual([first.isOver, a.told().length, await stage.holder()], [true, 3, ''])
      a.run()
      await stage.clock.advance(4_399)
      assert.deepEqual([a.elector.isLeader(), await stage.holder()], [false, ''])
      await stage.clock.advance(1)
      assert.deepEqual([a.elector.isLeader(), await stage.holder()], [true, 'a'])
    })

    it('does not wait when its caller has', async () => {
      const a = candidate('a', { termLimitSeconds: 60 })
      a.run()
      await stage.clock.advance(64_401)
      a.run()
      await stage.clock.settle()
      assert.equal(a.elector.isLeader(), true)
    })

    it('leads again at once when it has ended for another reason', async () => {
      const a = candidate('a', { termLimitSeconds: 60 })
      const first = a.run()
      await stage.clock.advance(1_000)
      first.stop.abort()
      await stage.clock.settle()
      a.run()
      await stage.clock.settle()
      assert.deepEqual([first.isOver, a.elector.isLeader()], [true, true])
    })

    it('of 0 leads for ever', async () => {
      const a = candidate('a', { termLimitSeconds: 0 })
      a.run()
      await stage.clock.advance(3_600_000)
      assert.deepEqual([a.elector.isLeader(), a.told()], [true, ['0 started']])
    })

    it('takes turns with another', async () => {
      const both = ['a', 'b'].map((identity) => candidate(identity, { termLimitSeconds: 60 }))
      for (const { elector } of both) void runForEver(elector)
      const holders: unknown[] = []
      for (let minute = 0; minute < 4; minute++) {
        await stage.clock.advance(59_000)
        holders.push(await stage.holder())
        await stage.clock.advance(1_000)
      }
      assert.deepEqual(holders, ['a', 'b', 'a', 'b'])
    })

    async function runForEver(elector: LeaderElector): Promise<never> {
      for (;;) await elector.run()
    }
  })

  describe('with a task', () => {
    const TASKS: readonly {
      readonly what: string
      readonly value: boolean
      readonly leads: boolean
      readonly ends: boolean
    }[] = [
      { what: 'was done by another', value: true, leads: false, ends: true },
      { what: 'was failed by another', value: false, leads: false, ends: false },
      { what: 'is done while it leads', value: true, leads: true, ends: true },
      { what: 'has failed while it leads', value: false, leads: true, ends: true },
    ]
    for (const { what, value, leads, ends } of TASKS) {
      for (const kind of ['promise', 'channel'] as const) {
        it(`${ends ? 'ends' : 'goes on'} when the task ${what}, by a ${kind}`, async () => {
          if (!leads) leadOn(stage.candidate('b'))
          await stage.clock.settle()
          const { promise, resolve } = Promise.withResolvers<boolean>()
          const a = candidate('a')
          const run = a.run({ task: kind === 'promise' ? promise : channelOf(promise) })
          await stage.clock.advance(1_000)
          resolve(value)
          await stage.clock.settle()
          assert.deepEqual([run.isOver, run.error], [ends, undefined])
          assert.deepEqual(a.told(), leads ? ['0 started', '1000 told', '1000 stopped'] : [])
          assert.equal(await stage.holder(), leads ? '' : 'b')
        })
      }
    }

    it('ends with what the task rejects with', async () => {
      const { promise, reject } = Promise.withResolvers<boolean>()
      const a = candidate('a')
      const run = a.run({ task: promise })
      await stage.clock.settle()
      reject(boom)
      await stage.clock.settle()
      assert.deepEqual([run.isOver, run.error, a.told().length, await stage.holder()], [true, boom, 3, ''])
    })

    it('reports what the task rejects with later', async () => {
      const { promise, reject } = Promise.withResolvers<boolean>()
      const a = candidate('a')
      const run = a.run({ task: promise })
      await stage.clock.settle()
      run.stop.abort()
      await stage.clock.settle()
      reject(boom)
      await stage.clock.settle()
      assert.deepEqual([run.error, a.of.errors.map(({ cause }) => cause)], [undefined, [boom]])
    })

    async function* channelOf(value: Promise<boolean>): AsyncGenerator<boolean, void, void> {
      yield await value
    }
  })
})
