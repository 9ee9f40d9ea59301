import { strict as assert } from 'node:assert'
import { report, type Check } from './health.ts'

const ok = (name: string): Check => ({ name, check: () => undefined })
const bad = (name: string, why: string): Check => ({ name, check: () => why })

describe('report', () => {
  const failing = [ok('groups'), bad('pods', 'no list yet')]
  /** [checks, path and query after /readyz, status, body] */
  const rows: readonly [readonly Check[], string, number, string][] = [
    [[ok('groups')], '', 200, 'ok'],
    [[], '', 200, 'ok'],
    [[ok('groups'), ok('pods')], '?verbose', 200, '[+]groups ok\n[+]pods ok\nreadyz check passed\n'],
    [failing, '', 500, '[+]groups ok\n[-]pods failed: no list yet\nreadyz check failed\n'],
    [failing, '?exclude=pods', 200, 'ok'],
    [failing, '?verbose&exclude=pods', 200, '[+]groups ok\n[+]pods excluded: ok\nreadyz check passed\n'],
    [failing, '?exclude=groups,pods&exclude=', 200, 'ok'],
    [
      failing,
      '?exclude=pots',
      500,
      '[+]groups ok\n[-]pods failed: no list yet\n' +
        'warn: some checks cannot be excluded, there are none named pots\nreadyz check failed\n',
    ],
    [failing, '/groups', 200, 'ok'],
    [failing, '/pods', 500, 'pods failed: no list yet\n'],
    [failing, '/pots', 404, 'no check is named pots; there are: groups, pods\n'],
  ]
  for (const [checks, path, status, body] of rows) {
    const given = checks.map((each) => (each.check() === undefined ? each.name : `-${each.name}`)).join(', ')
    it(`/readyz${path} of ${given || 'nothing'}`, () => {
      const url = new URL(`http://probe/readyz${path}`)
      const [, , name = ''] = url.pathname.split('/')
      assert.deepEqual(report('readyz', checks, name, url.searchParams), { status, body })
    })
  }
})
