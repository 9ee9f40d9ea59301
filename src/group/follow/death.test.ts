import assert from 'node:assert/strict'
import { anything, assert as check, boolean, constantFrom, integer, option, property, record } from 'fast-check'
import { runs } from '../../sim/runs.ts'
import type { Standstill } from './containers.ts'
import { deathProofs, isOutOfService, type MortalPod } from './death.ts'
import { NOON_10, at, end, ended, lease, running, type LeaseChange } from './follow-fixtures.ts'

/** At 12:10:`second`, shown at a tick under our eyes. */
function standstill(second: number, seenAt: number, witnessed = true, names = ['app']): Standstill {
  return { finishedAt: NOON_10 + second, seenAt, witnessed, names }
}

function mortal(change: Partial<MortalPod> = {}): MortalPod {
  return { electing: [running('app')], standstill: undefined, outOfService: undefined, ...change }
}

/** The record was renewed at 12:10:10.5 and arrived at tick 20. */
type Row = readonly [rule: string, pod: Partial<MortalPod>, change: LeaseChange, proofs: readonly string[]]

const FIRST_SIGHT = { sight: { changed: false } }
const crashed = (second: number, seenAt: number, witnessed = true): Partial<MortalPod> => ({
  electing: [ended('app', end(second, seenAt, witnessed))],
  standstill: standstill(second, seenAt, witnessed),
})
const restarted = (second: number, seenAt: number): Partial<MortalPod> => ({
  electing: [running('app', end(second, seenAt))],
})
const LOG = running('log', end(13, 31))

const ROWS: readonly Row[] = [
  ['a container that runs is alive', {}, {}, []],
  ['no container, no proof', { electing: [] }, {}, []],
  ['ended in a later second', crashed(11, 30), {}, ['restarted at 30', 'standstill at 30']],
  ['ended in the second of the renewal', crashed(10, 30), {}, ['standstill at 30']],
  ['… and it was so when we first looked', crashed(10, 30, false), {}, []],
  ['… and the record came after it', crashed(10, 19), FIRST_SIGHT, []],
  ['ended in an earlier second', crashed(9, 30), {}, []],
  ['ended later, before we looked', crashed(11, 30, false), {}, ['restarted at 30?', 'standstill at 30?']],
  [
    'ended later, and the record came after it, both before we looked',
    crashed(11, 10, false),
    FIRST_SIGHT,
    ['restarted at 10?', 'standstill at 10?'],
  ],
  ['ended later, but the record changed after that', crashed(11, 19), {}, []],
  ['… which we saw first of all', crashed(11, 19, false), {}, []],
  ['restarted, ended in a later second', restarted(11, 30), {}, ['restarted at 30']],
  ['restarted, ended in the second of the renewal', restarted(10, 30), {}, []],
  ['restarted, ended before the renewal', restarted(9, 30), {}, []],
  ['restarted, and renewed since', restarted(11, 19), {}, []],
  [
    'a standstill stays a proof after the restart',
    { ...restarted(10, 30), standstill: standstill(10, 30) },
    {},
    ['standstill at 30'],
  ],
  [
    'a standstill of other containers',
    { electing: [running('app')], standstill: standstill(11, 30, true, ['log']) },
    {},
    [],
  ],
  [
    'a standstill of fewer containers',
    { electing: [running('app'), running('log')], standstill: standstill(11, 30) },
    {},
    [],
  ],
  ['one of two ended', { electing: [ended('app', end(12, 30)), running('log')] }, {}, []],
  ['both ended, one restarted', { electing: [ended('app', end(12, 30)), LOG] }, {}, ['restarted at 30']],
  [
    'both ended, one of them before our eyes were open',
    { electing: [ended('app', end(12, 30)), running('log', end(13, 31, false))] },
    {},
    ['restarted at 30?'],
  ],
  ['both ended, one before the renewal', { electing: [ended('app', end(12, 30)), running('log', end(9, 15))] }, {}, []],
  [
    'both ended, and the record changed between',
    { electing: [ended('app', end(12, 30)), running('log', end(13, 19))] },
    {},
    [],
  ],
  [
    'both stand still, one ended before the renewal',
    {
      electing: [ended('app', end(12, 30)), ended('log', end(9, 15))],
      standstill: standstill(12, 30, true, ['app', 'log']),
    },
    {},
    ['standstill at 30'],
  ],
  ['no renewTime', crashed(11, 30), { renewTime: null }, []],
  ['a renewTime that is none', crashed(11, 30), { renewTime: '12:10' }, []],
  ['a renewTime of the future', crashed(11, 30), { renewTime: '2126-01-01T00:00:00.000000Z' }, []],
  ['a node out of service', { outOfService: { node: 'n', seenAt: 30, witnessed: true } }, {}, ['outOfService at 30']],
  [
    '… since before we looked',
    { outOfService: { node: 'n', seenAt: 30, witnessed: false } },
    {},
    ['outOfService at 30?'],
  ],
  ['… where somebody renews nevertheless', { outOfService: { node: 'n', seenAt: 19, witnessed: true } }, {}, []],
]

