import assert from 'node:assert/strict'
import { columns } from './columns.ts'

describe('columns', () => {
  it('are as wide as their widest cell, and end without blanks', () => {
    const rows = [
      ['POD', 'WHY'],
      ['db-10', ''],
      ['a', 'is not ready'],
    ]
    assert.deepEqual(columns(rows, '  '), ['  POD    WHY', '  db-10', '  a      is not ready'])
  })

  it('may be none', () => assert.deepEqual(columns([]), []))
})
