import assert from 'node:assert/strict'
import { explore, type Exploration } from './explore.ts'
import { settledWorld, type Beginning } from './first-world.ts'
import { Rest } from './rest.ts'
import { groupSpace } from './group-space.ts'
import { type Rules } from './steps.ts'
import { NOTHING, type Budget, type Omission } from './world.ts'

type Start = Partial<Omit<Beginning, 'mode' | 'budget'>>

/**
 * Two operators that both act; every interleaving of what the budget allows. While their caches differ they may undo each
 * other's steps for ever, each time under a higher term: nothing is followed beyond the fifth.
 */
const LIMITS = { states: 100_000, term: 4 }

function exploreAll(budget: Partial<Budget>, rules: Rules, start: Start = {}, rest?: Rest): Exploration {
  const begin = { mode: 'Observe', pods: 2, operators: 2, ...start, budget: { ...NOTHING, ...budget } } as const
  const limits = { ...LIMITS, term: LIMITS.term + (start.unseen ?? 0) }
  return explore(settledWorld(begin), groupSpace(rules, rest), limits)
}

const WORLDS: readonly (readonly [string, Partial<Budget>, Rules['lag'], Start?])[] = [
  ['the Lease changes hands twice', { acquisitions: 2 }, 'caches'],
  ['the Lease changes hands twice among three pods', { acquisitions: 2 }, 'caches', { pods: 3 }],
  ['the Lease is renewed and changes hands', { acquisitions: 1, renewals: 1 }, 'caches'],
  [
    'operators that have just started see renewals, each object lags on its own',
    { acquisitions: 1, renewals: 1 },
    'objects',
    { justStarted: true, identity: 'nameAndUID' },
  ],
  ['the Lease is released and acquired', { acquisitions: 1, releases: 1 }, 'caches', { identity: 'nameAndUID' }],
  ['the Lease is deleted and created again', { acquisitions: 1, deletions: 1 }, 'caches'],
  ['the record is silent for its duration, for one operator first', { acquisitions: 1, expiries: 1 }, 'caches'],
  ['a pod is recreated under its name while the Lease changes hands', { acquisitions: 1, recreations: 1 }, 'caches'],
  [
    'a pod is recreated under its name, and identities are unique',
    { acquisitions: 1, recreations: 1 },
    'caches',
    { identity: 'nameAndUID' },
  ],
  ['the container of a pod ends while the Lease changes hands', { acquisitions: 1, deaths: 1 }, 'caches'],
  ['the container of a pod ends while it renews', { renewals: 1, deaths: 1 }, 'objects'],
  ['the container of a pod is restarted', { deaths: 1, restarts: 1, renewals: 1 }, 'caches'],
  ['somebody wipes status', { wipes: 1, renewals: 1 }, 'caches'],
  ['somebody wipes status, and a change of leader was not seen', { wipes: 1 }, 'objects', { unseen: 1 }],
  ['somebody edits status', { strangers: 1, renewals: 1 }, 'caches'],
  ['a hand changes a label while the Lease changes hands', { acquisitions: 1, hands: 1 }, 'caches'],
  ['an operator crashes and a reply is lost', { acquisitions: 1, crashes: 1, lostReplies: 1 }, 'caches'],
]

const OMISSIONS: readonly (readonly [Omission, string, RegExp, Partial<Budget>, Rules['lag']?, Start?])[] = [
  ['noSeal', 'the gate is written although its holder bears the label', /while p0 is labelled/, { acquisitions: 1 }],
  ['noStamp', 'the label comes off without a stamp', /is labelled/, { acquisitions: 2 }],
  ['noPodVersion', 'pods are patched whatever their version', /is labelled/, { acquisitions: 2 }],
  ['noGateVersion', 'the gate is written whatever its version', /named again/, { acquisitions: 1 }],
  ['noRound', 'a status that somebody edited is trusted', /is labelled/, { acquisitions: 1, strangers: 1 }],
  ['alwaysFresh', 'a lagging watch of the Lease is trusted', /is followed after/, { acquisitions: 2 }],
  ['noLeaseVersion', 'the Lease is emptied whatever its version', /which lives/, { acquisitions: 1, deaths: 1 }],
  ['lowBirth', 'a gate is born with a term that a pod may bear', /named again/, { acquisitions: 1, wipes: 1 }],
]

describe('following a Lease, every interleaving of two operators', function () {
  this.timeout(120_000)
  for (const [name, budget, lag, start] of WORLDS) {
    it(`keeps to its gate, and each operator alone comes to a good rest: ${name}`, function () {
      const found = exploreAll(budget, { lag }, start, new Rest())
      assert.equal(found.violation, undefined, found.story.join('\n'))
      assert.ok(found.complete, `${found.states} states were not all`)
      assert.ok(found.highestTerm > 2, 'the gate never moved, so nothing was shown')
      this.test!.title += `, ${found.states} states`
    })
  }

  for (const [omission, words, violation, budget, lag = 'caches', start] of OMISSIONS) {
    it(`is refuted when a rule is left out: ${words}`, () => {
      assert.match(exploreAll(budget, { lag, omission }, start).violation ?? '', violation)
    })
  }
})
