import assert from 'node:assert/strict'
import { Turns } from './turns.ts'

const never = new AbortController().signal
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

describe('turns', () => {
  /** Who has a turn, in the order in which they got it. */
  const queue = (turns: Turns, names: readonly string[], signal = never): string[] => {
    const got: string[] = []
    for (const name of names) {
      turns
        .take(signal, () => got.push(name))
        .then(
          (begun) => begun ?? got.push(`${name} is sent away`),
          (reason: Error) => got.push(`${name}: ${reason.message}`),
        )
    }
    return got
  }

  it('are so many at a time, and then in order', async () => {
    const turns = new Turns(2)
    const got = queue(turns, ['a', 'b', 'c', 'd'])
    await settled()
    assert.deepEqual(got, ['a', 'b'])
    turns.give()
    await settled()
    assert.deepEqual(got, ['a', 'b', 'c'])
    turns.give()
    turns.give()
    turns.give()
    const late = queue(turns, ['e', 'f', 'g'])
    await settled()
    assert.deepEqual(
      [got, late],
      [
        ['a', 'b', 'c', 'd'],
        ['e', 'f'],
      ],
    )
  })

  it('pass over who has given up, also at the moment of being given one', async () => {
    const turns = new Turns(1)
    const limit = new AbortController()
    const first = queue(turns, ['a'])
    const [early, next] = [queue(turns, ['b'], limit.signal), queue(turns, ['c'])]
    await settled()
    limit.abort(new Error('late'))
    turns.give()
    await settled()
    assert.deepEqual([first, early, next], [['a'], ['b: late'], ['c']])

    const other = new AbortController()
    const [given, last] = [queue(turns, ['d'], other.signal), queue(turns, ['e'])]
    turns.give()
    other.abort(new Error('late'))
    await settled()
    assert.deepEqual([given, last], [['d: late'], ['e']])
  })

  it('send all away when they are closed', async () => {
    const turns = new Turns(1)
    const got = queue(turns, ['a', 'b', 'c'])
    turns.close()
    await settled()
    assert.deepEqual(got, ['a', 'b is sent away', 'c is sent away'])
    assert.equal(await turns.take(never, () => 'a turn'), undefined)
  })

  it('are none for who was given one just before they were closed', async () => {
    const turns = new Turns(1)
    const got = queue(turns, ['a', 'b'])
    turns.give()
    turns.close()
    await settled()
    assert.deepEqual(got, ['a', 'b is sent away'])
  })
})
