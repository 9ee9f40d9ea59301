import assert from 'node:assert/strict'
import { moduleVersions } from './module.ts'
import { TRIED, releaseOf } from './releases.ts'

describe('the release of Kubernetes', () => {
  for (const [wanted, release] of [
    [undefined, '1.36.3'],
    ['', '1.36.3'],
    ['1.33', '1.33.13'],
    ['1.34', '1.34.4'],
    ['1.35.4', '1.35.4'],
    ['1.34.2', '1.34.2'],
    ['1.37.0-rc.1', '1.37.0-rc.1'],
  ] as const) {
    it(`${JSON.stringify(wanted) ?? 'of nobody’s choice'} is ${release}`, () => {
      assert.equal(releaseOf(wanted), release)
    })
  }

  for (const wanted of ['1', '1.3', '1.32', 'v1.34.4', 'latest', '../1.34.4']) {
    it(`${wanted} is refused`, () => {
      assert.throws(() => releaseOf(wanted), {
        name: 'RangeError',
        message: `${wanted} is no release of Kubernetes: write one as 1.34.4, or 1.33, 1.34, 1.35, 1.36 for what was tried of it`,
      })
    })
  }

  it('is by default the newest, which go.mod requires', async () => {
    assert.equal((await moduleVersions()).kubernetes, TRIED.at(-1))
  })
})
