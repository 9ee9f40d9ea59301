import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { runs } from '../../sim/runs.ts'
import { groupKeys, groupOfKey } from '../keys.ts'
import { hostile } from '../observation-fixtures.ts'
import { matches, type LabelSelector } from '../selector.ts'
import {
  formatIdentity,
  formatMark,
  formatStamp,
  LAST_TERM,
  parseIdentity,
  parseMark,
  parseStamp,
  parseTerm,
} from './gate.ts'
import { isFresh } from './lease-version.ts'

const term = fc
  .oneof(fc.nat(), fc.constantFrom(0, LAST_TERM, LAST_TERM - 1), fc.maxSafeNat())
  .filter((n) => n <= LAST_TERM)
/** Names of pods and UIDs, as the API server admits them: neither can hold what separates them. */
const part = fc.stringMatching(/^[a-z0-9]([-.a-z0-9]{0,20}[a-z0-9])?$/)
const holder = fc.record({ name: part, uid: part }, { noNullPrototype: true })
/** Numbers and separators in every wrong way. */
const crooked = fc
  .array(
    fc.constantFrom('-', '/', '_', 'db-0', 'u0', '0', '07', '4', '9007199254740991', ' ', '\n', '１', '__proto__'),
    { maxLength: 8 },
  )
  .map((parts) => parts.join(''))
const text = fc.oneof(crooked, hostile)

describe('what is read back', () => {
  it('is what was written', () => {
    fc.assert(
      fc.property(
        term,
        part,
        fc.option(holder, { nil: undefined }),
        fc.option(part, { nil: undefined }),
        (n, uid, who, gateUID) => {
          assert.equal(parseTerm(String(n)), n)
          assert.deepEqual(parseStamp(formatStamp({ gateUID: uid, term: n })), { gateUID: uid, term: n })
          const mark = { holder: who, gateUID, term: n }
          assert.deepEqual(parseMark(formatMark(mark)), mark)
          if (who) assert.deepEqual(parseIdentity(formatIdentity(who)), who)
        },
      ),
      runs(1000),
    )
  })

  it('is written in one way only: of all other texts nothing is read', () => {
    let read = 0
    fc.assert(
      fc.property(text, (given) => {
        const [n, stamp, mark, identity] = [parseTerm(given), parseStamp(given), parseMark(given), parseIdentity(given)]
        if (n !== undefined) assert.equal(String(n), given)
        if (stamp) assert.equal(formatStamp(stamp), given)
        if (mark) assert.equal(formatMark(mark), given)
        if (identity) assert.equal(formatIdentity(identity), given)
        if (n !== undefined || stamp || mark || identity) read++
      }),
      runs(3000),
    )
    assert.ok(read > 0, 'nothing was ever read, so nothing was shown')
  })

  it('of a key is the group whose it is', () => {
    fc.assert(
      fc.property(part, text, (name, any) => {
        for (const key of Object.values(groupKeys(name))) assert.equal(groupOfKey(key), name)
        const group = groupOfKey(any)
        if (group !== undefined) assert.ok(new Set<string>(Object.values(groupKeys(group))).has(any))
      }),
      runs(1000),
    )
  })

  it('of a version that the gate follows is a yes or a no, whatever stands there', () => {
    const lease = { uid: 'lease-1', resourceVersion: '7', seenAt: 3, readAt: 2, sight: { changed: true } }
    fc.assert(
      fc.property(text, fc.boolean(), (leaseVersion, isThere) => {
        const o = {
          lease: isThere ? lease : undefined,
          leaseAbsentAt: undefined,
          groupSeenAt: 5,
          gone: new Set<string>(),
        }
        assert.equal(typeof isFresh(o as unknown as Parameters<typeof isFresh>[0], { leaseVersion }), 'boolean')
      }),
      runs(500),
    )
  })
})

describe('a selector, whatever it and the labels are', () => {
  it('matches or not, and only by labels that are there', () => {
    const key = fc.constantFrom('app', '__proto__', 'constructor', 'toString', '')
    const labels = fc.dictionary(key, hostile, { maxKeys: 3 })
    const requirement = fc.record({
      key,
      operator: fc.oneof(fc.constantFrom('In', 'NotIn', 'Exists', 'DoesNotExist'), hostile),
      values: fc.array(hostile, { maxLength: 2 }),
    })
    const selector = fc.record(
      { matchLabels: labels, matchExpressions: fc.array(requirement, { maxLength: 2 }) },
      { requiredKeys: [] },
    )
    fc.assert(
      fc.property(selector as fc.Arbitrary<LabelSelector>, labels, (wanted, has) => {
        const isMatch = matches(wanted, has)
        assert.equal(typeof isMatch, 'boolean')
        for (const [name, value] of isMatch ? Object.entries(wanted.matchLabels ?? {}) : []) {
          assert.ok(Object.hasOwn(has, name) && has[name] === value)
        }
        if (!wanted.matchExpressions?.length && !Object.keys(wanted.matchLabels ?? {}).length)
          assert.equal(isMatch, false)
      }),
      runs(1000),
    )
  })
})
