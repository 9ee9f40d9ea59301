import assert from 'node:assert/strict'
import { FAULT_KINDS } from './faults.ts'
import { endingsOf, planOf, stormsIn } from './plan.ts'

const OPTIONS = { storms: 4, stormMillis: 70_000, groups: 8, clientGo: true }

describe('the plan of a run', () => {
  it('is decided by its seed', () => {
    assert.deepEqual(planOf({ ...OPTIONS, seed: 5 }), planOf({ ...OPTIONS, seed: 5 }))
    assert.notDeepEqual(planOf({ ...OPTIONS, seed: 5 }).rounds, planOf({ ...OPTIONS, seed: 6 }).rounds)
  })

  it('decides how the leaders of each group end, however many there will be', () => {
    const [group, other] = planOf({ ...OPTIONS, seed: 5 }).groups.filter(({ mode }) => mode === 'Assign')
    const first = (plan: typeof group): readonly string[] =>
      endingsOf(plan!)
        .take(50)
        .map(({ ending }) => ending)
        .toArray()
    assert.deepEqual(first(group), first(group))
    assert.notDeepEqual(first(group), first(other))
  })

  it('has every fault sooner or later, none of which begins before another one or outlasts its storm', () => {
    const { rounds } = planOf({ ...OPTIONS, seed: 1, storms: 40 })
    const seen = new Set(rounds.flatMap(({ faults }) => faults.map(({ kind }) => kind)))
    assert.deepEqual(
      FAULT_KINDS.filter((kind) => !seen.has(kind)),
      [],
    )
    for (const { faults, millis } of rounds) {
      assert.deepEqual(
        faults,
        faults.toSorted((a, b) => a.atMillis - b.atMillis),
      )
      assert.ok(faults.every((fault) => fault.atMillis + fault.millis <= millis + 1))
    }
  })

  it('lets both operators act in every other storm, where they blink', () => {
    const { rounds } = planOf({ ...OPTIONS, seed: 1 })
    assert.deepEqual(
      rounds.map(({ bothAct, faults }) => [bothAct, faults.some(({ kind }) => kind === 'operator blinks')]),
      [
        [false, false],
        [true, true],
        [false, false],
        [true, true],
      ],
    )
  })

  it('has groups in both modes, with strangers and without, of all kinds of electors', () => {
    const { groups } = planOf({ ...OPTIONS, seed: 1 })
    const kinds = new Set(groups.map(({ mode, hostile }) => `${mode} ${hostile}`))
    assert.deepEqual([...kinds].toSorted(), ['Assign false', 'Assign true', 'Observe false', 'Observe true'])
    const members = (clientGo: boolean): readonly string[] =>
      [...new Set(planOf({ ...OPTIONS, seed: 1, clientGo }).groups.flatMap((each) => each.members))].toSorted()
    assert.deepEqual(members(true), ['client-go', 'elect', 'library', 'nothing'])
    assert.deepEqual(members(false), ['elect', 'library', 'nothing'])
  })

  it('fits into the minutes', () => {
    assert.deepEqual(
      [0.2, 1, 10].map((minutes) => stormsIn(minutes)),
      [
        { storms: 1, stormMillis: 12_000 },
        { storms: 1, stormMillis: 60_000 },
        { storms: 7, stormMillis: 70_000 },
      ],
    )
  })
})
