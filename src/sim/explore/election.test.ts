import assert from 'node:assert/strict'
import { timingViolations, type TimingSeconds } from '../../election/timing.ts'
import { Reach } from './election-reach.ts'
import { electionSpace } from './election-space.ts'
import type { ElectionRules } from './election-rules.ts'
import { FAST, firstElection, SLOW, TIMING, type ElectionBeginning, type ElectionOmission } from './election-world.ts'
import { explore } from './explore.ts'
import { isDeep } from './is-deep.ts'
import { mergedWrongly } from './merged.ts'

const TWO = [[SLOW], [FAST]]
const THREE = [[SLOW], [FAST], [FAST]]
const PROMPT: ElectionRules = { promptReads: true, promptWork: true }
const WATCHING: ElectionRules = { ...PROMPT, promptWrites: true }

type Row = readonly [
  name: string,
  world: Omit<ElectionBeginning, 'gains'> & Partial<ElectionBeginning>,
  rules?: ElectionRules,
]

/** Wherever a number of ticks is given, time ends with them; else the worlds are all that there ever can be. */
const WORLDS: readonly Row[] = [
  ['processes pause and requests are slow, as long as they like', {}, {}],
  [
    'clocks change their rates all the time',
    {
      gains: [
        [SLOW, FAST],
        [SLOW, FAST],
      ],
    },
  ],
  [
    'a process is stopped between what it decides and what it sends',
    { budget: { ticks: 4 } },
    { ...PROMPT, hesitant: true },
  ],
  ['a request is given up, and carried out late or never', { budget: { givenUp: 1, ticks: 4 } }],
  ['a process is killed and started again', { budget: { crashes: 1, ticks: 4 } }],
  [
    'a leader is asked to step down, and its work is slow',
    { budget: { stepDowns: 1, ticks: 3 } },
    { promptReads: true },
  ],
  ['the work of a term is done', { budget: { returns: 1, ticks: 4 } }],
  ['somebody annotates the lock', { budget: { touches: 1, ticks: 4 } }],
  ['somebody deletes the lock', { budget: { deletions: 1, ticks: 3 } }],
  ['a machine sleeps', { budget: { sleeps: 1, ticks: 4 } }],
  ['a wall clock is set', { budget: { wallSteps: 1, ticks: 3 } }],
  ['candidates watch, each a while behind', { canWatch: true, budget: { ticks: 1, returns: 1 } }, WATCHING],
  ['three candidates, until two have lost the lock', { gains: THREE, budget: { ticks: 4 } }],
]

const DEEP: readonly Row[] = [
  [
    'clocks change their rates, without end',
    {
      gains: [
        [SLOW, FAST],
        [SLOW, FAST],
      ],
    },
  ],
  ['a process is stopped before it sends, without end', {}, { ...PROMPT, hesitant: true }],
  [
    'clocks change their rates, and requests are slow',
    {
      gains: [
        [SLOW, FAST],
        [SLOW, FAST],
      ],
    },
    {},
  ],
  ['a request is given up, without end', { budget: { givenUp: 1 } }],
  ['a process is killed, without end', { budget: { crashes: 1 } }],
  ['a leader is asked to step down, without end', { budget: { stepDowns: 1 } }, { promptReads: true }],
  ['three candidates, until three have lost the lock', { gains: THREE, budget: { ticks: 6 } }],
  ['three candidates, one of which is killed', { gains: THREE, budget: { crashes: 1, ticks: 4 } }],
  ['three candidates, and time without end', { gains: THREE }],
]

const SHORT = { budget: { ticks: 2 } }
const MERGED: readonly Row[] = [
  ['every delay', SHORT, {}],
  ['hesitation', SHORT, { ...PROMPT, hesitant: true }],
  ['a request that is given up', { budget: { ticks: 2, givenUp: 1 } }],
  ['a deletion', { budget: { ticks: 1, deletions: 1 } }],
  ['a killed process', { budget: { ticks: 2, crashes: 1 } }],
  ['a step down', { budget: { ticks: 2, stepDowns: 1 } }, { promptReads: true }],
  ['a sleep and an annotation', { budget: { ticks: 2, sleeps: 1, touches: 1 } }],
  ['three clocks', { gains: [[SLOW], [2500], [FAST]], budget: { ticks: 1 } }],
]

