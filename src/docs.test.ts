import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { Metrics } from './operator/metrics.ts'
import { VirtualClock } from './sim/clock.ts'

const read = (path: string): string => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8')

describe('docs/operations.md', () => {
  const rows = read('docs/operations.md').match(/^\| `[^`]+` \|/gm) ?? []
  const named = new Set(rows.map((row) => row.slice(3, -3)))

  it('explains every metric, and none that does not exist', () => {
    const metrics = new Metrics(new VirtualClock()).registry.getMetricsAsArray().map(({ name }) => name)
    assert.ok(metrics.length > 10)
    assert.deepEqual([...named].filter((name) => name.includes('_')).toSorted(), metrics.toSorted())
  })

  it('explains every reason of the condition Ready, and none that does not exist', () => {
    const [, union = ''] = /export type ReadyReason =([^]*?)\n\n/.exec(read('src/group/conditions.ts')) ?? []
    const reasons = [...union.matchAll(/'(\w+)'/g)].map(([, reason]) => reason!)
    assert.ok(reasons.length > 5)
    assert.deepEqual([...named].filter((name) => !name.includes('_')).toSorted(), reasons.toSorted())
  })
})
