import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import type { Lease, Pod } from '../kube/objects.ts'
import { electingIn, seeLease, seeNode, seePod, type LeaseSight, type NodeSight, type PodSight } from './sight.ts'
import { Deaths, Store, Ticks, type Before, type See } from './store.ts'
import type { KubeObject } from '../kube/objects.ts'
import { trimNode, trimPod, type CachedNode, type CachedPod } from './trim.ts'

/** The sights of one object, version by version: the first arrives at tick 10 and 1000 ms, the next at 11 and 1100 ms. */
function sights<T extends KubeObject, S>(
  see: See<T, S>,
  first: 'absent' | undefined,
  versions: readonly T[],
  reads: Readonly<Record<number, number>> = {},
): readonly S[] {
  let before: Before<T, S> = first
  return versions.map((object, index) => {
    const at = { tick: 10 + index, millis: 1000 + 100 * index, readMillis: reads[index] }
    const sight = see(object, before, at)
    before = { object, seenAt: at.tick, readAt: undefined, sight }
    return sight
  })
}

type Terminated = { readonly finishedAt: string; readonly reason: string }
const ENDED: Terminated = { finishedAt: '2026-01-01T12:10:11Z', reason: 'Error' }
const LATER: Terminated = { finishedAt: '2026-01-01T12:10:31Z', reason: 'Error' }
const [END, LATER_END] = [Date.parse(ENDED.finishedAt) / 1000, Date.parse(LATER.finishedAt) / 1000]
const RUNS = { state: { running: {} } }
const RESTARTED = { state: { running: {} }, lastState: { terminated: ENDED } }
const STOPPED = { state: { terminated: ENDED } }

interface PodChange {
  readonly uid?: string
  readonly ips?: readonly string[]
  readonly app?: object
  readonly side?: object
  readonly elector?: string
}

/** A pod of the containers `app` and, if the row says so, `side`, as it is kept. */
function pod({ uid = 'u', ips = ['10.0.0.1'], app = RUNS, side, elector }: PodChange = {}): CachedPod {
  const names = side ? ['app', 'side'] : ['app']
  const sent = {
    metadata: {
      name: 'db-0',
      namespace: 'shop',
      uid,
      resourceVersion: '1',
      annotations: elector === undefined ? {} : { 'leadergroup.io/elector-container': elector },
    },
    spec: { containers: names.map((name) => ({ name })) },
    status: {
      phase: 'Running',
      podIPs: ips.map((ip) => ({ ip })),
      containerStatuses: [{ name: 'app', ...app }, ...(side ? [{ name: 'side', ...side }] : [])],
    },
  }
  return trimPod(sent as unknown as Pod)
}

const podSights = (first: 'absent' | undefined, ...versions: readonly PodChange[]): readonly PodSight[] =>
  sights(seePod, first, versions.map(pod))

