import assert from 'node:assert/strict'
import { assert as check, property, string } from 'fast-check'
import { quoted } from './quoted.ts'

describe('quoted text', () => {
  for (const [text, shown] of [
    ['db-0_6f0c', '"db-0_6f0c"'],
    ['', '""'],
    ['a "b" \\', '"a \\"b\\" \\\\"'],
    ['two\nlines', '"two\\u{a}lines"'],
    ['\u001b[31mred', '"\\u{1b}[31mred"'],
    ['turned \u202e round', '"turned \\u{202e} round"'],
    ['🦄', '"\\u{1f984}"'],
    ['\ud83e', '"\\u{d83e}"'],
    ['🦄'.repeat(64), `"${'\\u{1f984}'.repeat(64)}"`],
    ['x'.repeat(64), `"${'x'.repeat(64)}"`],
    ['x'.repeat(65), `"${'x'.repeat(64)}"…`],
  ] as const) {
    it(`shows ${shown}`, () => assert.equal(quoted(text), shown))
  }

  it('is short and printable, whatever it was', () => {
    check(
      property(string({ unit: 'binary', maxLength: 2000 }), (text) => {
        assert.match(quoted(text), /^[ -~]*…?$/)
        assert.ok(quoted(text).length <= 64 * '\\u{10ffff}'.length + 3)
      }),
    )
  })
})