const timed = (timing: TimingSeconds): Pick<ElectionBeginning, 'timings'> => ({ timings: [timing, timing] })
const LONG = { leaseDurationSeconds: 9, renewDeadlineSeconds: 6, retryPeriodSeconds: 2, clockDrift: 0.5 }
const BRIEF = { leaseDurationSeconds: 3, renewDeadlineSeconds: 2, retryPeriodSeconds: 1, clockDrift: 0.5 }

type Refuted = readonly [
  omission: ElectionOmission | undefined,
  words: string,
  violation: RegExp,
  ...(Row extends readonly [string, ...infer Rest] ? Rest : never),
]

const OMISSIONS: readonly Refuted[] = [
  ['noVersion', 'writes name no version', /so had an earlier one/, {}],
  ['deadlineFromResponse', 'the deadline counts from the answer', /a and b lead at once/, {}],
  ['lateNews', 'news is taken in before the clock is looked at', /that was over goes on/, {}],
  ['silenceFromRequest', 'silence counts from the request that saw the record', /after 3 s of silence/, {}, {}],
  ['ownDuration', 'silence is as long as the follower, not the record, says', /after 3 s/, { timings: [LONG, BRIEF] }],
  ['trustedRenewTime', 'renewTime is compared with a clock', /after 0 s/, { wallOffsets: [0, 6000] }],
  [
    'wallClock',
    'time is told by the wall clock',
    /lead at once/,
    { gains: [[SLOW], [SLOW]], budget: { wallSteps: 1 } },
  ],
  ['noWallCheck', 'a sleep goes unnoticed', /lead at once/, { budget: { sleeps: 2 } }],
  ['ownName', 'one’s own name on the lock is one’s own term', /not above all before/, { budget: { crashes: 1 } }],
  ['signsIgnored', 'a term lasts until its deadline, whatever is seen', /leads on/, { budget: { deletions: 1 } }],
  [
    'workForgotten',
    'the lock is released while the work runs',
    /while its work runs/,
    { budget: { stepDowns: 1 } },
    {},
  ],
  ['releaseUnchecked', 'a release names no version', /releases what/, { budget: { stepDowns: 1, givenUp: 1 } }],
  [undefined, 'clocks differ by more than is allowed for', /lead at once/, { gains: [[SLOW - 500], [FAST]] }],
  [
    undefined,
    'leaseDuration is only longer than renewDeadline',
    /lead at once/,
    timed({ ...TIMING, leaseDurationSeconds: 6, renewDeadlineSeconds: 5 }),
  ],
]

describe('one lock, every interleaving of its candidates', function () {
  this.timeout(isDeep ? 3_600_000 : 300_000)

  it('is explored with the least that the rules allow', () => {
    assert.deepEqual(timingViolations(TIMING), [])
    assert.equal(FAST / SLOW, 1 + TIMING.clockDrift)
  })

  for (const [name, world, rules = PROMPT] of isDeep ? [...WORLDS, ...DEEP] : WORLDS) {
    it(`has one leader at most, and can always have one: ${name}`, function () {
      const space = electionSpace(rules, new Reach(rules))
      const found = explore(firstElection({ gains: TWO, ...world }), space, { states: isDeep ? 10_000_000 : 500_000 })
      assert.equal(found.violation, undefined, found.story.join('\n'))
      assert.ok(found.complete, `${found.states} states were not all`)
      // Counted in one of the worlds that count as one, so there may be more.
      const least = world.budget === undefined || world.gains === THREE ? 2 : 1
      assert.ok(found.highestTerm > least, 'there were too few failovers, so little was shown')
      this.test!.title += `: ${found.states} states, ${found.steps} steps, depth ${found.depth}`
    })
  }

  for (const [name, world, rules = PROMPT] of MERGED) {
    it(`counts two worlds as one only if the same can happen in both: ${name}`, () => {
      assert.equal(mergedWrongly(firstElection({ gains: TWO, ...world }), electionSpace(rules)), undefined)
    })
  }

  for (const [omission, words, violation, world, rules = PROMPT] of OMISSIONS) {
    it(`is refuted when a rule is left out: ${words}`, function () {
      const all = omission ? { ...rules, omission } : rules
      const found = explore(firstElection({ gains: TWO, ...world }), electionSpace(all), { states: 500_000 })
      assert.match(found.violation ?? '', violation)
      this.test!.title += `\n        ${[...found.story, found.violation].join('\n        ')}`
    })
  }
})