describe('the sight of a pod', () => {
  type Known = Pick<PodSight, 'firstSeenAt' | 'podIPsSeenAt' | 'appeared'>
  const known = (firstSeenAt: number, podIPsSeenAt: number, appeared: boolean): Known => ({
    firstSeenAt,
    podIPsSeenAt,
    appeared,
  })
  const ROWS: readonly (readonly [what: string, 'absent' | undefined, readonly PodChange[], Known])[] = [
    ['was there when this process came', undefined, [{}], known(10, 10, false)],
    ['came after a list that lacked it', 'absent', [{}], known(10, 10, true)],
    ['is the same for as long as it lives', 'absent', [{}, {}, {}], known(10, 10, true)],
    ['did not appear by being seen again', undefined, [{}, {}], known(10, 10, false)],
    ['got its address later', 'absent', [{ ips: [] }, {}], known(10, 11, true)],
    ['got another address', undefined, [{}, {}, { ips: ['10.0.0.2'] }], known(10, 12, false)],
    ['got a second address', undefined, [{}, { ips: ['10.0.0.1', 'fd00::1'] }], known(10, 11, false)],
    ['lost its address', undefined, [{}, { ips: [] }], known(10, 11, false)],
    ['got it back', undefined, [{}, { ips: [] }, {}], known(10, 12, false)],
    ['is another of the name, with the same address', 'absent', [{}, { uid: 'v' }], known(11, 11, true)],
    [
      'came after one of its name that was there before this process',
      undefined,
      [{}, { uid: 'v' }],
      known(11, 11, true),
    ],
  ]
  for (const [what, first, versions, expected] of ROWS) {
    it(`knows one that ${what}`, () => {
      const { firstSeenAt, podIPsSeenAt, appeared } = podSights(first, ...versions).at(-1)!
      assert.deepEqual({ firstSeenAt, podIPsSeenAt, appeared }, expected)
    })
  }

  type EndRow = readonly [
    what: string,
    versions: readonly PodChange[],
    ends: readonly (string | undefined)[],
    standstill?: string,
  ]
  const saw = (finishedAt: number, seenAt: number, how: 'witnessed' | 'found'): string =>
    `${finishedAt} at ${seenAt}, ${how}`
  const ENDS: readonly EndRow[] = [
    ['none', [{}, {}], [undefined]],
    ['one that was there before', [{ app: RESTARTED }, {}], [saw(END, 10, 'found')]],
    ['one that happened before our eyes', [{}, { app: RESTARTED }], [saw(END, 11, 'witnessed')]],
    ['one that a later status shows no more', [{}, { app: RESTARTED }, { app: RUNS }], [saw(END, 11, 'witnessed')]],
    ['one that is shown again', [{}, { app: RESTARTED }, { app: RESTARTED }], [saw(END, 11, 'witnessed')]],
    [
      'the next one',
      [{ app: RESTARTED }, { app: { ...RUNS, lastState: { terminated: LATER } } }],
      [saw(LATER_END, 11, 'witnessed')],
    ],
    ['none of another pod of the name', [{}, { app: RESTARTED }, { uid: 'v' }], [undefined]],
    ['one of another pod, found', [{}, { uid: 'v', app: RESTARTED }], [saw(END, 11, 'found')]],
    [
      'those of each container',
      [{ side: RUNS }, { app: RESTARTED, side: RUNS }],
      [saw(END, 11, 'witnessed'), undefined],
    ],
    [
      'that of the one that elects',
      [
        { side: RUNS, elector: 'side' },
        { app: RESTARTED, side: RUNS, elector: 'side' },
      ],
      [undefined],
    ],
    ['a standstill', [{}, { app: STOPPED }], [saw(END, 11, 'witnessed')], saw(END, 11, 'witnessed')],
    ['one that was there before', [{ app: STOPPED }], [saw(END, 10, 'found')], saw(END, 10, 'found')],
    [
      'no standstill while one container runs',
      [{ side: RUNS }, { app: STOPPED, side: RUNS }],
      [saw(END, 11, 'witnessed'), undefined],
    ],
    [
      'a standstill that is over',
      [{}, { app: STOPPED }, { app: RESTARTED }, { app: RUNS }],
      [saw(END, 11, 'witnessed')],
      saw(END, 11, 'witnessed'),
    ],
    [
      'the next standstill',
      [{}, { app: STOPPED }, { app: { state: { terminated: LATER } } }],
      [saw(LATER_END, 12, 'witnessed')],
      saw(LATER_END, 12, 'witnessed'),
    ],
  ]
  for (const [index, [what, versions, ends, standstill]] of ENDS.entries()) {
    it(`knows of its ends: ${what} (${index + 1})`, () => {
      const object = pod(versions.at(-1))
      const sight = podSights('absent', ...versions).at(-1)!
      const inWords = (
        at: { finishedAt: number; seenAt: number; witnessed: boolean } | undefined,
      ): string | undefined => at && saw(at.finishedAt, at.seenAt, at.witnessed ? 'witnessed' : 'found')
      assert.deepEqual(
        electingIn({ object, sight }).map(({ end }) => inWords(end)),
        ends,
      )
      assert.equal(inWords(sight.standstill), standstill)
      assert.equal(
        sight.electing === undefined,
        ends.every((end) => end === undefined),
      )
    })
  }

  it('shows the containers as they are, with and without an end', () => {
    const states = (change: PodChange): readonly string[] => {
      const [sight] = podSights(undefined, change)
      return electingIn({ object: pod(change), sight: sight! }).map(({ name, state }) => `${name} ${state}`)
    }
    assert.deepEqual(states({ side: { state: { waiting: {} } } }), ['app running', 'side waiting'])
    assert.deepEqual(states({ app: STOPPED, side: RUNS }), ['app ended', 'side running'])
  })

  it('is the same object for as long as nothing of it changes, for there are many pods', () => {
    const change: fc.Arbitrary<PodChange> = fc.record(
      { ips: fc.constantFrom(['10.0.0.1'], ['10.0.0.2'], []), app: fc.constantFrom(RUNS, { state: { waiting: {} } }) },
      { requiredKeys: [] },
    )
    let calm = 0
    fc.assert(
      fc.property(fc.array(change, { minLength: 2, maxLength: 6 }), (versions) => {
        const seen = podSights(undefined, ...versions)
        for (const [index, version] of versions.entries()) {
          if (index === 0) continue
          const moved =
            JSON.stringify(version.ips ?? ['10.0.0.1']) !== JSON.stringify(versions[index - 1]!.ips ?? ['10.0.0.1'])
          assert.equal(seen[index] === seen[index - 1], !moved)
          if (!moved) calm++
        }
      }),
    )
    assert.ok(calm > 0, 'every pod moved at every step')
  })
})

