import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import type { LeaderGroup } from '../group/leadergroup.ts'
import { matches, type LabelSelector } from '../group/selector.ts'
import type { Pod } from '../kube/objects.ts'
import { runs } from '../sim/runs.ts'
import { Selection, ownersOfKeys } from './selection.ts'

const word = fc.constantFrom('a', 'b', 'c', '', '__proto__', 'constructor', 'a=b')
const labels = fc.dictionary(word, word, { maxKeys: 3 })
const selector: fc.Arbitrary<LabelSelector> = fc.record(
  {
    matchLabels: labels,
    matchExpressions: fc.array(
      fc.record(
        {
          key: word,
          operator: fc.constantFrom('In', 'In', 'NotIn', 'Exists', 'DoesNotExist', 'Gt'),
          values: fc.array(word, { maxLength: 3 }),
        },
        { requiredKeys: ['key', 'operator'] },
      ),
      { maxLength: 2 },
    ),
  },
  { requiredKeys: [] },
)

function pod(
  labelled: Readonly<Record<string, string>> | undefined,
  annotations?: Readonly<Record<string, string>>,
): Pod {
  return {
    metadata: {
      name: 'p',
      uid: 'u',
      resourceVersion: '1',
      ...(labelled ? { labels: labelled } : {}),
      ...(annotations ? { annotations } : {}),
    },
  }
}

function group(name: string, selects: LabelSelector): LeaderGroup {
  return {
    metadata: { name, uid: name, resourceVersion: '1' },
    spec: { selector: selects as LeaderGroup['spec']['selector'] },
  }
}

describe('selection', () => {
  it('finds the groups that asking each would find, through any changes', () => {
    const steps = fc.array(
      fc.tuple(fc.constantFrom('g0', 'g1', 'g2', '__proto__'), fc.option(selector, { nil: undefined })),
      { maxLength: 12 },
    )
    let found = 0
    fc.assert(
      fc.property(steps, fc.array(labels, { minLength: 1, maxLength: 5 }), (changes, pods) => {
        const selection = new Selection()
        const groups = new Map<string, LabelSelector>()
        for (const [name, selects] of changes) {
          if (selects) {
            selection.set(group(name, selects))
            groups.set(name, selects)
          } else {
            selection.remove(name)
            groups.delete(name)
          }
        }
        for (const labelled of pods) {
          const expected = [...groups].filter(([, selects]) => matches(selects, labelled)).map(([name]) => name)
          assert.deepEqual([...selection.selecting(pod(labelled))].toSorted(), expected.toSorted())
          for (const [name, selects] of groups) {
            assert.equal(selection.selects(name, pod(labelled)), matches(selects, labelled))
          }
          found += expected.length
        }
      }),
      runs(300),
    )
    assert.ok(found > 0, 'no pod was ever selected, so nothing was shown')
  })

  it('selects no pod without labels by a label', () => {
    const selection = new Selection()
    selection.set(group('g', { matchLabels: { app: 'db' } }))
    selection.set(group('none', { matchExpressions: [{ key: 'x', operator: 'DoesNotExist' }] }))
    assert.deepEqual(selection.selecting(pod(undefined)), ['none'])
  })

  it('selects nothing for a group that it does not know', () => {
    assert.equal(new Selection().selects('g', pod({ app: 'db' })), false)
  })

  it('finds the groups whose keys a pod bears, as label or annotation', () => {
    const bearer = pod(
      { 'db.leadergroup.io/role': 'x', app: 'db' },
      { 'web.leadergroup.io/sealed': '', 'leadergroup.io/ineligible': '' },
    )
    assert.deepEqual(ownersOfKeys(bearer), ['db', 'web'])
    assert.deepEqual(ownersOfKeys(pod(undefined)), [])
  })
})
