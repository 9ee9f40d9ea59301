import { strict as assert } from 'node:assert'
import { LeaderGroups } from '../../operator/resources.ts'
import { ApiServer } from '../apiserver.ts'
import { VirtualClock } from '../clock.ts'
import { Hands } from './hands.ts'
import { hostileGroup } from './hostile.ts'

describe('hostile groups', () => {
  it('are the same for the same seed, and others for others', () => {
    const groups = Array.from({ length: 20 }, (_, seed) => JSON.stringify(hostileGroup(`${seed}`)))
    assert.deepEqual(
      groups,
      Array.from({ length: 20 }, (_, seed) => JSON.stringify(hostileGroup(`${seed}`))),
    )
    assert.equal(new Set(groups).size, groups.length)
  })

  it('are taken by the server', () => {
    for (let seed = 0; seed < 20; seed++) {
      const user = new Hands(new ApiServer(new VirtualClock()), 'user')
      assert.ok(user.create(LeaderGroups, hostileGroup(`${seed}`)), `seed ${seed}`)
    }
  })
})
