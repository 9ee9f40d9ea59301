import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { FrameTooLong, frames } from './frames.ts'

async function* cut(bytes: Uint8Array, cuts: readonly number[]): AsyncGenerator<Uint8Array, void> {
  const ends = [...new Set(cuts.map((at) => at % (bytes.length + 1))), bytes.length].toSorted((a, b) => a - b)
  let start = 0
  for (const end of ends) {
    yield bytes.subarray(start, end)
    start = end
  }
}

async function split(text: string, cuts: readonly number[] = [], maxBytes?: number): Promise<string[]> {
  const found: string[] = []
  for await (const frame of frames(cut(new TextEncoder().encode(text), cuts), maxBytes)) found.push(frame)
  return found
}

describe('frames', () => {
  it('gives the same lines wherever the stream is cut, within characters too', async () => {
    const line = fc.string({ unit: 'grapheme', minLength: 1 }).map((text) => JSON.stringify(text))
    await fc.assert(
      fc.asyncProperty(fc.array(line), fc.array(fc.nat()), async (lines, cuts) => {
        assert.deepEqual(await split(lines.map((each) => `${each}\n`).join(''), cuts), lines)
      }),
    )
  })

  it('drops what follows the last newline', async () => {
    assert.deepEqual(await split('{"a":1}\n{"b":'), ['{"a":1}'])
    assert.deepEqual(await split('{"a":1}'), [])
  })

  it('skips empty lines', async () => {
    assert.deepEqual(await split('\n{}\n\n{}\n'), ['{}', '{}'])
  })

  it('refuses a frame beyond its limit, whether its newline has come or not', async () => {
    assert.deepEqual(await split('12345678\n', [3], 8), ['12345678'])
    await assert.rejects(split('123456789\n', [], 8), FrameTooLong)
    await assert.rejects(split('123456789\n', [3, 6], 8), FrameTooLong)
    await assert.rejects(split('123456789', [3], 8), FrameTooLong)
  })

  it('closes the stream when its reader leaves', async () => {
    let closed = false
    async function* endless(): AsyncGenerator<Uint8Array, void> {
      try {
        for (;;) yield new TextEncoder().encode('{}\n')
      } finally {
        closed = true
      }
    }
    for await (const frame of frames(endless())) {
      assert.equal(frame, '{}')
      break
    }
    assert.ok(closed)
  })
})
