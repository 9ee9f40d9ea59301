import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { runs } from '../sim/runs.ts'
import { FrameTooLong, frames } from './frames.ts'
import { MalformedEvent, parseEvent } from './watch-event.ts'

const encoder = new TextEncoder()
const line = fc.oneof(fc.json(), fc.string({ unit: 'binary' })).map((text) => text.replaceAll('\n', ''))
/** Where a stream is cut into chunks, as parts of its length; some chunks are empty. */
const cuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 12 })

async function* chunked(bytes: Uint8Array, at: readonly number[]): AsyncGenerator<Uint8Array> {
  let start = 0
  for (const end of [...at.map((part) => Math.floor(part * bytes.length)).toSorted((a, b) => a - b), bytes.length]) {
    yield bytes.subarray(start, end)
    start = end
  }
}

describe('frames, however a stream is cut', () => {
  it('are the whole lines, and nothing of one that broke off', async () => {
    const pieces = fc.record({ lines: fc.array(line, { maxLength: 8 }), broken: line, cuts })
    await fc.assert(
      fc.asyncProperty(pieces, async ({ lines, broken, cuts: at }) => {
        const bytes = encoder.encode([...lines, broken].join('\n'))
        const found: string[] = []
        for await (const frame of frames(chunked(bytes, at))) found.push(frame)
        // What is no text in UTF-8 comes as the replacement character, cut or not.
        const whole = lines.filter((text) => text !== '').map((text) => text.toWellFormed())
        assert.deepEqual(found, whole)
      }),
      runs(500),
    )
  })

  it('are refused beyond their limit wherever the cuts are, and the lines before are not lost', async () => {
    const pieces = fc.record({ lines: fc.array(fc.string({ maxLength: 5 }), { maxLength: 4 }), over: fc.nat(40), cuts })
    await fc.assert(
      fc.asyncProperty(pieces, async ({ lines, over, cuts: at }) => {
        const short = lines.map((text) => text.replaceAll(/[^ -~]/g, ''))
        const bytes = encoder.encode([...short, 'x'.repeat(11 + over)].join('\n'))
        const found: string[] = []
        const reading = (async () => {
          for await (const frame of frames(chunked(bytes, at), 10)) found.push(frame)
        })()
        await assert.rejects(reading, FrameTooLong)
        assert.deepEqual(
          found,
          short.filter((text) => text !== ''),
        )
      }),
      runs(300),
    )
  })

  it('are watch events, or said to be none', () => {
    const types = fc.constantFrom('ADDED', 'MODIFIED', 'DELETED', 'BOOKMARK', 'ERROR', '__proto__', '')
    const version = fc.oneof(fc.nat().map(String), fc.jsonValue())
    const metadata = fc.oneof(fc.record({ resourceVersion: version, name: fc.jsonValue() }), fc.jsonValue())
    const object = fc.oneof(fc.record({ metadata }), fc.jsonValue())
    const event = fc.record({ type: fc.oneof(types, fc.jsonValue()), object }, { requiredKeys: [] })
    let events = 0
    fc.assert(
      fc.property(
        fc.oneof(
          event.map((value) => JSON.stringify(value)),
          fc.json(),
          fc.string(),
        ),
        (frame) => {
          try {
            const { type } = parseEvent('watch pods', frame)
            assert.match(type, /^(ADDED|MODIFIED|DELETED|BOOKMARK|ERROR)$/)
            events++
          } catch (error) {
            assert.ok(error instanceof MalformedEvent, String(error))
            assert.match(error.message, /^watch pods: not a watch event: /)
          }
        },
      ),
      runs(2000),
    )
    assert.ok(events > 0, 'there was never an event, so nothing was shown')
  })
})
