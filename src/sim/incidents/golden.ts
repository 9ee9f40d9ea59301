import { strict as assert } from 'node:assert'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'

/** `npm run golden` writes the stories anew: read the difference before you commit it. */
const IS_REWRITTEN = process.argv.includes('--update')

/** The text is as the golden file says. */
export function assertGolden(file: URL, text: string): void {
  if (IS_REWRITTEN) writeFileSync(file, text)
  assert.ok(existsSync(file), `${file.pathname} is missing: write it with npm run golden`)
  assert.equal(text, readFileSync(file, 'utf8'), 'the story is another one; if it should be: npm run golden')
}
