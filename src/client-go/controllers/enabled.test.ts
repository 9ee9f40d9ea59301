import { strict as assert } from 'node:assert'
import { isEnabled, patternViolations } from './enabled.ts'

describe('the patterns of controllers', () => {
  const CASES: readonly (readonly [patterns: string, enabled: string])[] = [
    ['*', 'backup vacuum'],
    ['', ''],
    ['backup', 'backup'],
    ['*,-vacuum', 'backup'],
    ['-vacuum,*', 'backup'],
    ['*,reindex', 'backup vacuum reindex'],
    ['-backup,backup,*', 'vacuum'],
    ['backup,-backup', 'backup'],
    ['-backup', ''],
  ]
  for (const [patterns, enabled] of CASES) {
    it(`${patterns || 'without any'} enable: ${enabled || 'none'}`, () => {
      const given = patterns.split(',').filter((pattern) => pattern !== '')
      const found = ['backup', 'vacuum', 'reindex'].filter((name) => isEnabled(name, given, ['reindex']))
      assert.equal(found.join(' '), enabled)
    })
  }

  it('must name controllers', () => {
    assert.deepEqual(patternViolations(['*', 'backup', '-backup', 'back', '-', '*p'], ['backup']), [
      '"back" is not in the list of known controllers: backup',
      '"-" is not in the list of known controllers: backup',
      '"*p" is not in the list of known controllers: backup',
    ])
  })
})
