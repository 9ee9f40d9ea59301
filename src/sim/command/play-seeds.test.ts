import { strict as assert } from 'node:assert'
import { playSeeds } from './play-seeds.ts'

describe('playing seeds', () => {
  it('gives its processes the flags of this one: a hook that makes a mistake works there', async function () {
    this.timeout(60_000)
    const given = process.execArgv
    process.execArgv = [...given, '--import', 'data:text/javascript,process.exit(7)']
    try {
      const seeds = [1]
      const playing = playSeeds({
        jobs: 1,
        next: () => seeds.pop(),
        played: () => undefined,
        signal: new AbortController().signal,
      })
      await assert.rejects(playing, /the process that played seed 1 ended/)
    } finally {
      process.execArgv = given
    }
  })
})
