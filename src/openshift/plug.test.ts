import { strict as assert } from 'node:assert'
import { Plug, PlugStoppedError } from './plug.ts'

describe('plug', () => {
  it('tells all that wait for the start, before and after it', async () => {
    const plug = new Plug()
    const early = [plug.waitForStart(), plug.waitForStart()]
    assert.equal(plug.isStarted(), false)
    plug.start()
    plug.start()
    await Promise.all([...early, plug.waitForStart()])
    assert.equal(plug.isStarted(), true)
  })

  it('can be on from the start', () => {
    assert.deepEqual([new Plug(true).isStarted(), new Plug(false).isStarted()], [true, false])
  })

  it('tells its reason to stop to everybody, and the first one only', async () => {
    const plug = new Plug(true)
    const early = [plug.waitForStop(), plug.waitForStop()].map((waiting) => assert.rejects(waiting, /first/))
    void plug.stop(new Error('first'))
    void plug.stop(new Error('second'))
    void plug.stop()
    await Promise.all([...early, assert.rejects(plug.waitForStop(), /first/)])
    assert.match(String(plug.signal.reason), /first/)
  })

  it('is no error to those who wait for a stop without a reason', async () => {
    const plug = new Plug(true)
    const waiting = plug.waitForStop()
    void plug.stop()
    await Promise.all([waiting, plug.waitForStop()])
    assert.ok(plug.signal.reason instanceof PlugStoppedError)
  })

  it('is off after a stop, and does not start again', async () => {
    const plug = new Plug(true)
    await plug.stop()
    plug.start()
    assert.equal(plug.isStarted(), false)
    await assert.rejects(plug.waitForStart(), PlugStoppedError)
  })

  it('lets go of those who wait for a start that will never be', async () => {
    const [plug, failed] = [new Plug(), new Plug()]
    const waiting = assert.rejects(plug.waitForStart(), PlugStoppedError)
    const told = assert.rejects(failed.waitForStart(), /why/)
    await plug.stop()
    await failed.stop(new Error('why'))
    await Promise.all([waiting, told])
    assert.equal(await plug.whileStarted(() => assert.fail('no work starts')), undefined)
  })

  it('ends a waiting that is aborted, with the reason', async () => {
    const plug = new Plug()
    const abort = new AbortController()
    const { signal } = abort
    const waiting = [plug.waitForStart({ signal }), plug.waitForStop({ signal })].map((each) =>
      assert.rejects(each, /enough/),
    )
    abort.abort(new Error('enough'))
    await Promise.all([...waiting, assert.rejects(plug.waitForStart({ signal }), /enough/)])
  })

  it('has stopped when its work has returned', async () => {
    const plug = new Plug()
    const order: string[] = []
    const release = Promise.withResolvers<void>()
    const work = plug.whileStarted(async (signal) => {
      order.push('started')
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
      order.push('told')
      await release.promise
      order.push('returned')
      return 'value'
    })
    plug.start()
    await plug.waitForStart()
    const stopped = plug.stop().then(() => order.push('stopped'))
    setImmediate(() => release.resolve())
    assert.equal(await work, 'value')
    await stopped
    assert.deepEqual(order, ['started', 'told', 'returned', 'stopped'])
  })

  it('gives the error of work to its caller, unless that says that it was told to stop', async () => {
    const plug = new Plug(true)
    await assert.rejects(
      plug.whileStarted(() => Promise.reject(new Error('boom'))),
      /boom/,
    )
    const told = plug.whileStarted(async (signal) => {
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
      signal.throwIfAborted()
    })
    const other = assert.rejects(
      plug.whileStarted(async (signal) => {
        await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
        throw new Error('disk full')
      }),
      /disk full/,
    )
    // Both have begun: their start was due before.
    await new Promise((resolve) => setImmediate(resolve))
    await plug.stop(new Error('lost'))
    assert.equal(await told, undefined)
    await other
  })
})
