import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { ineligibility, patience, ranked } from './candidates.ts'
import type { ObservedPod } from './observation.ts'
import { pod } from './fixtures.ts'

const REASONS: readonly (readonly [Partial<ObservedPod>, string | undefined])[] = [
  [{}, undefined],
  [{ selected: false }, 'is not selected'],
  [{ excluded: true }, 'is excluded by annotation'],
  [{ terminating: true }, 'is terminating'],
  [{ phase: 'Pending' }, 'is not running'],
  [{ phase: 'Failed' }, 'is not running'],
  [{ phase: undefined }, 'is not running'],
  [{ ready: false }, 'is not ready'],
  [{ ready: false, phase: 'Pending', terminating: true, excluded: true, selected: false }, 'is not selected'],
  [{ ready: false, phase: 'Pending', terminating: true, excluded: true }, 'is excluded by annotation'],
  [{ ready: false, phase: 'Pending', terminating: true }, 'is terminating'],
  [{ ready: false, phase: 'Pending' }, 'is not running'],
]

const at = (minute: number): string => `2026-01-01T00:${String(minute).padStart(2, '0')}:00Z`
const born = (
  name: string,
  revision: string | undefined,
  minute: number,
  more: Partial<ObservedPod> = {},
): ObservedPod => pod(name, { revision, creationTime: at(minute), ...more })

const ORDERS: readonly (readonly [string, readonly ObservedPod[], string])[] = [
  ['nobody among none', [], ''],
  ['the one Ready longest first', [pod('a', { readyTime: at(5) }), pod('b', { readyTime: at(2) })], 'b a'],
  ['then by name', [pod('b'), pod('a'), pod('a-1')], 'a a-1 b'],
  ['only who can lead', [pod('a', { ready: false }), pod('b'), pod('c', { selected: false })], 'b'],
  ['a Ready pod without a time first', [pod('a', { readyTime: at(5) }), pod('b', { readyTime: undefined })], 'b a'],
  [
    'the newest revision first, however long the others are Ready',
    [born('old', 'r1', 1, { readyTime: at(1) }), born('new', 'r2', 9, { readyTime: at(9) })],
    'new old',
  ],
  [
    'newest is the revision whose oldest pod is youngest: an old one that just got a pod is not',
    [born('a', 'r1', 1), born('b', 'r2', 5), born('c', 'r1', 9)],
    'b a c',
  ],
  [
    'a revision is as old as its oldest pod, also one that cannot lead',
    [born('a', 'r1', 1, { ready: false }), born('b', 'r1', 9), born('c', 'r2', 5)],
    'c b',
  ],
  [
    'but not one that is no longer selected',
    [born('a', 'r1', 1, { selected: false }), born('b', 'r1', 9), born('c', 'r2', 5)],
    'b c',
  ],
  ['pods without a revision are one', [born('a', undefined, 1), born('b', 'r1', 5), born('c', undefined, 9)], 'b a c'],
  ['a revision may be called anything', [born('a', '__proto__', 1), born('b', 'constructor', 5)], 'b a'],
]

describe('candidates', () => {
  for (const [change, expected] of REASONS) {
    it(`${JSON.stringify(change)}: ${expected ?? 'can lead'}`, () =>
      assert.equal(ineligibility(pod('a', change)), expected))
  }

  for (const [rule, pods, expected] of ORDERS) {
    it(rule, () =>
      assert.equal(
        ranked(pods)
          .map(({ name }) => name)
          .join(' '),
        expected,
      ),
    )
  }

  it('are ranked alike in whatever order they come', () => {
    const text = fc.constantFrom('', 'a', 'b', '__proto__')
    const pods = fc.uniqueArray(
      fc.record({
        name: fc.stringMatching(/^[a-f]$/),
        revision: text,
        creationTime: text,
        readyTime: text,
        ready: fc.boolean(),
      }),
      { selector: ({ name }) => name, maxLength: 6 },
    )
    const shuffled = pods.chain((some) =>
      fc.tuple(fc.constant(some), fc.shuffledSubarray(some, { minLength: some.length })),
    )
    fc.assert(
      fc.property(shuffled, ([one, other]) => {
        const [a, b] = [one, other].map((some) => ranked(some.map(({ name, ...rest }) => pod(name, rest))))
        assert.deepEqual(a, b)
      }),
    )
  })

  const WAITS: readonly (readonly [Partial<ObservedPod>, number | undefined, number | undefined])[] = [
    [{ ready: false, notReadySince: 500 }, 10, 10_500],
    [{ ready: false, notReadySince: 500 }, 0, undefined],
    [{ ready: false, notReadySince: 500 }, undefined, undefined],
    [{ ready: false, notReadySince: undefined }, 10, undefined],
    [{ ready: true, notReadySince: 500 }, 10, undefined],
    [{ ready: false, notReadySince: 500, terminating: true }, 10, undefined],
    [{ ready: false, notReadySince: 500, selected: false }, 10, undefined],
  ]
  for (const [change, seconds, until] of WAITS) {
    it(`patience of ${seconds} s with ${JSON.stringify(change)} ends ${until === undefined ? 'at once' : `at ${until}`}`, () =>
      assert.equal(patience(pod('a', change), seconds), until))
  }
})
