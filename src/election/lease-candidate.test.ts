import { strict as assert } from 'node:assert'
import { standAsCandidate, type CandidateObservation, type CandidateSight } from './lease-candidate.ts'
import { microTime } from './micro-time.ts'

const WALL = Date.UTC(2026, 0, 1)
const time = (seconds: number): string => microTime(WALL + seconds * 1000)

/** Renewed at, and pinged at, by the times in the object. */
const standing = (renewed?: number, pinged?: number): CandidateSight => ({
  isForeign: false,
  renewTime: renewed === undefined ? undefined : time(renewed),
  pingTime: pinged === undefined ? undefined : time(pinged),
})

type Row = readonly [what: string, sight: CandidateObservation['sight'], renewedAt: number | undefined, does: string]

/** All at 100 s. */
const ROWS: readonly Row[] = [
  ['knows nothing', undefined, undefined, 'read'],
  ['knows nothing any more', undefined, 40, 'read'],
  ['is not there', 'absent', undefined, 'create at 100'],
  ['was deleted', 'absent', 40, 'create at 100'],
  ['stands for another Lease', { ...standing(40), isForeign: true }, 40, 'delete'],
  ['stood before this process began', standing(40), undefined, 'renew at 100'],
  ['stands', standing(40), 40, 'nothing until 340'],
  ['answered its last ping', standing(40, 39), 40, 'nothing until 340'],
  ['answered a ping of its own time', standing(40, 40), 40, 'nothing until 340'],
  ['is pinged', standing(40, 99), 40, 'renew at 100'],
  ['is pinged before it ever renewed', standing(undefined, 99), 40, 'renew at 100'],
  ['is pinged by a clock that is ahead', standing(40, 130), 40, 'renew at 130'],
  ['answered that', standing(130, 130), 100, 'nothing until 400'],
  ['has not renewed for five minutes, after such a ping', standing(130, 130), -200, 'renew at 130'],
  ['has not renewed for five minutes', standing(-200), -200, 'renew at 100'],
]

describe('stand as a candidate', () => {
  for (const [what, sight, renewedAt, does] of ROWS) {
    it(`${does} when it ${what}`, () => {
      const { actions, wakeAt } = standAsCandidate(
        { sight, renewedAt: renewedAt === undefined ? undefined : renewedAt * 1000 },
        { monotonic: 100_000, wall: WALL + 100_000 },
      )
      const said = actions.map((action) =>
        'renewTime' in action ? `${action.kind} at ${(Date.parse(action.renewTime) - WALL) / 1000}` : action.kind,
      )
      assert.equal(said.join() || `nothing until ${wakeAt! / 1000}`, does)
    })
  }
})
