import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { generateTypes, readCrd, TYPES_FILE } from '../../scripts/generate-types.ts'

describe('the types of a LeaderGroup', () => {
  it('are those of the CRD', async () => {
    const [committed, generated] = [await readFile(TYPES_FILE, 'utf8'), await generateTypes(await readCrd())]
    assert.equal(committed, generated, 'src/group/leadergroup.ts is not what the CRD says. Run: npm run generate')
  })

  it('change with the CRD', async () => {
    const crd = await readCrd()
    const renamed = crd.replace(/^( +)notReadySeconds:$/m, '$1graceSeconds:')
    assert.notEqual(renamed, crd)
    assert.match(await generateTypes(renamed), /readonly graceSeconds\?: number/)
  })

  it('need a name for each object', async () => {
    const crd = await readCrd()
    const nested = crd.replace(
      /^( +)notReadySeconds:$/m,
      (line, indent: string) => `${indent}extra: { type: object, properties: { a: { type: string } } }\n${line}`,
    )
    await assert.rejects(generateTypes(nested), /new object at "\.spec\.failover\.extra": name its interface/)
  })
})
