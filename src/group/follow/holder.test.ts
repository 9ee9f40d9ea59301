import assert from 'node:assert/strict'
import { array, assert as check, boolean, constantFrom, integer, option, property, record, string } from 'fast-check'
import { runs } from '../../sim/runs.ts'
import type { FollowedPod } from './follow.ts'
import { at, lease, pod, type LeaseChange } from './follow-fixtures.ts'
import { mapHolder, type Mapping, type NamedHolder } from './holder.ts'

const UID = '6f0c1a52-0d8e-4b7e-9a3e-2f1f5f0a9b11'
const UNICORNS = '🦄'.repeat(256)

function inWords(mapping: Mapping): string {
  switch (mapping.kind) {
    case 'none':
      return 'none'
    case 'pod':
      return `${mapping.pod.uid} by ${mapping.by}`
    case 'unknown':
      return mapping.why
    case 'ambiguous':
      return `ambiguous: ${mapping.pods.map(({ uid }) => uid).join(' ')}`
  }
}

type Row = readonly [rule: string, holder: string | null, pods: readonly FollowedPod[], is: string]

const db0 = pod('db-0', { uid: UID, podIPs: ['10.0.0.5', 'fd00::5'] })
const db1 = pod('db-1', { podIPs: ['10.0.0.6'] })
const both = [db0, db1]

const WAYS: readonly Row[] = [
  ['nobody holds a Lease without holder', null, both, 'none'],
  ['nobody holds a released Lease', '', both, 'none'],
  ['the exact name', 'db-1', both, 'uid-of-db-1 by name'],
  ['the name, _ and a UUID, even if it is another pod’s UID', `db-1_${UID}`, both, 'uid-of-db-1 by prefix'],
  ['the name, _ and anything', 'db-1_a_b_🦄', both, 'uid-of-db-1 by prefix'],
  ['the name, _ and nothing', 'db-1_', both, 'uid-of-db-1 by prefix'],
  ['the UID', UID, both, `${UID} by uid`],
  [
    'the name, though its IP came after the record',
    'db-1',
    [pod('db-1', { podIPs: ['10.0.0.6'], podIPsSeenAt: 25 })],
    'uid-of-db-1 by name',
  ],
  ['the IP', '10.0.0.6', both, 'uid-of-db-1 by ip'],
  ['any of its IPs', 'fd00::5', both, `${UID} by ip`],
  ['an IP in another notation is none', 'fd00:0::5', both, 'noSuchPod'],
  ['a prefix of the name is not the name', 'db', both, 'noSuchPod'],
  ['the name is not a prefix without _', 'db-10', both, 'noSuchPod'],
  ['the name with a domain is not the name', 'db-1.shop', both, 'noSuchPod'],
  ['another case is not the name', 'DB-1', both, 'noSuchPod'],
  ['a space is not trimmed', ' db-1', both, 'noSuchPod'],
  ['_ alone', '_', both, 'noSuchPod'],
  ['_ first', '_db-1', both, 'noSuchPod'],
  [
    'an IP of the host network is the node’s',
    '10.9.9.9',
    [pod('a', { hostNetwork: true, podIPs: ['10.9.9.9'] })],
    'hostNetworkAddress',
  ],
  [
    'a host-network pod is known by its name',
    'a',
    [pod('a', { hostNetwork: true, podIPs: ['10.9.9.9'] })],
    'uid-of-a by name',
  ],
  [
    'an IP that a finished pod gave back',
    '10.0.0.6',
    [db0, pod('job', { phase: 'Succeeded', podIPs: ['10.0.0.6'] })],
    'noSuchPod',
  ],
  [
    'an IP that moved on from a finished pod',
    '10.0.0.6',
    [db1, pod('job', { phase: 'Failed', podIPs: ['10.0.0.6'] })],
    'uid-of-db-1 by ip',
  ],
  ['a pod that is not selected', 'db-1', [db0, pod('db-1', { selected: false })], 'notSelected'],
  ['two pods with one IP', '10.0.0.6', [db1, pod('c', { podIPs: ['10.0.0.6'] })], 'ambiguous: uid-of-db-1 uid-of-c'],
  [
    'one selected pod of two with one IP',
    '10.0.0.6',
    [db1, pod('c', { podIPs: ['10.0.0.6'], selected: false })],
    'uid-of-db-1 by ip',
  ],
  ['a pod named like another’s IP', '10.0.0.6', [db1, pod('10.0.0.6')], 'ambiguous: uid-of-10.0.0.6 uid-of-db-1'],
  ['a pod named like another’s UID', UID, [db0, pod(UID)], `ambiguous: ${UID} uid-of-${UID}`],
  [
    'a pod whose own name is its IP',
    '10.0.0.7',
    [pod('10.0.0.7', { podIPs: ['10.0.0.7'] })],
    'uid-of-10.0.0.7 by name',
  ],
  ['the holder of a MultiLock that is split', 'leaderelection.k8s.io/unknown', both, 'noSuchPod'],
  ['__proto__', '__proto__', both, 'noSuchPod'],
  ['constructor', 'constructor', both, 'noSuchPod'],
  ['1 kB of emoji', UNICORNS, both, 'noSuchPod'],
  ['1 kB of emoji after the name', `db-1_${UNICORNS}`, both, 'uid-of-db-1 by prefix'],
  ['a newline', 'db-1\n', both, 'noSuchPod'],
  ['a megabyte', 'db-1'.repeat(2 ** 18), both, 'noSuchPod'],
  ['no pods at all', 'db-1', [], 'noSuchPod'],
]

