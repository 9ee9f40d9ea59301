import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { namesOn, PAGE_FILE } from './document.ts'
import { mutated } from './mutant.ts'
import { MUTANTS } from './tables.ts'

const ROOT = join(import.meta.dirname, '..')

describe('tables of mutants', () => {
  it('name each mistake once', () => {
    const names = MUTANTS.map(({ name }) => name)
    assert.deepEqual(
      names.filter((name, index) => names.indexOf(name) !== index),
      [],
    )
  })

  it('are those of docs/mutants.md', () => {
    const names = MUTANTS.map(({ name }) => name)
    const page = readFileSync(PAGE_FILE, 'utf8')
    assert.deepEqual(namesOn(page).toSorted(), names.toSorted(), 'run: npm run mutants -- --write')
  })

  for (const mutant of MUTANTS) {
    it(`apply to the sources: ${mutant.name}`, () => {
      const source = readFileSync(join(ROOT, mutant.file), 'utf8')
      const mistaken = mutated(mutant, source)
      assert.ok(mistaken !== undefined, `the text to be found is not exactly once in ${mutant.file}:\n${mutant.find}`)
      assert.notEqual(mistaken, source)
      assert.ok(existsSync(join(ROOT, mutant.killedBy)), `there is no check ${mutant.killedBy}`)
    })
  }
})
