import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { Multimap } from './multimap.ts'

describe('Multimap', () => {
  it('is a map to sets, however many values a key has', () => {
    const step = fc.record({
      add: fc.boolean(),
      key: fc.constantFrom('a', 'b'),
      value: fc.nat({ max: 11 }).map(String),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
        const map = new Multimap()
        const model = new Map<string, Set<string>>()
        for (const { add, key, value } of steps) {
          const values = model.get(key) ?? new Set()
          if (add) values.add(value)
          else values.delete(value)
          if (values.size > 0) model.set(key, values)
          else model.delete(key)
          if (add) map.add(key, value)
          else map.delete(key, value)
          assert.deepEqual([...map.keys()].toSorted(), [...model.keys()].toSorted())
          for (const each of ['a', 'b']) {
            assert.deepEqual([...map.get(each)].toSorted(), [...(model.get(each) ?? [])].toSorted())
          }
        }
      }),
    )
  })
})
