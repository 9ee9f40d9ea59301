import assert from 'node:assert/strict'
import { readImage, readShipped } from './shipped.ts'

describe('what is shipped', () => {
  it('is read from the last stage of the Dockerfile', () => {
    const dockerfile = [
      'FROM a AS build',
      'ENV NOT=this',
      'ENTRYPOINT ["node", "--not-this", "x"]',
      'FROM b',
      'ENV A=1 \\',
      '    PATH=/bin:/x B=c=d',
      'ENTRYPOINT ["node", "--flag=3", "/leadergroup.mjs"]',
      '',
    ].join('\n')
    assert.deepEqual(readImage(dockerfile), { nodeArgs: ['--flag=3'], env: { A: '1', B: 'c=d' } })
  })

  it('bounds the heap', async () => {
    const { nodeArgs, env } = await readShipped()
    assert.deepEqual(nodeArgs, ['--optimize-for-size'])
    assert.match(env['NODE_OPTIONS'] ?? '', /--max-old-space-size=\d+/)
    assert.equal(env['MALLOC_ARENA_MAX'], '1')
  })
})