function proofsInWords(pod: MortalPod, change: LeaseChange): readonly string[] {
  return deathProofs(pod, lease('p', change)).map(
    ({ by, seenAt, witnessed }) => `${by} at ${seenAt}${witnessed ? '' : '?'}`,
  )
}

describe('proof of death', () => {
  for (const [rule, pod, change, proofs] of ROWS) {
    it(`${rule}: ${proofs.join(', ') || 'none'}`, () => assert.deepEqual(proofsInWords(mortal(pod), change), proofs))
  }

  const second = integer({ min: 8, max: 13 })
  const tick = integer({ min: 15, max: 25 })
  const container = record({
    state: constantFrom('running', 'waiting', 'ended', 'unknown'),
    end: option(record({ finishedAt: second.map((each) => NOON_10 + each), seenAt: tick, witnessed: boolean() }), {
      nil: undefined,
    }),
  })

  it('needs an end of every electing container that is not before the renewal, or a standstill', () => {
    check(
      property(container, container, (a, b) => {
        const electing = [
          { name: 'a', ...a },
          { name: 'b', ...b },
        ]
        if (deathProofs(mortal({ electing }), lease('p')).length === 0) return
        for (const each of electing) assert.ok(each.end && each.end.finishedAt > NOON_10 + 10)
      }),
      runs(1000),
    )
  })

  it('is not undone by another one', () => {
    const service = option(record({ node: constantFrom('n'), seenAt: tick, witnessed: boolean() }), { nil: undefined })
    check(
      property(container, service, option(second, { nil: undefined }), tick, (app, outOfService, still, seenAt) => {
        const without = mortal({ electing: [{ name: 'app', ...app }] })
        const more = {
          ...without,
          outOfService,
          standstill: still === undefined ? undefined : standstill(still, seenAt),
        }
        const all = deathProofs(more, lease('p')).map(({ by }) => by)
        for (const { by } of deathProofs(without, lease('p'))) assert.ok(all.includes(by))
      }),
      runs(1000),
    )
  })
})

const TAINT = { key: 'node.kubernetes.io/out-of-service', value: 'nodeshutdown', effect: 'NoExecute' }
const ready = (status: string): { conditions: object[] } => ({
  conditions: [
    { type: 'MemoryPressure', status: 'False' },
    { type: 'Ready', status },
  ],
})

describe('a node', () => {
  for (const [rule, node, is] of [
    ['tainted and not ready', { spec: { taints: [TAINT] }, status: ready('False') }, true],
    ['tainted and not heard of', { spec: { taints: [TAINT] }, status: ready('Unknown') }, true],
    ['tainted and ready', { spec: { taints: [TAINT] }, status: ready('True') }, false],
    ['tainted, without conditions', { spec: { taints: [TAINT] }, status: {} }, false],
    [
      'tainted, ready and not',
      {
        spec: { taints: [TAINT] },
        status: {
          conditions: [...ready('False').conditions, ...ready('True').conditions],
        },
      },
      false,
    ],
    ['not ready', { spec: {}, status: ready('False') }, false],
    ['unreachable', { spec: { taints: [{ key: 'node.kubernetes.io/unreachable' }] }, status: ready('Unknown') }, false],
    ['nothing known', {}, false],
  ] as const) {
    it(`${rule}: ${is ? 'out of service' : 'in service'}`, () => assert.equal(isOutOfService(node), is))
  }
  it('of any shape is in service', () => {
    check(property(anything(), anything(), (spec, status) => assert.equal(isOutOfService({ spec, status }), false)))
    check(
      property(anything(), (taints) =>
        assert.equal(isOutOfService({ spec: { taints }, status: ready('False') }), false),
      ),
    )
  })
})

describe('the stamps of the fixtures', () => {
  it('are seconds of 12:10', () => assert.equal(NOON_10, Date.parse(at('12:10:00')) / 1000))
})
