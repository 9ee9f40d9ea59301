import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { PAGE_FILE, readMeasurements, withTables } from './document.ts'

describe('docs/figures.md', () => {
  it('says what docs/figures.json says', async () => {
    const page = await readFile(PAGE_FILE, 'utf8')
    assert.equal(withTables(page, await readMeasurements()), page)
  })

  it('shows what is measured anew', async () => {
    const page = await readFile(PAGE_FILE, 'utf8')
    const figures = [{ what: 'time to think', unit: 'ms', value: { n: 1, median: 42 } }] as const
    const measured = {
      at: '2026-01-02T03:04:05.000Z',
      minutes: 3,
      machine: 'a machine',
      load: [1, 2],
      figures,
    } as const
    const anew = withTables(page, { quiet: measured })
    assert.match(
      anew,
      /## quiet\n\n2026-01-02, 3 min, a machine, load 1\.0 → 2\.0\.\n\n.*\n.*\n\| time to think, ms .* 42 /,
    )
    assert.match(anew, /## heal\n\nNot measured\./)
  })
})
