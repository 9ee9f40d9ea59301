import assert from 'node:assert/strict'
import { type Answer, parseAnswers } from './answers.ts'
import { costOf } from './measure.ts'
import type { Sighting } from './record.ts'

/** A request each 10 ms, answered after 1 ms by whoever `who` says. */
function steady(
  from: number,
  to: number,
  who: (at: number) => string,
  kind: Answer['kind'] = 'new',
): readonly Answer[] {
  const beats = Array.from({ length: (to - from) / 10 }, (_, index) => from + index * 10)
  const log = beats.map((at) => `${kind} ${at} ${at + 1} ${who(at)}\n`).join('')
  return parseAnswers(log)
}

const MOVED: readonly Sighting[] = [
  { at: 900, kind: 'labelled', pod: 'a' },
  { at: 1_010, kind: 'unlabelled', pod: 'a' },
  { at: 1_020, kind: 'lease', pod: 'b' },
  { at: 1_030, kind: 'slice', pod: 'b' },
  { at: 1_040, kind: 'labelled', pod: 'b' },
  { at: 1_055, kind: 'rule', pod: 'b' },
]

describe('what a change of leader cost', () => {
  it('is counted from the event to the first answer of the new leader', () => {
    const answers = steady(900, 2_000, (at) => (at < 1_000 ? 'a' : at < 1_060 ? '!ECONNREFUSED' : 'b'))
    const cost = costOf({ at: 1_000, until: 2_000, before: 'a', answers, sightings: MOVED })
    assert.deepEqual(cost, {
      before: 'a',
      after: 'b',
      changes: 1,
      lease: 20,
      label: 40,
      slice: 30,
      rule: 55,
      answer: 61,
      gap: 61,
      failed: { ECONNREFUSED: 6 },
      strange: 0,
      late: { count: 0, last: 0 },
      keptLate: { count: 0, last: 0 },
      followerLate: { count: 0, last: 0 },
    })
  })

  it('has what the old leader answered to requests that began after the label had moved', () => {
    const answers = [
      ...steady(900, 2_000, (at) => (at < 1_100 ? 'a' : 'b')),
      ...steady(900, 2_000, () => 'a', 'kept'),
      ...steady(900, 2_000, (at) => (at < 1_200 ? 'b' : 'c'), 'follower'),
    ]
    const { late, keptLate, followerLate, gap } = costOf({
      at: 1_000,
      until: 2_000,
      before: 'a',
      answers,
      sightings: MOVED,
    })
    assert.deepEqual(late, { count: 5, last: 50 })
    assert.deepEqual(keptLate, { count: 95, last: 950 })
    assert.deepEqual(followerLate, { count: 15, last: 150 })
    assert.equal(gap, 10)
  })

  it('has answers of pods that never led', () => {
    const answers = steady(900, 2_000, (at) => (at === 1_500 ? 'c' : 'b'))
    assert.equal(costOf({ at: 1_000, until: 2_000, before: 'a', answers, sightings: MOVED }).strange, 1)
  })

  it('is a gap to its end when nobody answers again', () => {
    const answers = steady(900, 2_000, (at) => (at < 1_100 ? 'a' : '!timeout'))
    const { gap, answer } = costOf({ at: 1_000, until: 2_000, before: 'a', answers, sightings: MOVED })
    assert.equal(gap, 909)
    assert.equal(answer, undefined)
  })

  it('knows a leader that lost the label and has it again by its next answer', () => {
    const again = MOVED.map((sighting) => ({ ...sighting, pod: 'a' }))
    const answers = steady(900, 2_000, (at) => (at < 1_000 || at > 1_300 ? 'a' : '!ECONNREFUSED'))
    const { after, answer, changes } = costOf({ at: 1_000, until: 2_000, before: 'a', answers, sightings: again })
    assert.deepEqual({ after, answer, changes }, { after: 'a', answer: 311, changes: 1 })
  })

  it('leaves out a line of the log that was cut', () => {
    assert.deepEqual(parseAnswers('new 1 2 a\nkept 3'), [{ kind: 'new', from: 1, to: 2, pod: 'a', error: undefined }])
  })
})
