import assert from 'node:assert/strict'
import type { JudgeOptions } from './judge.ts'
import { broken, type Line } from './story-fixtures.ts'

/** A story that keeps all rules, or one that breaks a rule first, and what is said of it then. */
export type Row = readonly [what: string, lines: readonly Line[], rule?: string, text?: RegExp]

export function rows(title: string, all: readonly Row[], options: JudgeOptions = {}): void {
  describe(title, () => {
    for (const [what, lines, rule, text = /./] of all) {
      it(rule === undefined ? `is kept by ${what}` : `${rule} is broken by ${what}`, () => {
        const violations = broken(lines, options)
        if (rule === undefined) return assert.deepEqual(violations, [])
        assert.equal(violations[0]?.split(' ')[0], rule, violations.join('\n') || 'nothing is broken')
        assert.match(violations.join('\n'), text)
      })
    }
  })
}