/** The record changed at tick 20 and was acquired at 12:05:00, unless told otherwise. */
type AgeRow = readonly [
  rule: string,
  holder: string,
  pod: Partial<FollowedPod>,
  change: LeaseChange,
  is: string,
  named?: NamedHolder,
]

const FIRST_SIGHT = { sight: { changed: false } }
const NEW = { firstSeenAt: 30, appeared: true }
const OLD_ACQUIRE = { acquireTime: at('11:00:00.000000') }
const AGES: readonly AgeRow[] = [
  ['changed after the pod was seen', 'p', { firstSeenAt: 19 }, {}, 'uid-of-p by name'],
  [
    '… with the acquireTime of its predecessor, as client-go keeps it',
    'p',
    { firstSeenAt: 19, appeared: true },
    OLD_ACQUIRE,
    'uid-of-p by name',
  ],
  [
    '… and something unique: an earlier pod’s process lives on and renews',
    'p_x',
    { firstSeenAt: 19, appeared: true },
    OLD_ACQUIRE,
    'olderThanPod',
  ],
  [
    '… and something unique, acquired in the second of its start',
    'p_x',
    { firstSeenAt: 19, appeared: true, startTime: at('12:05:00') },
    {},
    'uid-of-p by prefix',
  ],
  [
    '… and something unique, without a start',
    'p_x',
    { firstSeenAt: 19, startTime: undefined },
    {},
    'uid-of-p by prefix',
  ],
  ['there before the pod came', 'p', NEW, {}, 'olderThanPod'],
  ['there before the pod came, with something unique', 'p_x', NEW, {}, 'olderThanPod'],
  [
    'there before the pod came, whatever stamps say',
    'p',
    { ...NEW, startTime: at('11:00:00'), creationTime: at('11:00:00') },
    {},
    'olderThanPod',
  ],
  ['with the pod’s UID cannot be older', 'uid-of-p', NEW, FIRST_SIGHT, 'uid-of-p by uid'],
  ['with name and UID cannot be older', 'p_uid-of-p', NEW, { ...FIRST_SIGHT, ...OLD_ACQUIRE }, 'uid-of-p by prefix'],
  [
    'mapped by an earlier operator stays mapped',
    'p',
    NEW,
    { ...FIRST_SIGHT, ...OLD_ACQUIRE },
    'uid-of-p by name',
    { uid: 'uid-of-p', identity: 'p' },
  ],
  ['… but not to a pod of the same name', 'p', NEW, FIRST_SIGHT, 'olderThanPod', { uid: 'uid-before', identity: 'p' }],
  ['… nor by another identity', 'p_new', NEW, FIRST_SIGHT, 'olderThanPod', { uid: 'uid-of-p', identity: 'p_old' }],
  [
    'at our start: acquired in a later second than the pod’s start',
    'p',
    { startTime: at('12:04:59') },
    FIRST_SIGHT,
    'uid-of-p by name',
  ],
  [
    'at our start: acquired in the second of the start',
    'p',
    { startTime: at('12:05:00') },
    { ...FIRST_SIGHT, acquireTime: at('12:05:00.999999') },
    'olderThanPod',
  ],
  ['at our start: acquired before', 'p', { startTime: at('12:05:01') }, FIRST_SIGHT, 'olderThanPod'],
  ['at our start: acquired before the creation', 'p', { creationTime: at('12:05:01') }, FIRST_SIGHT, 'olderThanPod'],
  ['at our start: a pod without start', 'p', { startTime: undefined }, FIRST_SIGHT, 'uid-of-p by name'],
  [
    'at our start: a pod without any stamp',
    'p',
    { startTime: undefined, creationTime: undefined },
    FIRST_SIGHT,
    'olderThanPod',
  ],
  ['at our start: no acquireTime', 'p', {}, { ...FIRST_SIGHT, acquireTime: null }, 'olderThanPod'],
  ['at our start: an acquireTime that is none', 'p', {}, { ...FIRST_SIGHT, acquireTime: 'yesterday' }, 'olderThanPod'],
  ['changed between the first looks at Lease and pods', 'p', { firstSeenAt: 25 }, {}, 'uid-of-p by name'],
  ['… and acquired before the pod’s start', 'p', { firstSeenAt: 25 }, OLD_ACQUIRE, 'olderThanPod'],
  ['by IP: changed after the pod had it', '10.0.0.1', { podIPs: ['10.0.0.1'], podIPsSeenAt: 19 }, {}, 'uid-of-p by ip'],
  ['by IP: changed before the pod had it', '10.0.0.1', { podIPs: ['10.0.0.1'], podIPsSeenAt: 21 }, {}, 'olderThanPod'],
  ['by IP: stamps do not tell when the pod got it', '10.0.0.1', { podIPs: ['10.0.0.1'] }, FIRST_SIGHT, 'olderThanPod'],
]

