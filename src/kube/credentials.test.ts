import assert from 'node:assert/strict'
import { VirtualClock } from '../sim/clock.ts'
import { rereading, type Access } from './credentials.ts'

const token = (authorization: string): Access => ({ tls: { ca: 'pem' }, headers: { authorization } })

function scene(): {
  clock: VirtualClock
  load: ReturnType<typeof rereading>
  state: { next: string; reads: number }
} {
  const clock = new VirtualClock()
  const state = { next: 'a', reads: 0 }
  const load = rereading(clock, async () => {
    state.reads++
    if (state.next === 'fail') throw new Error('no such file')
    return token(state.next)
  })
  return { clock, load, state }
}

describe('credentials, reread', () => {
  it('are kept for a minute', async () => {
    const { clock, load, state } = scene()
    const first = await load()
    state.next = 'b'
    await clock.advance(59_999)
    assert.equal(await load(), first)
    await clock.advance(1)
    assert.deepEqual(await load(), token('b'))
    assert.equal(state.reads, 2)
  })

  it('are the same object while nothing has changed', async () => {
    const { clock, load, state } = scene()
    const first = await load()
    await clock.advance(60_000)
    assert.equal(await load(), first)
    assert.equal(await load(first), first)
    assert.equal(state.reads, 3)
  })

  it('are read once for all who wait', async () => {
    const { load, state } = scene()
    const [a, b] = await Promise.all([load(), load()])
    assert.equal(a, b)
    assert.equal(state.reads, 1)
  })

  it('are read at once after a refusal, but not again for those who were refused with the same', async () => {
    const { load, state } = scene()
    const first = await load()
    state.next = 'b'
    const renewed = await load(first)
    assert.deepEqual(renewed, token('b'))
    assert.equal(await load(first), renewed)
    assert.equal(state.reads, 2)
  })

  it('stay in use when they cannot be read, until they are refused', async () => {
    const { clock, load, state } = scene()
    const first = await load()
    state.next = 'fail'
    await clock.advance(60_000)
    assert.equal(await load(), first)
    assert.equal(await load(), first)
    assert.equal(state.reads, 2, 'a failed read counts as one')
    await assert.rejects(load(first), /no such file/)
    state.next = 'b'
    assert.deepEqual(await load(first), token('b'))
  })

  it('reject while there never were any, and are read again for the next', async () => {
    const { load, state } = scene()
    state.next = 'fail'
    await assert.rejects(load(), /no such file/)
    state.next = 'a'
    assert.deepEqual(await load(), token('a'))
  })
})
