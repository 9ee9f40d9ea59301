import { strict as assert } from 'node:assert'
import { Lookout } from './lookout.ts'
import type { State } from './state.ts'

describe('a lookout', () => {
  let states: Record<string, State>
  let struck: string[]
  let lookout: Lookout

  beforeEach(() => {
    states = { db: 'led', queue: 'led' }
    struck = []
    lookout = new Lookout((group) => states[group]!)
  })

  function waitFor(group: string, state: State): void {
    lookout.wait({ group, state }, () => struck.push(`${group} ${state}`))
  }

  it('strikes once, when the group is in the state', () => {
    waitFor('db', 'moving')
    lookout.look()
    assert.deepEqual(struck, [])
    states = { db: 'moving', queue: 'led' }
    lookout.look()
    lookout.look()
    assert.deepEqual(struck, ['db moving'])
  })

  it('strikes at once where that is so already', () => {
    waitFor('db', 'led')
    assert.deepEqual(struck, ['db led'])
  })

  it('goes on waiting for what has not come', () => {
    waitFor('db', 'leaderless')
    waitFor('queue', 'moving')
    states = { db: 'led', queue: 'moving' }
    lookout.look()
    states = { db: 'leaderless', queue: 'moving' }
    lookout.look()
    assert.deepEqual(struck, ['queue moving', 'db leaderless'])
  })

  it('waits for nothing once faults have ended', () => {
    waitFor('db', 'moving')
    lookout.calm()
    states = { db: 'moving', queue: 'led' }
    lookout.look()
    assert.deepEqual(struck, [])
  })
})
