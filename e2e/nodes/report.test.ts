import assert from 'node:assert/strict'
import type { Cost } from './measure.ts'
import { merged, withTables } from './report.ts'
import type { Report } from './report-data.ts'
import { summary } from './summary.ts'
import { timelines } from './timelines.ts'

const NONE = { count: 0, last: 0 }
const COST: Cost = {
  before: 'a',
  after: 'b',
  changes: 1,
  lease: 20,
  label: 40,
  slice: 30,
  rule: 55,
  answer: 61,
  gap: 61.4,
  failed: { ECONNREFUSED: 6 },
  strange: 0,
  late: { count: 3, last: 25 },
  keptLate: NONE,
  followerLate: NONE,
}
const REPORT: Report = {
  at: '2026-01-02T00:00:00.000Z',
  machine: 'a machine',
  kubernetes: '1.36.3',
  image: { bytes: 134e6, startMillis: [300, 310], anonBytes: [61e6, 50e6], runsAs: 'user 65532' },
  rows: [
    {
      scenario: 'delete',
      title: 'leader deleted',
      setting: 'Direct',
      costs: [COST, { ...COST, gap: 100, failed: {}, changes: 2 }],
      load: 2,
    },
  ],
  crowd: { groups: 4, noticedMillis: 48_000, labelMillis: [10, 20, 30, 400] },
  deaths: [{ title: 'killed', released: true, takeoverMillis: 1_500, load: 3 }],
}

describe('the report on nodes', () => {
  it('has a table for each scenario, and leaves the rest of the page as it is', () => {
    const [begin, end] = [
      '<!-- Made by `NODES_WRITE=1 npm run e2e:nodes` from nodes.json, from here … -->',
      '<!-- … to here. -->',
    ]
    const page = withTables(`before\n${begin}\nold\n${end}\nafter`, REPORT)
    assert.match(page, /^before\n<!-- Made/)
    assert.match(page, /-->\nafter$/)
    assert.ok(!page.includes('old'))
    assert.match(page, /2026-01-02, Kubernetes 1\.36\.3, a machine\./)
    assert.match(page, /\| size, unpacked \| 134 MB \|/)
    assert.match(page, /### Leader deleted/)
    const row = [
      'Direct',
      '2',
      '20 / 20',
      '40 / 40',
      '30 / 30',
      '55 / 55',
      '61 / 61',
      '61 / 100',
      '6 ECONNREFUSED',
      '6, until 25',
      '0',
      '0',
      '1–2',
      '2',
    ]
    assert.ok(page.includes(`| ${row.join(' | ')} |`), page)
    assert.match(page, /\| of all \| 400 ms \|/)
    assert.match(page, /\| killed \| yes \| 1\.5 s \| 3 \|/)
  })

  it('begins with what a user asks first', () => {
    const planned = { ...REPORT.rows[0]!, scenario: 'planned' }
    const killed = { ...planned, scenario: 'kill', setting: 'Observe, client-go, Direct' }
    const alone = { ...planned, scenario: 'planned-alone' }
    const byHand = { ...planned, scenario: 'planned-by-hand', setting: 'by hand' }
    const [text] = summary([planned, alone, killed, byHand, { ...killed, setting: 'Assign, Direct' }])
    assert.deepEqual(text?.split('\n').slice(2), [
      '|  | n | median / largest, ms | refused |',
      '| --- | --- | --- | --- |',
      "| both pods live: from the Lease to the new leader's first answer, Direct | 2 | 41 / 41 | 6 |",
      "| both pods live: from the Lease to the new leader's first answer, by hand | 2 | 41 / 41 | 6 |",
      "| both pods live: from the Lease to the new leader's first answer, Direct, one kube-proxy, the client's | 2 | 41 / 41 | 6 |",
      '| an unmodified client-go program is killed: until the next leader answers, Observe, client-go, Direct | 2 | 61 / 61 |  |',
    ])
    assert.deepEqual(summary(REPORT.rows), [])
  })

  it('keeps what an earlier run has measured of the rest', () => {
    const row = { ...REPORT.rows[0]!, load: 9 }
    const other = { ...row, setting: 'Selector' }
    const report = merged(REPORT, { ...REPORT, image: undefined, rows: [row, other], deaths: [] })
    assert.deepEqual(report, { ...REPORT, rows: [row, other] })
    assert.equal(merged(undefined, REPORT), REPORT)
  })

  it('does not go to a page that has lost its marks', () => {
    assert.throws(() => withTables('a page', REPORT), /lost the marks/)
  })

  it('has a picture with a line for each row', () => {
    const picture = timelines(REPORT.rows)
    assert.match(picture, /^<svg /)
    assert.match(picture, />leader deleted: Direct</)
    assert.equal(picture.match(/<circle/g)!.length, 5 + 5)
  })
})
