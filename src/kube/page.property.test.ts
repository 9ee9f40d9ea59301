import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { runs } from '../sim/runs.ts'
import type { KubeObject } from './objects.ts'
import { ApiError } from './outcome.ts'
import { ItemSplitter } from './item-splitter.ts'
import { readPage } from './page.ts'

/** What trips up who looks for brackets and quotes in strings. */
const text = fc.oneof(fc.string(), fc.stringMatching(/^[\\"[\]{},:a]*$/), fc.constantFrom('items', '"items":[', '\\'))
const value: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    text,
    fc.constantFrom(null, true, 1.5),
    fc.array(tie('value')),
    fc.dictionary(text, tie('value')),
  ),
})).value
const object = fc.record({ metadata: fc.record({ name: text, labels: value }), spec: value })
const inserted = fc.constantFrom('', '"', '\\', ',', ']', '}', '[', '{', 'x')
const lengths = fc.array(fc.nat({ max: 20 }), { maxLength: 20 })
const list = fc.record({ kind: text, metadata: fc.record({ resourceVersion: fc.constant('7') }), other: value })

/** In chunks of some lengths, and then all that is left. */
function* cut(whole: string, lengths: readonly number[]): Generator<Uint8Array, void> {
  let bytes: Uint8Array = Buffer.from(whole)
  for (const length of lengths) {
    yield bytes.subarray(0, length)
    bytes = bytes.subarray(length)
  }
  yield bytes
}

async function read(whole: string, lengths: readonly number[]): Promise<readonly unknown[] | undefined> {
  const body = (async function* () {
    yield* cut(whole, lengths)
  })()
  try {
    return (await readPage('GET /api', body, (item) => item)).items
  } catch (error) {
    assert.ok(error instanceof ApiError && error.reason === 'Malformed', String(error))
    return undefined
  }
}

const expected = (whole: string): readonly unknown[] | undefined => {
  try {
    const page = JSON.parse(whole) as { items?: unknown; metadata?: { resourceVersion?: unknown } } | null
    if (!/^\d+$/.test(page?.metadata?.resourceVersion as string)) return undefined
    const items = page!.items ?? []
    const isNamed = (item: unknown): boolean => typeof (item as KubeObject | null)?.metadata?.name === 'string'
    return Array.isArray(items) && items.every(isNamed) ? items : undefined
  } catch {
    return undefined
  }
}

describe('a page of a list', () => {
  it('is what the whole text is, wherever the items stand, and however it is cut', () =>
    fc.assert(
      fc.asyncProperty(
        list,
        fc.array(fc.oneof(object, value)),
        fc.boolean(),
        lengths,
        async (rest, items, last, cuts) => {
          const whole = JSON.stringify(last ? { ...rest, items } : { items, ...rest })
          assert.deepEqual(await read(whole, cuts), expected(whole))
        },
      ),
      runs(200),
    ))

  it('is cut at its items, of which nothing is left in the rest', () => {
    fc.assert(
      fc.property(list, fc.array(object), lengths, (rest, items, cuts) => {
        const splitter = new ItemSplitter()
        const chunks = cut(JSON.stringify({ ...rest, items }), cuts)
        const texts = [...chunks].flatMap((chunk) => splitter.split(chunk))
        assert.deepEqual(
          texts,
          items.map((item) => JSON.stringify(item)),
        )
        assert.equal(splitter.rest, JSON.stringify({ ...rest, items: [] }))
      }),
      runs(200),
    )
  })

  it('is nothing where the text is broken, or what JSON says it is', () =>
    fc.assert(
      fc.asyncProperty(list, fc.array(object), fc.nat(), inserted, lengths, async (rest, items, at, put, cuts) => {
        const whole = JSON.stringify({ ...rest, items })
        const broken = whole.slice(0, at % whole.length) + put + whole.slice((at % whole.length) + 1)
        assert.deepEqual(await read(broken, cuts), expected(broken))
      }),
      runs(200),
    ))

  it('may have blanks', async () => {
    const whole = JSON.stringify({ metadata: { resourceVersion: '7' }, items: [{ metadata: { name: 'a' } }] }, null, 2)
    assert.deepEqual(await read(whole, []), [{ metadata: { name: 'a' } }])
  })

  it('is reduced object by object, before the next one is parsed', async () => {
    const body = (async function* () {
      yield Buffer.from('{"metadata":{"resourceVersion":"7"},"items":[{"metadata":{"name":"a"}},{"metadata":{"na')
      yield Buffer.from('me":"b"}},nonsense]}')
    })()
    const kept: string[] = []
    const keep = (item: KubeObject): KubeObject => {
      kept.push(item.metadata.name)
      return item
    }
    await assert.rejects(readPage('GET /api', body, keep), { reason: 'Malformed' })
    assert.deepEqual(kept, ['a', 'b'])
  })
})
