import { strict as assert } from 'node:assert'
import { answer, isSameLeader, type Answer, type Sight } from './answer.ts'

const SIGHT: Sight = {
  me: 'a',
  term: undefined,
  observed: undefined,
  leaseDurationMillis: 15_000,
  wall: Date.UTC(2026, 0, 1),
}
const NOBODY: Answer = { leader: null, me: 'a', isLeader: false, term: null, deadline: null }
const held = (holder: string, changedMillisAgo = 0) => ({ holder, number: 7, changedMillisAgo })

describe('answer of the sidecar', () => {
  const rows: readonly [string, Partial<Sight>, Partial<Answer>][] = [
    ['nothing was seen yet', {}, {}],
    ['another leads', { observed: held('b', 14_999) }, { leader: 'b', term: 7 }],
    ['another led until its lease expired', { observed: held('b', 15_000) }, { term: 7 }],
    ['the Lease is released', { observed: { number: 7, changedMillisAgo: 0 } }, { term: 7 }],
    [
      'this one leads',
      { term: { number: 7, remainingMillis: 1 }, observed: held('a') },
      { leader: 'a', isLeader: true, term: 7, deadline: '2026-01-01T00:00:00.001Z' },
    ],
    [
      'the deadline has passed, and the Lease still names this one',
      { term: { number: 7, remainingMillis: 0 }, observed: held('a') },
      { term: 7 },
    ],
    [
      'the term is over, and another has taken the Lease',
      { term: { number: 6, remainingMillis: 0 }, observed: held('b') },
      { leader: 'b', term: 7 },
    ],
    // As a process that has just restarted finds it.
    ['the Lease names this one, which has not acquired it', { observed: held('a') }, { term: 7 }],
  ]
  for (const [what, sight, expected] of rows) {
    it(what, () => assert.deepEqual(answer({ ...SIGHT, ...sight }), { ...NOBODY, ...expected }))
  }

  const same: readonly [Partial<Answer>, boolean][] = [
    [{}, true],
    [{ deadline: 'later' }, true],
    [{ leader: 'b' }, false],
    [{ isLeader: true }, false],
    [{ term: 8 }, false],
  ]
  for (const [change, expected] of same) {
    it(`${JSON.stringify(change)} is ${expected ? 'no' : 'a'} change of leader`, () => {
      assert.equal(isSameLeader(NOBODY, { ...NOBODY, ...change }), expected)
    })
  }
})
