import assert from 'node:assert/strict'
import { GROUP_UID, group } from './fixtures.ts'
import type { LeaderGroupStatus } from './leadergroup.ts'
import { statusGate } from './status-gate.ts'

const HELD: LeaderGroupStatus = {
  gate: `db-0_uid-db-0/${GROUP_UID}/4`,
  term: 4,
  holder: 'db-0',
  holderUID: 'uid-db-0',
}
const VACANT: LeaderGroupStatus = { gate: `-/${GROUP_UID}/4`, term: 4 }
const { holder: _holder, holderUID: _uid, ...NAMELESS } = HELD

const ROWS: readonly (readonly [string, LeaderGroupStatus | undefined, string])[] = [
  ['no status', undefined, 'absent'],
  ['no mark', { term: 4 }, 'absent'],
  ['just born', { gate: '-/-/4', term: 4 }, 'open 4'],
  ['named by us', HELD, 'held 4 by db-0'],
  ['emptied by us', VACANT, 'vacant 4'],
  ['emptied by somebody else', NAMELESS, 'open 4'],
  ['of another pod', { ...HELD, holder: 'db-1', holderUID: 'uid-db-1' }, 'open 4'],
  ['of a recreated pod', { ...HELD, holderUID: 'uid-db-0-new' }, 'open 4'],
  ['put back into a group that was created again', { ...HELD, gate: 'db-0_uid-db-0/group-0/4' }, 'open 4'],
  ['with a lower term than its mark', { ...HELD, term: 3 }, 'open 4'],
  ['with a mark below its term', { ...HELD, term: 5 }, 'open 5'],
  ['with a mark below its term, of nobody', { ...VACANT, term: 5 }, 'open 5'],
]

describe('what status says as the gate', () => {
  for (const [what, status, expected] of ROWS) {
    it(`${what}: ${expected}`, () => {
      const gate = statusGate({ groupSeenAt: 1 }, group({ status }))
      const term = gate.kind === 'absent' ? '' : ` ${'term' in gate && gate.term}`
      const holder = gate.kind === 'held' ? ` by ${gate.holder.name}` : ''
      assert.equal(`${gate.kind}${term}${holder}`, expected)
    })
  }
})
