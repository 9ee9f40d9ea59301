import { strict as assert } from 'node:assert'
import { InvalidOptionsError } from '../../lock/errors.ts'
import { Stage } from '../../sim/election-stage.ts'
import { startWhileLeading, type ControllerOptions, type StartController } from './start-while-leading.ts'

const NAMES = ['one', 'two', 'three']

describe('controllers', () => {
  let stage: Stage
  let log: string[]
  beforeEach(() => {
    stage = new Stage()
    log = []
  })

  const say = (what: string): unknown => log.push(`${stage.clock.now()} ${what}`)
  const pass = (millis: number): Promise<void> =>
    new Promise((resolve) => stage.clock.timer(stage.clock.now() + millis, resolve))
  const all = (changes: Readonly<Record<string, StartController>> = {}): Record<string, StartController> => ({
    ...Object.fromEntries(NAMES.map((name) => [name, () => (say(name), () => say(`-${name}`))])),
    ...changes,
  })

  /** `a` leads with these controllers. */
  function lead(controllers: Record<string, StartController>, options: ControllerOptions = {}) {
    const a = stage.candidate('a')
    const work = startWhileLeading(controllers, { clock: stage.clock, random: () => 0.5, ...options })
    const leading = { a, stop: new AbortController(), error: undefined as unknown, isOver: false }
    a.elector
      .lead(work, { signal: leading.stop.signal })
      .catch((error: unknown) => (leading.error = error))
      .finally(() => (leading.isOver = true))
    return leading
  }

  it('start one after the other with a jittered pause, and stop in reverse order before the release', async () => {
    const slow: StartController = async () => {
      await pass(100)
      say('two')
      return async () => {
        await pass(500)
        say(`-two, held by ${await stage.holder()}`)
      }
    }
    const leading = lead(all({ two: slow }), { startIntervalSeconds: 1 })
    await stage.clock.advance(60_000)
    assert.deepEqual(log, ['1500 one', '3100 two', '4600 three'])
    leading.stop.abort()
    await stage.clock.advance(1_000)
    assert.deepEqual(log.slice(3), ['60000 -three', '60500 -two, held by a', '60500 -one'])
    assert.deepEqual([leading.isOver, leading.error, await stage.holder()], [true, undefined, ''])
  })

  it('start without a pause unless told otherwise, only those that are enabled', async () => {
    const leading = lead(all({ two: () => undefined, four: () => say('four') as never }), {
      patterns: ['*', '-one'],
      disabledByDefault: ['four'],
    })
    await stage.clock.settle()
    leading.stop.abort()
    await stage.clock.settle()
    assert.deepEqual(log, ['0 three', '0 -three'])
  })

  it('are started no more when the term ends meanwhile', async () => {
    const leading = lead(all(), { startIntervalSeconds: 1 })
    await stage.clock.advance(2_000)
    leading.stop.abort()
    await stage.clock.settle()
    assert.deepEqual([log, leading.isOver, await stage.holder()], [['1500 one', '2000 -one'], true, ''])
    assert.equal(stage.clock.nextTimerAt(), undefined)
  })

  it('are stopped when one of them does not start, which ends the election', async () => {
    const leading = lead(all({ three: () => Promise.reject(new Error('boom')) }))
    await stage.clock.settle()
    assert.deepEqual([leading.isOver, leading.error], [true, new Error('boom')])
    assert.deepEqual([log, await stage.holder()], [['0 one', '0 two', '0 -two', '0 -one'], ''])
  })

  it('are all stopped, also when some of them cannot be', async () => {
    const broken: StartController = () => () => Promise.reject(new Error('stuck'))
    const leading = lead(all({ two: broken }))
    await stage.clock.settle()
    leading.stop.abort()
    await stage.clock.settle()
    assert.deepEqual(log, ['0 one', '0 three', '0 -three', '0 -one'])
    assert.ok(leading.error instanceof AggregateError)
    assert.equal(leading.error.message, 'two could not be stopped: Error: stuck')
  })

  it('exit at once when the term is lost, though one of them hangs', async () => {
    const leading = lead(all({ two: () => pass(3_600_000) }), { exit: ({ reason }) => say(`exit: ${reason}`) })
    await stage.clock.advance(1_000)
    leading.a.fate = () => 'hang'
    await stage.clock.advance(20_000)
    assert.deepEqual(log, ['0 one', '10000 exit: deadline'])
  })

  it('do not exit when the end was asked for', async () => {
    const leading = lead(all(), { exit: () => say('exit') })
    await stage.clock.settle()
    await Promise.all([leading.a.elector.stepDown(), stage.clock.advance(1_000)])
    leading.stop.abort()
    await stage.clock.settle()
    assert.deepEqual([leading.isOver, log.includes('0 exit'), log.length], [true, false, 6])
  })

  it('end the election with what exit throws, stopped', async () => {
    const leading = lead(all(), { exit: () => assert.fail('no way out') })
    await stage.clock.settle()
    await stage.edit((lease) => ({ ...lease, spec: { ...lease.spec, holderIdentity: 'b' } }))
    await stage.clock.settle()
    assert.match(String(leading.error), /no way out/)
    assert.equal(log.length, 6)
  })

  it('start again in the next term', async () => {
    const leading = lead({ one: all()['one']! })
    await stage.clock.settle()
    await Promise.all([leading.a.elector.stepDown({ standBackSeconds: 1 }), stage.clock.advance(1_000)])
    assert.deepEqual(log, ['0 one', '0 -one', '1000 one'])
  })

  it('must be valid, all of them', () => {
    const invalid = (): unknown =>
      startWhileLeading(
        { '-one': () => undefined, '*': () => undefined, two: 2 as never },
        { patterns: ['tow'], disabledByDefault: ['four'], startIntervalSeconds: -1 },
      )
    assert.throws(invalid, (error) => error instanceof InvalidOptionsError && error.violations.length === 6)
  })
})
