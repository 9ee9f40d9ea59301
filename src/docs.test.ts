import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { Metrics } from './operator/metrics.ts'
import { VirtualClock } from './sim/clock.ts'

const read = (path: string): string => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8')

/** What the rows of a page's tables begin with. */
function namedIn(page: string): ReadonlySet<string> {
  const rows = read(page).match(/^\| `[^`]+` \|/gm) ?? []
  return new Set(rows.map((row) => row.slice(3, -3)))
}

function reasonsIn(file: string, union: string): readonly string[] {
  const [, members = ''] = new RegExp(`export type ${union} =([^]*?)\n\n`).exec(read(file)) ?? []
  return [...members.matchAll(/'(\w+)'/g)].map(([, reason]) => reason!)
}

describe('docs/operations.md', () => {
  const named = namedIn('docs/operations.md')

  it('explains every metric, and none that does not exist', () => {
    const metrics = new Metrics(new VirtualClock()).registry.getMetricsAsArray().map(({ name }) => name)
    assert.ok(metrics.length > 10)
    assert.deepEqual([...named].filter((name) => name.includes('_')).toSorted(), metrics.toSorted())
  })

  it('explains every reason of the condition Ready, and none that does not exist', () => {
    const reasons = reasonsIn('src/group/verdict.ts', 'ReadyReason')
    assert.ok(reasons.length > 5)
    assert.deepEqual([...named].filter((name) => !name.includes('_')).toSorted(), reasons.toSorted())
  })
})

describe('docs/observe.md', () => {
  it('explains every reason of the condition Ready that mode Observe can give, and none that does not exist', () => {
    const common = ['LeaderElected', 'NoPods', 'Forbidden']
    const reasons = reasonsIn('src/group/follow.ts', 'NobodyReason')
    assert.ok(reasons.length > 5)
    const named = [...namedIn('docs/observe.md')].filter((name) => /^[A-Z]\w+$/.test(name))
    assert.deepEqual(named.toSorted(), [...common, ...reasons].toSorted())
  })
})