const gone = pod('p', { uid: 'uid-1', deleted: true, firstSeenAt: 10 })
const came = (tick: number, change: Partial<FollowedPod> = {}): FollowedPod =>
  pod('p', { uid: 'uid-2', firstSeenAt: tick, appeared: true, ...change })

function distinct(pods: readonly FollowedPod[]): readonly FollowedPod[] {
  return pods.filter(({ uid }, index) => pods.findIndex((other) => other.uid === uid) === index)
}

describe('the holder of a Lease', () => {
  for (const [rule, holder, pods, is] of WAYS) {
    it(`${rule}: ${is.slice(0, 80)}`, () => assert.equal(inWords(mapHolder(lease(holder), pods)), is))
  }

  describe('by a record', () => {
    for (const [rule, holder, change, leaseChange, is, named] of AGES) {
      it(`${rule}: ${is}`, () =>
        assert.equal(inWords(mapHolder(lease(holder, leaseChange), [pod('p', change)], named)), is))
    }
  })

  describe('when a pod comes again under its name', () => {
    for (const [rule, pods, is] of [
      ['is the one before, if the record is', [gone, came(30)], 'uid-1 by name'],
      ['is the one that is there, if it was written since', [gone, came(15)], 'uid-2 by name'],
      ['is nobody, if that one is not selected', [gone, came(15, { selected: false })], 'notSelected'],
      ['is the latest of those that are gone', [gone, came(15, { deleted: true })], 'uid-2 by name'],
      ['is nobody, if the one before is not known', [came(30)], 'olderThanPod'],
    ] as const) {
      it(`${rule}: ${is}`, () => {
        assert.equal(inWords(mapHolder(lease('p'), pods)), is)
        assert.equal(inWords(mapHolder(lease('p'), pods.toReversed())), is)
      })
    }
  })

  const texts = constantFrom('a', 'a_b', 'b', '10.0.0.1', '__proto__', 'uid-a', '_', '')
  const anyPod = record({
    name: constantFrom('a', 'b', '10.0.0.1', '__proto__'),
    uid: constantFrom('uid-a', 'uid-b', 'a', '1'),
    podIPs: array(constantFrom('10.0.0.1', 'a'), { maxLength: 2 }),
    phase: constantFrom('Running', 'Succeeded', undefined),
    startTime: option(string(), { nil: undefined }),
    selected: boolean(),
    deleted: boolean(),
    hostNetwork: boolean(),
    appeared: boolean(),
    firstSeenAt: integer({ min: 0, max: 40 }),
    podIPsSeenAt: integer({ min: 0, max: 40 }),
  }).map(({ name, ...change }) => pod(name, change))

  it('is never a pod that is not selected, nor one by the address of its node', () => {
    check(
      property(texts, array(anyPod, { maxLength: 4 }), boolean(), (holder, pods, changed) => {
        const mapping = mapHolder(lease(holder, { sight: { changed } }), pods)
        if (mapping.kind !== 'pod') return
        assert.ok(mapping.pod.selected && pods.includes(mapping.pod))
        assert.ok(mapping.by !== 'ip' || !mapping.pod.hostNetwork)
      }),
      runs(1000),
    )
  })

  it('is, among pods that are there, the one that is meant in any way; two are ambiguous', () => {
    const isMeant = (holder: string, { name, uid, podIPs, hostNetwork, phase }: FollowedPod): boolean =>
      [name, uid].includes(holder) ||
      holder.startsWith(`${name}_`) ||
      (!hostNetwork && phase !== 'Succeeded' && podIPs.includes(holder))
    check(
      property(texts, array(anyPod, { maxLength: 4 }), (holder, pods) => {
        const living = distinct(pods).map((each) => ({ ...each, deleted: false, firstSeenAt: 10, podIPsSeenAt: 10 }))
        const mapping = mapHolder(lease(holder), living)
        const meant = living.filter((each) => each.selected && isMeant(holder, each)).map(({ uid }) => uid)
        const found = mapping.kind === 'ambiguous' ? mapping.pods : mapping.kind === 'pod' ? [mapping.pod] : []
        assert.deepEqual(found.map(({ uid }) => uid).toSorted(), holder === '' ? [] : meant.toSorted())
        assert.equal(mapping.kind === 'ambiguous', found.length > 1)
      }),
      runs(1000),
    )
  })

  it('does not depend on the order of the pods', () => {
    const kindOf = (mapping: Mapping): string => (mapping.kind === 'ambiguous' ? mapping.kind : inWords(mapping))
    check(
      property(texts, array(anyPod, { maxLength: 4 }), (holder, pods) => {
        const living = distinct(pods).map((each) => ({ ...each, deleted: false }))
        assert.equal(kindOf(mapHolder(lease(holder), living)), kindOf(mapHolder(lease(holder), living.toReversed())))
      }),
      runs(1000),
    )
  })

  it('is told of any text', () => {
    check(
      property(string({ unit: 'binary' }), (holder) => {
        const mapping = mapHolder(lease(`${holder}_${holder}`), both)
        assert.equal(
          mapping.kind,
          holder.startsWith('db-0_') || holder.startsWith('db-1_') || holder === 'db-0' || holder === 'db-1'
            ? 'pod'
            : 'unknown',
        )
      }),
    )
  })
})
