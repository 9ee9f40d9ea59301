import assert from 'node:assert/strict'
import type { ObservedLease } from '../observation.ts'
import { GROUP_UID, bornLease, heldLease } from '../fixtures.ts'
import { leaseGate } from './lease-gate.ts'

const MOST = 2 ** 31 - 1
const held = (change: Partial<ObservedLease>): ObservedLease => heldLease('db-0', 4, change)

const ROWS: readonly (readonly [string, ObservedLease | undefined, string])[] = [
  ['no Lease', undefined, 'absent'],
  ['just born', bornLease(), 'open 0'],
  ['named by us', held({}), 'held 4 by db-0'],
  ['named by us, with a term that 32 bits do not hold', heldLease('db-0', 2 ** 40), `held ${2 ** 40} by db-0`],
  ['without an owner', held({ ownerUID: undefined }), 'foreign'],
  ['of a group of the same name that is gone', held({ ownerUID: 'group-0' }), 'foreign'],
  ['of another, without a mark', bornLease({ ownerUID: 'x', mark: undefined, mode: undefined }), 'foreign'],
  ['without a mark', held({ mark: undefined }), 'spoiled'],
  ['with an empty mark', held({ mark: '' }), 'spoiled'],
  ['with a mark without a term', held({ mark: 'db-0_uid-db-0/gate-1' }), 'spoiled'],
  ['with a mark beyond the last term', held({ mark: `db-0_uid-db-0/gate-1/${2 ** 53 - 1}` }), 'spoiled'],
  ['without its mode', held({ mode: undefined }), 'spoiled'],
  ['with another mode', held({ mode: 'Observe' }), 'spoiled'],
  ['emptied', held({ holderIdentity: '' }), 'open 4'],
  ['without a holder', held({ holderIdentity: undefined }), 'open 4'],
  ['taken by a stranger', held({ holderIdentity: 'stranger' }), 'open 4'],
  ['taken in the name of another pod', held({ holderIdentity: 'db-1_uid-db-1' }), 'open 4'],
  ['taken by an elector that calls itself by the pod’s name alone', held({ holderIdentity: 'db-0' }), 'open 4'],
  ['with a UID and no name', held({ holderIdentity: '_uid-db-0' }), 'open 4'],
  ['marked for another', held({ mark: 'db-1_uid-db-1/gate-1/4' }), 'open 4'],
  ['marked for nobody', held({ mark: '-/gate-1/4' }), 'open 4'],
  ['put back from a copy, under another UID', held({ uid: 'gate-2', mark: 'db-0_uid-db-0/gate-1/4' }), 'open 4'],
  ['taken by a name that the holder’s UID never had', held({ holderIdentity: 'zzz_uid-db-0' }), 'open 4'],
  ['counted up by a stranger', held({ transitions: 5 }), 'open 4'],
  ['reset by a stranger', held({ transitions: 0 }), 'open 4'],
  ['without a count', held({ transitions: undefined }), 'open 4'],
  ['with the most transitions but a low term', held({ transitions: MOST }), 'open 4'],
  ['of the name constructor', heldLease('constructor', 4), 'held 4 by constructor'],
]

describe('what the Lease says', () => {
  for (const [what, lease, expected] of ROWS) {
    it(`${what}: ${expected}`, () => {
      const gate = leaseGate(lease, GROUP_UID)
      const term = gate.kind === 'open' || gate.kind === 'held' ? ` ${gate.term}` : ''
      const holder = gate.kind === 'held' ? ` by ${gate.holder.name}` : ''
      assert.equal(`${gate.kind}${term}${holder}`, expected)
    })
  }
})
