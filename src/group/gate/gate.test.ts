import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { formatMark, formatStamp, parseMark, parseStamp, parseTerm, transitionsOf } from './gate.ts'

const LAST_TERM = 2 ** 53 - 2

const TERMS: readonly (readonly [string | undefined, number | undefined])[] = [
  ['0', 0],
  ['7', 7],
  ['9007199254740990', LAST_TERM],
  ['9007199254740991', undefined],
  ['9007199254740992', undefined],
  ['99999999999999999', undefined],
  ['', undefined],
  [undefined, undefined],
  ['-1', undefined],
  ['+1', undefined],
  ['07', undefined],
  ['1.5', undefined],
  ['1e3', undefined],
  [' 1', undefined],
  ['1\n', undefined],
  ['٣', undefined],
]

const STAMPS: readonly (readonly [string | undefined, readonly [string, number] | undefined])[] = [
  ['g/4', ['g', 4]],
  ['6f0c-11/0', ['6f0c-11', 0]],
  ['__proto__/1', ['__proto__', 1]],
  ['g/4/5', undefined],
  ['/4', undefined],
  ['g/', undefined],
  ['g', undefined],
  ['', undefined],
  [undefined, undefined],
  ['g/4x', undefined],
  ['g/04', undefined],
  ['g/4\n', undefined],
  [`g/${2 ** 53 - 1}`, undefined],
]

const term = fc.nat({ max: LAST_TERM })
const uid = fc.string({ minLength: 1 }).filter((text) => !text.includes('/'))

describe('the gate’s marks and stamps', () => {
  for (const [text, expected] of TERMS) {
    it(`reads the term ${JSON.stringify(text)}`, () => assert.equal(parseTerm(text), expected))
  }

  for (const [text, expected] of STAMPS) {
    it(`reads the stamp ${JSON.stringify(text)}`, () => {
      const stamp = parseStamp(text)
      assert.deepEqual(stamp && [stamp.gateUID, stamp.term], expected)
    })
  }

  for (const text of [
    '/db-0_u/g/4',
    'x/db-0_u/g/4',
    'db-0_u/g/4x',
    'db-0_u/g/4\n',
    'db-0/g/4',
    'db-0_u_v/g/4',
    'db-0_u/g',
  ]) {
    it(`reads no mark from ${JSON.stringify(text)}`, () => assert.equal(parseMark(text), undefined))
  }

  it('reads a mark that names nobody', () => {
    assert.deepEqual(parseMark('-/-/3'), { holder: undefined, gateUID: undefined, term: 3 })
    assert.equal(formatMark({ holder: undefined, gateUID: undefined, term: 3 }), '-/-/3')
  })

  it('reads what it writes', () => {
    fc.assert(
      fc.property(uid, term, (subject, number) => {
        fc.pre(subject !== '-')
        assert.deepEqual(parseStamp(formatStamp({ gateUID: subject, term: number })), {
          gateUID: subject,
          term: number,
        })
        fc.pre(!subject.includes('_'))
        const mark = { holder: { name: 'db-0', uid: subject }, gateUID: subject, term: number }
        assert.deepEqual(parseMark(formatMark(mark)), mark)
      }),
    )
  })

  it('counts transitions as far as 32 bits reach', () => {
    assert.deepEqual([0, 4, 2 ** 31 - 1, 2 ** 31, LAST_TERM].map(transitionsOf), [
      0,
      4,
      2 ** 31 - 1,
      2 ** 31 - 1,
      2 ** 31 - 1,
    ])
  })

  for (const text of [
    '',
    '-',
    '-/3',
    'u1/3',
    'db-0_u1/3',
    'db-0/g/3',
    '_u1/g/3',
    'db-0_/g/3',
    'a_b_c/g/3',
    'db-0_u1//3',
    'db-0_u1/g/x',
  ]) {
    it(`takes "${text}" for no mark`, () => assert.equal(parseMark(text), undefined))
  }
})
