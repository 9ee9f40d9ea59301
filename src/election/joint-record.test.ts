import { strict as assert } from 'node:assert'
import { jointRecord, UNKNOWN_HOLDER } from './joint-record.ts'
import type { LeaseRecord } from './record.ts'

/** `a@2 15s #4`: a renewed at 2, silent for 15 s at most, in term 4. */
function record(text: string): LeaseRecord | undefined {
  const match = /^(?<holder>\w*)@(?<renewed>\d+) (?<seconds>\d+)s #(?<term>\d+)$/.exec(text)?.groups
  if (!match) return undefined
  const { holder = '', renewed, seconds, term } = match
  return {
    holderIdentity: holder,
    leaseDurationSeconds: Number(seconds),
    leaseTransitions: Number(term),
    acquireTime: `acquired in ${term}`,
    renewTime: `${renewed}`,
  }
}

function inWords(joint: LeaseRecord | undefined): string {
  if (!joint) return 'absent'
  const { holderIdentity, renewTime, leaseDurationSeconds, leaseTransitions, acquireTime } = joint
  const holder = holderIdentity === UNKNOWN_HOLDER ? 'unknown' : holderIdentity
  return `${holder}@${renewTime} ${leaseDurationSeconds}s #${leaseTransitions}${acquireTime ? '' : ", nobody's write"}`
}

const ROWS: readonly (readonly [what: string, primary: string, secondary: string, joint: string])[] = [
  ['neither is there', '-', '-', 'absent'],
  ['only the primary is there: those who know it alone go on', 'a@1 15s #4', '-', "a@1 15s #4, nobody's write"],
  ['only the secondary is there', '-', 'a@1 15s #4', "a@1 15s #4, nobody's write"],
  ['both are of one write', 'a@1 15s #4', 'a@1 15s #4', 'a@1 15s #4'],
  ['the primary is renewed, the secondary not yet', 'a@3 15s #4', 'a@1 15s #4', 'a@1 15s #4'],
  ['both are released', '@3 1s #4', '@3 1s #4', '@3 1s #4'],
  ['one holder, with other numbers', 'a@3 15s #7', 'a@1 20s #4', 'a@1 20s #7'],
  ['two holders', 'a@1 15s #4', 'b@2 10s #9', 'unknown@1 15s #9'],
  ['the primary is released, a leader of the secondary goes on', '@1 1s #4', 'b@2 15s #4', 'unknown@1 15s #4'],
  ['the secondary is released, a leader of the primary goes on', 'a@1 15s #4', '@2 1s #4', 'unknown@1 15s #4'],
  ['a release says nothing of its duration', 'a@1 15s #4', '@2 0s #4', 'unknown@1 15s #4'],
  ['a holder says nothing of its duration', 'a@1 0s #4', '@2 1s #4', 'unknown@1 0s #4'],
]

describe('joint record', () => {
  for (const [what, primary, secondary, joint] of ROWS) {
    it(what, () => assert.equal(inWords(jointRecord(record(primary), record(secondary))), joint))
  }
})
