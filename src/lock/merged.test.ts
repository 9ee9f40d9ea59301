import { strict as assert } from 'node:assert'
import { merged } from './merged.ts'

/** A stream that gives what it is told, until it is told to end or to fail. */
function tap() {
  let { promise, resolve, reject } = Promise.withResolvers<string | undefined>()
  const stream = (async function* () {
    for (;;) {
      const value = await promise
      ;({ promise, resolve, reject } = Promise.withResolvers<string | undefined>())
      if (value === undefined) return
      yield value
    }
  })()
  return {
    stream,
    give: (value: string | undefined): void => resolve(value),
    fail: (error: Error): void => reject(error),
  }
}

describe('merged', () => {
  it('gives the values of all as they come, and ends with the first, the others told', async () => {
    const [a, b] = [tap(), tap()]
    const all = merged([a.stream, b.stream], () => a.give(undefined))
    for (const [from, value] of [
      [b, '1'],
      [a, '2'],
      [b, '3'],
    ] as const) {
      const next = all.next()
      from.give(value)
      assert.deepEqual(await next, { done: false, value })
    }
    const last = all.next()
    b.give(undefined)
    assert.deepEqual(await last, { done: true, value: undefined })
    assert.deepEqual(await a.stream.next(), { done: true, value: undefined })
  })

  it('fails with the first that fails', async () => {
    const [a, b] = [tap(), tap()]
    const all = merged([a.stream, b.stream], () => b.give(undefined))
    const next = assert.rejects(all.next(), /cut/)
    a.fail(new Error('cut'))
    await next
  })

  it('stops all when it is left', async () => {
    const [a, b] = [tap(), tap()]
    let stops = 0
    const all = merged([a.stream, b.stream], () => {
      stops++
      a.give(undefined)
      b.fail(new Error('aborted'))
    })
    const next = all.next()
    a.give('1')
    await next
    await all.return()
    assert.equal(stops, 1)
  })
})