describe('the sight of a Lease', () => {
  const lease = (spec: object, change: object = {}): Lease => ({
    metadata: { name: 'db', namespace: 'shop', uid: 'l', resourceVersion: '1', ...change },
    spec,
  })
  const held = { holderIdentity: 'db-0', leaseDurationSeconds: 15, renewTime: '2026-01-01T00:00:00.000000Z' }
  const renewed = { ...held, renewTime: '2026-01-01T00:00:02.000000Z' }

  type Row = readonly [
    what: string,
    first: 'absent' | undefined,
    versions: readonly Lease[],
    reads: Readonly<Record<number, number>>,
    expected: readonly [seenAt: number, sinceMillis: number, changed: boolean, readMillis: number | undefined],
  ]
  const ROWS: readonly Row[] = [
    ['that was there when this process came', undefined, [lease(held)], {}, [10, 1000, false, undefined]],
    ['that came after a list that lacked it', 'absent', [lease(held)], {}, [10, 1000, true, undefined]],
    ['that was read at first', undefined, [lease(held)], { 0: 900 }, [10, 1000, false, 900]],
    ['that was renewed', undefined, [lease(held), lease(renewed)], {}, [11, 1100, true, undefined]],
    [
      'of which a renewal was read',
      undefined,
      [lease(held), lease(renewed)],
      { 0: 900, 1: 1050 },
      [11, 1100, true, 1050],
    ],
    [
      'whose last read showed another record',
      undefined,
      [lease(held), lease(renewed)],
      { 0: 900 },
      [11, 1100, true, undefined],
    ],
    ['of which the same record came again', undefined, [lease(held), lease(held)], {}, [10, 1000, false, undefined]],
    [
      'of which the same record came again after a read',
      undefined,
      [lease(held), lease(held)],
      { 0: 900 },
      [10, 1000, false, 900],
    ],
    ['of which the same record was read', 'absent', [lease(held), lease(held)], { 1: 1050 }, [10, 1000, true, 1050]],
    ['of which it was read again', 'absent', [lease(held), lease(held)], { 0: 900, 1: 1050 }, [10, 1000, true, 1050]],
    [
      'that somebody annotated',
      'absent',
      [lease(held), lease(held, { annotations: { a: 'b' }, resourceVersion: '2' })],
      {},
      [10, 1000, true, undefined],
    ],
    [
      'that was emptied',
      undefined,
      [lease(held), lease({ ...held, holderIdentity: '' })],
      {},
      [11, 1100, true, undefined],
    ],
    [
      'that is another with the same record',
      undefined,
      [lease(held), lease(held, { uid: 'm' })],
      { 0: 900 },
      [11, 1100, true, undefined],
    ],
    ['without a record', undefined, [lease(held), { metadata: lease({}).metadata }], {}, [11, 1100, true, undefined]],
  ]
  for (const [what, first, versions, reads, expected] of ROWS) {
    it(`knows one ${what}`, () => {
      const { record, readMillis }: LeaseSight = sights(seeLease, first, versions, reads).at(-1)!
      assert.deepEqual([record.seenAt, record.sinceMillis, record.changed, readMillis], expected)
    })
  }
})

describe('the sight of a node', () => {
  const node = (out: boolean, uid = 'n'): CachedNode =>
    trimNode({
      metadata: { name: 'n1', uid, resourceVersion: '1' },
      spec: { taints: out ? [{ key: 'node.kubernetes.io/out-of-service' }] : [] },
      status: { conditions: [{ type: 'Ready', status: 'False' }] },
    })
  const [serves, out] = [node(false), node(true)]
  const since = (seenAt: number, witnessed: boolean): NodeSight => ({ node: 'n1', seenAt, witnessed })

  const ROWS: readonly (readonly [string, 'absent' | undefined, readonly CachedNode[], NodeSight])[] = [
    ['in service', undefined, [serves], undefined],
    ['out of service when this process came', undefined, [out], since(10, false)],
    ['that came so', 'absent', [out], since(10, false)],
    ['that went out of service', undefined, [serves, out], since(11, true)],
    ['that stays so', undefined, [serves, out, out], since(11, true)],
    ['that was found so, and stays so', undefined, [out, out], since(10, false)],
    ['that is back', undefined, [serves, out, serves], undefined],
    ['that went a second time', undefined, [out, serves, out], since(12, true)],
    ['that is another of the name', undefined, [serves, node(true, 'm')], since(11, false)],
    ['that is another of the name, as the last one was', undefined, [serves, out, node(true, 'm')], since(12, false)],
  ]
  for (const [what, first, versions, expected] of ROWS) {
    it(`knows one ${what}`, () => assert.deepEqual(sights(seeNode, first, versions).at(-1), expected))
  }
})

describe('the sight of what a store keeps', () => {
  it('is of what a list lacked, once there was one', () => {
    const store = new Store<CachedPod, PodSight>({
      ticks: new Ticks(),
      deaths: new Deaths(),
      see: seePod,
      now: () => 0,
      changed: () => undefined,
    })
    const reset = (...objects: readonly CachedPod[]): void =>
      store.change({ kind: 'reset', objects, resourceVersion: '5' })
    const appeared = (): boolean | undefined => store.get('shop', 'db-0')?.sight.appeared
    reset(pod())
    assert.equal(appeared(), false)
    store.gone(pod())
    reset(pod({ uid: 'v' }))
    assert.equal(appeared(), true)
  })
})
