import assert from 'node:assert/strict'
import { explain } from './explain.ts'
import type { ExplainedPod } from './explanation.ts'
import { CONFIRMED, NOW, group, heldLease, leading, observation, pod, stamped } from '../fixtures.ts'
import type { GroupObservation, ObservedPod } from '../observation.ts'

const leader = pod('db-0', leading(4))
const held = heldLease('db-0', 4, CONFIRMED)

function podsOf(...pods: readonly ObservedPod[]): readonly ExplainedPod[] {
  const o = observation({ lease: held, pods: [leader, ...pods] })
  return explain(o, o.group!, NOW).pods.filter(({ name }) => name !== 'db-0')
}

function explained(change: Partial<GroupObservation>): ReturnType<typeof explain> {
  const o = observation({ lease: held, ...change })
  return explain(o, o.group!, NOW)
}

describe('explain', () => {
  describe('the line of successors', () => {
    const old = { revision: 'r1', creationTime: '2026-01-01T00:00:00Z' }
    const fresh = { revision: 'r2', creationTime: '2026-01-01T00:00:30Z' }
    const rows: readonly [string, readonly ObservedPod[], readonly string[]][] = [
      [
        'is by revision',
        [pod('a', { ...stamped(), ...old }), pod('b', { ...stamped(), ...fresh, readyTime: '2026-01-01T00:01:00Z' })],
        ['number 2 in line: b is of a newer revision', 'first in line'],
      ],
      [
        'then by readiness',
        [pod('a', { ...stamped(), readyTime: '2026-01-01T00:01:00Z' }), pod('b', stamped())],
        ['number 2 in line: b has been ready longer', 'first in line'],
      ],
      [
        'then by name',
        [pod('a', stamped()), pod('b', stamped())],
        ['first in line', 'number 2 in line: a comes first by name'],
      ],
      ['shows who is not enrolled', [pod('a')], ['the only one in line, not before it is enrolled']],
    ]
    for (const [what, pods, why] of rows) {
      it(what, () =>
        assert.deepEqual(
          podsOf(...pods).map((each) => each.why),
          why,
        ),
      )
    }
  })

  const hindered: readonly [Partial<ObservedPod>, string][] = [
    [{ ready: false, readyTime: undefined }, 'is not ready'],
    [{ ready: false }, 'is not ready since 2026-01-01T00:00:00Z'],
    [{ terminating: true }, 'is terminating'],
    [{ phase: 'Succeeded' }, 'is not running'],
    [{ excluded: true }, 'is excluded by annotation'],
    [{ selected: false }, 'is not selected, bears keys of the group'],
    [{ selected: false, role: 'leader' }, "is not selected, bears the leader's keys wrongly"],
  ]
  for (const [change, why] of hindered) {
    it(`shows a pod that ${why}`, () => {
      const [shown] = podsOf(pod('a', { ...stamped(), ...change }))
      assert.deepEqual([shown?.verdict, shown?.why], ['cannot lead', why])
    })
  }

  it('leaves out pods that have nothing to do with the group', () => {
    assert.deepEqual(podsOf(pod('a', { selected: false })), [])
  })

  const standing: readonly [string, Partial<ObservedPod>, readonly ObservedPod[], string][] = [
    ['healthy', {}, [], 'It stays: it can lead, and nothing but its own state moves a leader'],
    [
      'hindered, with a successor',
      { terminating: true },
      [pod('b', stamped())],
      'It is terminating, and is to be replaced',
    ],
    ['hindered, without one', { excluded: true }, [], 'It is excluded by annotation, and no other pod can lead'],
  ]
  for (const [what, change, others, why] of standing) {
    it(`says whether a leader that is ${what} stays`, () => {
      const { leader: shown } = explained({ pods: [{ ...leader, ...change }, ...others] })
      assert.deepEqual(shown?.why, [why])
      assert.deepEqual([shown?.name, shown?.term, shown?.since], ['db-0', 4, '2026-01-01T00:00:30.000000Z'])
    })
  }

  it('says so of one that stays because the group is paused', () => {
    const pods = [{ ...leader, ready: false }, pod('b', stamped())]
    const { leader: shown } = explained({ group: group({ spec: { paused: true } }), pods })
    assert.deepEqual(shown?.why, ['It is not ready, and stays because the group is paused'])
  })

  it('shows no leader where the label is missing, and puts it back', () => {
    const { leader: shown, due } = explained({ pods: [pod('db-0', stamped(3))], group: group({ status: { term: 3 } }) })
    assert.equal(shown, undefined)
    assert.deepEqual(due, { steps: ['label db-0'], result: 'db-0 leads in term 4' })
  })
})
