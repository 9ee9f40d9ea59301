import { strict as assert } from 'node:assert'
import type { TransportRequest } from '../../kube/transport.ts'
import { OtherBuild, readBack, written } from './other-build.ts'

const GROUP = JSON.stringify({
  kind: 'LeaderGroup',
  status: { conditions: [{ type: 'Ready', message: 'a "b" leads' }] },
})
const HEADERS = { 'content-type': 'application/json' }

async function answered(
  chunks: readonly string[],
  path = '/apis/leadergroup.io/v1alpha1/leadergroups',
): Promise<string> {
  const build = new OtherBuild({
    send: async () => ({
      status: 200,
      headers: HEADERS,
      body: (async function* () {
        for (const chunk of chunks) yield Buffer.from(chunk)
      })(),
    }),
  })
  const request: TransportRequest = { method: 'GET', path, signal: new AbortController().signal }
  let text = ''
  for await (const chunk of (await build.send(request)).body) text += Buffer.from(chunk).toString()
  return text
}

describe('another build', () => {
  it('reads what it wrote as it meant it', () => {
    assert.notEqual(written(GROUP), GROUP)
    assert.equal(readBack(written(GROUP)), GROUP)
  })

  it('does not find its own words in what this build wrote', () => {
    assert.notEqual(readBack(GROUP), GROUP)
  })

  it('is given one document as one, and frames as lines, wherever they are cut', async () => {
    assert.equal(await answered([GROUP.slice(0, 60), GROUP.slice(60)]), readBack(GROUP))
    assert.equal(
      await answered([GROUP.slice(0, 50), `${GROUP.slice(50)}\n${GROUP}\n`]),
      `${readBack(GROUP)}\n`.repeat(2),
    )
  })

  it('does not hear of a frame that broke off as if it were whole', async () => {
    const broken = GROUP.slice(0, 60)
    assert.equal(await answered([`${GROUP}\n${broken}`]), `${readBack(GROUP)}\n${readBack(broken)}`)
  })

  it('has the same words for all that is no group', async () => {
    assert.equal(await answered([GROUP], '/api/v1/pods'), GROUP)
  })
})
