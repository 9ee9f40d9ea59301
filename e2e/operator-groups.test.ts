import assert from 'node:assert/strict'
import { COLLECTION_MILLIS, type Scene, isLabelled, keysOn, termOf } from './operator-scene.ts'
import { behavedWell, operatorSuite } from './operator-suite.ts'

const SHARED = { selector: { matchLabels: { app: 'db' } } }

describe('a bad day: groups come, go and share their pods', () => {
  const suite = operatorSuite()
  let scene: Scene
  beforeEach(() => {
    scene = suite.scene
  })

  it('leaves nothing of a group that is deleted', async () => {
    await scene.createLed()
    await scene.deleteGroup()
    await scene.untilGone()
    await scene.check(1)
  })

  it('leads a group that is deleted and created again', async () => {
    await scene.createLed()
    await scene.deleteGroup()
    await scene.createGroup()
    await scene.untilLed(undefined, 'db', COLLECTION_MILLIS)
    await scene.check(1)
  })

  it('leads two groups that share their pods, and they do not touch each other', async () => {
    await scene.createGroup('a', SHARED)
    await scene.createGroup('b', SHARED)
    await scene.createPod('db-0')
    await scene.createPod('db-1')
    await scene.untilLed('db-0', 'a')
    const before = await scene.untilLed('db-0', 'b')
    await scene.deletePod('db-0', 0)
    const after = await scene.untilLed('db-1', 'a')
    await scene.untilLed('db-1', 'b')
    assert.notEqual(before.metadata.uid, after.metadata.uid)
    await scene.deleteGroup('a')
    await scene.untilGone('a')
    const left = await scene.untilLed('db-1', 'b')
    assert.deepEqual(keysOn(left, 'b').length, 3)
    await scene.check(2, 'a')
    await scene.check(2, 'b')
  })

  it('follows a selector that changes', async () => {
    const leader = await scene.createLed(['db-0', 'db-1'])
    await scene.createPod('new-0', { app: 'new' })
    await scene.patchGroup({ selector: { matchLabels: { app: 'new' } } })
    const next = await scene.untilLed('new-0')
    assert.ok(Number(termOf(next)) > Number(termOf(leader)))
    for (const name of ['db-0', 'db-1']) await scene.untilPod(name, 'bare', (pod) => keysOn(pod).length === 0)
    await scene.untilStatus('one candidate of the new spec', ({ candidates, observedGeneration }) => {
      return candidates === 1 && observedGeneration === 2
    })
    await scene.check(2)
  })

  it('takes the label off when a selector leaves the group without pods', async () => {
    await scene.createLed(['db-0'])
    await scene.patchGroup({ selector: { matchLabels: { app: 'none' } } })
    await scene.untilPod('db-0', 'without the label', (pod) => !isLabelled(pod))
    await scene.untilCondition('False', 'NoPods')
    await scene.check(1)
  })

  behavedWell(suite, { writes: 40 })
})
