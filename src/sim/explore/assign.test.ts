import assert from 'node:assert/strict'
import { explore, type Exploration } from './explore.ts'
import { settledWorld } from './first-world.ts'
import { groupSpace } from './group-space.ts'
import { isDeep } from './is-deep.ts'
import { type Rules } from './steps.ts'
import { NOTHING, type Budget } from './world.ts'

function exploreAll(budget: Partial<Budget>, rules: Rules, pods = 2): Exploration {
  const first = settledWorld({
    mode: 'Assign',
    pods,
    operators: 2,
    budget: { ...NOTHING, ...budget },
    justStarted: true,
  })
  return explore(first, groupSpace(rules), { states: isDeep ? 10_000_000 : 100_000, term: 6 })
}

/** Two operators that both act, two pods, one gate; every interleaving of what the budget allows. */
const WORLDS: readonly (readonly [string, Partial<Budget>, Rules['lag']])[] = [
  ['readiness flips twice, each object lags on its own', { flips: 2 }, 'objects'],
  ['readiness flips three times', { flips: 3 }, 'caches'],
  ['a pod is recreated under its name while readiness flips', { flips: 1, recreations: 1 }, 'caches'],
  ['the Lease is deleted', { deletions: 1 }, 'objects'],
  ['somebody else writes the Lease', { strangers: 1 }, 'objects'],
  ['an operator crashes and a reply is lost during a failover', { flips: 2, crashes: 1, lostReplies: 1 }, 'caches'],
]

/** Among three pods, to the sixth change of leader at most. */
const WIDE: readonly (readonly [string, Partial<Budget>])[] = [
  ['readiness flips twice', { flips: 2 }],
  ['the Lease is deleted and born again', { deletions: 1 }],
  ['somebody else writes the Lease', { strangers: 1 }],
  ['a pod is recreated while readiness flips', { flips: 1, recreations: 1 }],
  ['an operator crashes while readiness flips', { flips: 2, crashes: 1 }],
]

const DEEP: typeof WIDE = [['somebody else writes the Lease, and a pod is recreated', { strangers: 1, recreations: 1 }]]

describe('seal before advance, every interleaving of two operators', function () {
  this.timeout(120_000)
  for (const [name, budget, lag] of WORLDS) {
    it(`never shows two labels, nor a label that the gate does not name: ${name}`, function () {
      const found = exploreAll(budget, { lag })
      assert.equal(found.violation, undefined, found.story.join('\n'))
      assert.ok(found.complete, `${found.states} states were not all`)
      assert.ok(found.highestTerm > 2, 'no failover was reached, so nothing was shown')
      this.test!.title += `, ${found.states} states`
    })
  }

  for (const [name, budget] of isDeep ? [...WIDE, ...DEEP] : WIDE) {
    it(`holds among three pods: ${name}`, function () {
      this.timeout(isDeep ? 3_600_000 : 120_000)
      const found = exploreAll(budget, { lag: 'caches' }, 3)
      assert.equal(found.violation, undefined, found.story.join('\n'))
      assert.ok(found.complete, `${found.states} states were not all`)
      assert.ok(found.highestTerm > 2, 'no two failovers were reached, so little was shown')
      this.test!.title += `, ${found.states} states, depth ${found.depth}`
    })
  }

  const OMISSIONS: readonly (readonly [NonNullable<Rules['omission']>, string, Partial<Budget>])[] = [
    ['noSeal', 'the gate advances although the holder still bears the label', { flips: 3 }],
    ['noStamp', 'the label comes off without a stamp', { flips: 3 }],
    ['noRound', 'a gate that somebody else wrote is trusted', { flips: 1, strangers: 1 }],
    ['noPodVersion', 'pods are patched whatever their version', { flips: 3 }],
  ]
  for (const [omission, words, budget] of OMISSIONS) {
    it(`is refuted when a rule is left out: ${words}`, function () {
      this.timeout(120_000)
      assert.notEqual(exploreAll(budget, { lag: 'caches', omission }).violation, undefined)
    })
  }
})
