import assert from 'node:assert/strict'
import { Shared } from './shared.ts'

const pod = (name: string) => ({
  metadata: { name, namespace: 'shop', labels: { app: 'db' } },
  status: { conditions: [{ type: 'Ready', status: 'True' }] },
})

describe('Shared', () => {
  it('changes no value', () => {
    const shared = new Shared()
    for (const name of ['db-0', 'db-1', '{"app":"db"}', '[]', 'x'.repeat(100)]) {
      assert.deepEqual(shared.object(pod(name), ['labels', 'conditions']), pod(name))
    }
  })

  it('makes equal parts one, and only those named', () => {
    const shared = new Shared()
    const [a, b] = ['db-0', 'db-1'].map((name) => shared.object(pod(name), ['labels']))
    assert.equal(a!.metadata.labels, b!.metadata.labels)
    assert.notEqual(a!.status.conditions, b!.status.conditions)
  })

  it('never takes a part for another one', () => {
    const shared = new Shared()
    const other = { ...pod('db-1'), metadata: { name: 'db-1', namespace: 'shop', labels: { app: 'web' } } }
    shared.object(pod('db-0'), ['labels'])
    assert.deepEqual(shared.object(structuredClone(other), ['labels']), other)
  })

  it('tells a text from the part that is written like it', () => {
    const shared = new Shared()
    shared.object({ text: '{"app":"db"}' })
    assert.deepEqual(shared.object({ labels: { app: 'db' } }, ['labels']), { labels: { app: 'db' } })
    assert.deepEqual(shared.object({ text: '{"app":"db"}' }), { text: '{"app":"db"}' })
  })

  it('begins anew when it knows very many values', () => {
    const shared = new Shared()
    const first = shared.object(pod('db-0'), ['labels'])
    for (let index = 0; index < 5000; index++) shared.object({ text: `text ${index}` })
    assert.notEqual(shared.object(pod('db-0'), ['labels']).metadata.labels, first.metadata.labels)
  })
})
