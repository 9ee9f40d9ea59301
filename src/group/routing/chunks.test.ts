import assert from 'node:assert/strict'
import { divide, LARGEST_SLICE, type Chunk } from './chunks.ts'
import { endpointsFor, type EndpointSet } from './endpoints.ts'
import { pod, wish } from './fixtures.ts'

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, n) => from + n)
const named = (n: number): string => `db-${String(n).padStart(5, '0')}`

/** The set of the pods with these numbers; `port` is what the name sql means in them. */
function setOf(numbers: readonly number[], port = 5432): readonly EndpointSet[] {
  const pods = numbers.map((n) => pod(n, { name: named(n), ports: [{ name: 'sql', containerPort: port }] }))
  return endpointsFor(wish(), pods, 'shop', ['IPv4']).sets
}

const sizes = (chunks: readonly Chunk[]): readonly string[] =>
  chunks.map(({ index, ports, endpoints }) => `${index}: ${endpoints.length} at ${ports[0]!.port}`)

const changed = (before: readonly Chunk[], after: readonly Chunk[]): readonly number[] => {
  const indexes = new Set([...before, ...after].map(({ index }) => index))
  const text = (chunks: readonly Chunk[], index: number): string =>
    JSON.stringify(chunks.find((chunk) => chunk.index === index))
  return [...indexes].filter((index) => text(before, index) !== text(after, index))
}

describe('divide', () => {
  const full = divide(setOf(range(0, 2500)), [])

  it('fills slices of 1,000', () => {
    assert.deepEqual(sizes(full), ['0: 1000 at 5432', '1: 1000 at 5432', '2: 500 at 5432'])
    assert.equal(LARGEST_SLICE, 1000)
  })

  it('gives the same again', () => assert.deepEqual(divide(setOf(range(0, 2500)), full), full))

  it('has nothing for nobody', () => assert.deepEqual(divide([], full), []))

  it('changes one slice when a pod goes, also one of the first', () => {
    const numbers = range(0, 2500).filter((n) => n !== 3)
    assert.deepEqual(changed(full, divide(setOf(numbers), full)), [0])
  })

  it('changes one slice when a pod comes, also one that sorts first', () => {
    const without = divide(setOf(range(1, 2501)), [])
    assert.deepEqual(changed(without, divide(setOf(range(0, 2501)), without)), [2])
  })

  it('puts a new pod where one has left', () => {
    const thinner = divide(setOf(range(0, 2500).filter((n) => n !== 3)), full)
    const refilled = divide(setOf([...range(0, 2501)].filter((n) => n !== 3)), thinner)
    assert.deepEqual(changed(thinner, refilled), [0])
  })

  it('does not merge thin slices', () => {
    const thin = divide(setOf([0, 1000, 2000]), full)
    assert.deepEqual(sizes(thin), ['0: 1 at 5432', '1: 1 at 5432', '2: 1 at 5432'])
  })

  it('opens a new slice with the lowest number that is free', () => {
    const holed = full.filter(({ index }) => index !== 0)
    const numbers = range(1000, 4000)
    assert.deepEqual(sizes(divide(setOf(numbers), holed)).toSorted(), [
      '0: 1000 at 5432',
      '1: 1000 at 5432',
      '2: 1000 at 5432',
    ])
  })

  it('keeps other numbers behind the ports apart', () => {
    const sets = [...setOf([1, 2]), ...setOf([3], 3306)]
    assert.deepEqual(sizes(divide(sets, [])), ['0: 2 at 5432', '1: 1 at 3306'])
    assert.deepEqual(sizes(divide(sets.toReversed(), divide(sets, []))), ['1: 1 at 3306', '0: 2 at 5432'])
  })

  it('reuses a slice whose ports nobody has any more', () => {
    const before = divide(setOf([1, 2], 3306), [])
    assert.deepEqual(sizes(divide(setOf([1, 2]), before)), ['0: 2 at 5432'])
  })

  it('gives no name away that is taken', () => {
    assert.deepEqual(sizes(divide(setOf([1]), [], new Set([0, 1, 3]))), ['2: 1 at 5432'])
  })

  it('of two slices with one pod lets the first keep it', () => {
    const [one] = divide(setOf([1]), [])
    assert.deepEqual(
      sizes(
        divide(setOf([1]), [
          { ...one!, index: 5 },
          { ...one!, index: 2 },
        ]),
      ),
      ['2: 1 at 5432'],
    )
  })
})
