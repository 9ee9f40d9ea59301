import assert from 'node:assert/strict'
import { anything, assert as check, date, integer, property } from 'fast-check'
import { wholeSeconds } from './whole-seconds.ts'

describe('whole seconds', () => {
  for (const [text, seconds] of [
    ['1970-01-01T00:00:00Z', 0],
    ['2026-01-01T12:10:00Z', 1_767_269_400],
    ['2026-01-01T12:10:00.999999Z', 1_767_269_400],
    ['2026-01-01T14:10:00.5+02:00', 1_767_269_400],
    ['2026-01-01T10:40:00-01:30', 1_767_269_400],
    ['1969-12-31T23:59:59.5Z', -1],
    ['2024-02-29T00:00:00Z', 1_709_164_800],
    ['0001-01-01T00:00:00Z', -62_135_596_800],
    ['2026-02-29T00:00:00Z', undefined],
    ['2026-13-01T00:00:00Z', undefined],
    ['2026-04-31T00:00:00Z', undefined],
    ['2026-01-01T24:00:00Z', undefined],
    ['2026-01-01T00:00:60Z', undefined],
    ['2026-01-01T00:60:00Z', undefined],
    ['2026-00-01T00:00:00Z', undefined],
    ['2026-01-00T00:00:00Z', undefined],
    ['2026-12-32T00:00:00Z', undefined],
    ['2026-01-01T00:00:00+24:00', undefined],
    ['2026-01-01T00:00:00+00:60', undefined],
    ['2026-01-01T00:00:00', undefined],
    ['2026-01-01 00:00:00Z', undefined],
    ['2026-01-01T00:00:00.Z', undefined],
    ['2026-01-01T00:00:00.1234567890Z', undefined],
    ['', undefined],
  ] as const) {
    it(`of ${JSON.stringify(text)} are ${seconds}`, () => assert.equal(wholeSeconds(text), seconds))
  }

  it("are the calendar's, to the second", () => {
    const years = { min: new Date('0001-01-01T00:00:00Z'), max: new Date('9999-12-31T23:59:59Z'), noInvalidDate: true }
    check(
      property(date(years), integer({ min: 0, max: 999_999 }), (day, micros) => {
        const text = day.toISOString().slice(0, 19)
        const fraction = String(micros).padStart(6, '0')
        assert.equal(wholeSeconds(`${text}.${fraction}Z`), Math.floor(day.getTime() / 1000))
      }),
    )
  })

  it('are undefined, and nothing is thrown, whatever else comes', () => {
    check(property(anything(), (value) => assert.equal(wholeSeconds(value), undefined)))
  })
})
