import { strict as assert } from 'node:assert'
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { LeaderFile } from './leader-file.ts'

describe('file of the leader', () => {
  let directory = ''
  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'leadergroup-file-'))
  })
  after(() => rmSync(directory, { recursive: true }))

  it('holds the deadline and nothing else, from the first write until it is removed', () => {
    const path = join(directory, 'leader')
    writeFileSync(path, 'of one that was killed')
    const file = new LeaderFile(path)
    assert.equal(existsSync(path), false)
    file.write('2026-01-01T00:00:00.000Z')
    assert.equal(readFileSync(path, 'utf8'), '2026-01-01T00:00:00.000Z')
    file.write('2026-01-01T00:00:02.000Z')
    assert.equal(readFileSync(path, 'utf8'), '2026-01-01T00:00:02.000Z')
    assert.deepEqual(readdirSync(directory), ['leader'])
    file.remove()
    file.remove()
    assert.deepEqual(readdirSync(directory), [])
  })

  it('refuses a place where no file can be', () => {
    assert.throws(() => new LeaderFile(join(directory, 'missing', 'leader')).write('x'), { code: 'ENOENT' })
  })
})
