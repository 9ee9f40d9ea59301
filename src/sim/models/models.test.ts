import assert from 'node:assert/strict'
import { check, parse, prepare } from './spin.ts'

type Full = readonly [model: string, words: string, macros: readonly string[]]
type Refuted = readonly [...Full, violation: RegExp]

const FULL: readonly Full[] = [
  ['seal', 'the leader changes three times', []],
  ['seal', 'the gate is deleted and born again', ['DELETIONS=1', 'TERMS=2']],
  ['seal', 'a stranger writes the gate', ['STRANGERS=1', 'TERMS=2']],
  ['seal', 'a pod is recreated', ['RECREATIONS=1', 'TERMS=2']],
  ['elector', 'clocks drift, requests are slow', ['TERMS=2', 'SLOW_READS']],
  ['elector', 'a candidate crashes', ['TERMS=2', 'FAST=2', 'CRASHES=1']],
  ['elector', 'an acquisition is given up, and happens late', ['TERMS=2', 'FAST=2', 'GIVEN_UP=1']],
  ['elector', 'the lock is released', ['TERMS=2', 'FAST=2', 'RELEASES=1']],
]

/** Of a pod that the gate has not named, as operators named it last. */
const UNNAMED = /named==/
const TWO_LEADERS = /leaders<=1/
const HASTY = /writeSilence>=/

const REFUTED: readonly Refuted[] = [
  ['seal', 'the label comes off without a stamp', ['NO_STAMP'], UNNAMED],
  ['seal', 'the gate advances although its holder was not sealed', ['NO_SEAL'], UNNAMED],
  ['seal', 'the gate advances first, and its holder is sealed after', ['SEAL_AFTER'], UNNAMED],
  ['seal', 'pods are written whatever their version', ['NO_VERSION'], UNNAMED],
  ['seal', 'somebody is named before all pods are stamped', ['NO_ROUND', 'STRANGERS=1'], UNNAMED],
  ['seal', 'whoever a stranger names counts as named', ['NO_MARK', 'STRANGERS=1'], UNNAMED],
  ['seal', 'a gate is born with a holder', ['BORN_HELD', 'DELETIONS=1'], UNNAMED],
  ['seal', 'a stamp of another gate is replaced unseen', ['FOREIGN_STAMP', 'DELETIONS=1'], UNNAMED],
  ['elector', 'writes name no version', ['TERMS=2', 'NO_VERSION'], HASTY],
  ['elector', 'the lock is taken before its holder was silent', ['TERMS=2', 'NO_SILENCE'], HASTY],
  ['elector', 'the deadline counts from the answer', ['TERMS=2', 'FROM_RESPONSE'], TWO_LEADERS],
  ['elector', 'silence counts from the request', ['TERMS=2', 'SLOW_READS', 'FROM_REQUEST'], TWO_LEADERS],
  ['elector', 'a term that is over goes on by late news', ['TERMS=2', 'LATE_NEWS'], /over/],
  ['elector', 'one’s own name is one’s own term', ['TERMS=2', 'OWN_NAME', 'CRASHES=1'], TWO_LEADERS],
  ['elector', 'a release names no version', ['TERMS=2', 'RELEASES=1', 'RELEASE_UNCHECKED'], /writeTerm/],
  [
    'elector',
    'the release comes before the work has returned',
    ['TERMS=2', 'RELEASES=1', 'RELEASE_FIRST'],
    TWO_LEADERS,
  ],
  ['elector', 'clocks differ by more than is allowed for', ['TERMS=2', 'FAST=6'], TWO_LEADERS],
  ['elector', 'leaseDuration leaves no room for drift', ['TERMS=2', 'RENEW_DEADLINE=5'], TWO_LEADERS],
]

describe('the models in Promela, every state', function () {
  this.timeout(600_000)
  let missing: readonly string[] = []

  before(async () => {
    missing = await prepare()
  })

  beforeEach(function () {
    if (missing.length === 0) return
    this.currentTest!.title += ` (not checked: ${missing.join(' and ')} missing, on Debian apt-get install spin gcc)`
    this.skip()
  })

  for (const [model, words, macros] of FULL) {
    it(`${model} holds: ${words}`, async function () {
      const { violation, states, complete } = await check(model, macros)
      assert.equal(violation, undefined)
      assert.ok(complete, `${states} states were not all`)
      this.test!.title += `, ${states} states`
    })
  }

  for (const [model, words, macros, violation] of REFUTED) {
    it(`${model} is refuted when a rule is left out: ${words}`, async function () {
      const found = await check(model, macros)
      assert.match(found.violation ?? '', violation)
      this.test!.title += `, after ${found.states} states`
    })
  }
})

describe('the report of spin', () => {
  it('is no proof if it is none', () => assert.throws(() => parse('pan: out of luck')))
})
