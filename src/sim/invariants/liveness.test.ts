import assert from 'node:assert/strict'
import { Judge } from './judge.ts'
import { acquire, elector, ends, release, renew } from './elector-fixtures.ts'
import {
  FOLLOWED,
  gate,
  gone,
  group,
  label,
  lease,
  LED,
  pod,
  podWrite,
  ready,
  seal,
  status,
  web,
} from './group-fixtures.ts'
import { type Row, rows } from './rows-fixtures.ts'
import {
  after,
  facts,
  GROUP_UID,
  LEASE_UID,
  type Line,
  type Made,
  NAMESPACE,
  operator,
  stranger,
  write,
} from './story-fixtures.ts'

const TRUE = { conditions: [{ type: 'Ready', status: 'True' }] }
const NOBODY = { conditions: [{ type: 'Ready', status: 'False', reason: 'NoEligiblePod' }] }
const REST = [...LED, status('a', 2, TRUE)]
const failover = [ready('a', false), seal('a', 2), lease('b', 3), label('b', 3), status('b', 3, TRUE)]

/** Longer than the bound of 20 s. */
const later: Line = after(21_000, ({ at }) => ({ kind: 'end', at }))
const soon: Line = after(19_000, ({ at }) => ({ kind: 'end', at }))

const in4: Line = after(4_000, ({ at }) => ({ kind: 'end', at }))
const in6: Line = after(6_000, ({ at }) => ({ kind: 'end', at }))

function fault(active: boolean): Line {
  return ({ at }) => ({ kind: 'fault', at, fault: 'network', active })
}

const ended = fault(false)

const two = [elector('a'), elector('b')]

const FOLLOWING = [
  elector('a', { identity: 'a_x' }),
  ...FOLLOWED,
  acquire('a', 0, 'a_x'),
  gate('a', 2, TRUE),
  label('a', 2),
]

const routed = (
  target: string,
  services: readonly object[] = [{ name: 'sql', role: 'Leader', ports: [{ port: 1 }] }],
) => [
  ...REST,
  group({ spec: { services } }),
  write('services', 'sql', () =>
    made('sql', {
      ownerReferences: [{ apiVersion: 'leadergroup.io/v1alpha1', kind: 'LeaderGroup', name: 'db', uid: GROUP_UID }],
    }),
  ),
  write('endpointslices', 'sql-leader-ipv4', () => ({
    ...made('sql-leader-ipv4', { labels: { 'kubernetes.io/service-name': 'sql', 'leadergroup.io/group': 'db' } }),
    endpoints: [{ targetRef: { name: target, namespace: NAMESPACE, uid: `${target}-uid` } }],
  })),
]

function made(name: string, change: object): Made {
  return { metadata: { name, namespace: NAMESPACE, uid: name, resourceVersion: '', ...change } }
}

const shared = podWrite('a', {
  metadata: {
    annotations: {
      'db.leadergroup.io/term': '2',
      'db.leadergroup.io/sealed': `${LEASE_UID}/0`,
      'web.leadergroup.io/sealed': 'web-lease/0',
    },
  },
})

const ROWS: readonly Row[] = [
  ['a leader', [...REST, later]],
  ['a failover', [...REST, later, ...failover, later]],
  ['a group that nobody can lead', [...REST, ready('a', false), ready('b', false), status('a', 2, NOBODY), later]],
  ['a group that is not put right yet', [...REST, gone('pods', 'a'), soon]],
  ['a group that is disturbed again and again', [...REST, gone('pods', 'a'), soon, ready('b', true), soon]],
  ['a fault that lasts', [...REST, fault(true), gone('pods', 'a'), later]],
  ['a fault that has just ended', [...REST, fault(true), gone('pods', 'a'), later, fault(false), soon]],
  [
    'a leader that may be not ready for a while',
    [...REST, group({ spec: { failover: { notReadySeconds: 30 } } }), ready('a', false), later],
  ],
  ['a Lease that a stranger deleted, which is made anew later', [...REST, gone('leases', 'db'), later]],
  [
    'a group that is gone without a trace',
    [
      ...REST,
      gone('leadergroups', 'db'),
      podWrite('a', { role: null, term: null, sealed: null }),
      podWrite('b', { sealed: null }),
      later,
    ],
  ],
  ['a Service that leads to the leader', [...routed('a'), later]],
  [
    'followers that bear their role',
    [...REST, group({ spec: { labelFollowers: true } }), podWrite('b', { role: 'follower' }), later],
  ],
  ['a leader that holds the Lease', [...FOLLOWING, after(10_000, renew('a')), after(10_000, renew('a')), later]],
  [
    'a leader that has died, and bears no label',
    [...FOLLOWING, ends('a'), after(16_000, seal('a', 2, GROUP_UID)), gate(undefined, 2), later],
  ],
  [
    'renewals without a write',
    [...FOLLOWING, after(10_000, renew('a')), after(10_500, renew('a')), after(5_000, renew('a'))],
  ],

  [
    'what follows when somebody spoils the mark',
    [...REST, later, stranger(lease('a', 2, { mark: 'x' })), status('a', 2, { ...TRUE, candidates: 9 })],
  ],
  ['keys of another group on a pod that the two share', [...REST, later, web(), shared]],

  ['nobody leads', [...REST, gone('pods', 'a'), later], 'L1', /0 pods bear the label: 1 pods could lead/],
  [
    'nobody leads, though other groups are disturbed',
    [
      ...REST,
      gone('pods', 'a'),
      soon,
      pod('x', { labels: { app: 'x' } }),
      after(2_000, pod('y', { labels: { app: 'x' } })),
    ],
    'L1',
  ],
  ['a stranger’s label that stays', [...REST, stranger(label('b', 2)), later], 'L1', /2 pods bear the label/],
  ['a leader that could not lead', [...REST, ready('a', false), later], 'L1', /a leads, and could not/],
  ['a status that was not written', [...LED, later], 'L1', /a leads, and Ready is undefined/],
  [
    'a status of the last term',
    [...REST, ready('a', false), seal('a', 2), lease('b', 3), label('b', 3), later],
    'L1',
    /status says a in term 2/,
  ],
  [
    'a gate that a stranger emptied',
    [...REST, stranger(lease('a', 2, { holder: 'x' })), later, later, later, later],
    'L1',
    /the gate says open/,
  ],
  [
    'keys of a group that is gone',
    [...REST, gone('leadergroups', 'db'), later],
    'L1',
    /a bears keys of a group that is gone/,
  ],
  ['nothing that is done after a fault', [...REST, fault(true), gone('pods', 'a'), fault(false), later], 'L1'],
  ['a Service that leads elsewhere', [...routed('b'), later], 'L1', /Service sql leads to b/],
  [
    'a Service that is not there',
    [...REST, group({ spec: { services: [{ name: 'sql', role: 'Leader', ports: [] }] } }), later],
    'L1',
    /no Service sql/,
  ],
  [
    'a follower without its role',
    [...REST, group({ spec: { labelFollowers: true } }), later],
    'L1',
    /b bears the role none, not follower/,
  ],
  [
    'no label on who holds the Lease',
    [
      ...FOLLOWING,
      seal('a', 2, GROUP_UID),
      after(10_000, renew('a')),
      after(10_000, renew('a')),
      after(2_000, ({ at }) => ({ kind: 'end', at })),
    ],
    'L1',
    /0 pods bear the label: a_x holds the Lease/,
  ],
  ['a label on who has died', [...FOLLOWING, ends('a'), later], 'L1', /nobody renewed the Lease for/],
  [
    'a write to a group at rest',
    [...REST, later, status('a', 2, { ...TRUE, candidates: 9 })],
    'I14',
    /wrote leadergroups db of a group at rest/,
  ],
  ['a seal at rest', [...REST, later, seal('b', 1)], 'I14', /wrote pods b/],
]

rows(
  'reaction',
  [
    ['a group that was disturbed just now', [...REST, later, gone('pods', 'a'), in4]],
    ['a disturbance in a world whose faults have just ended', [...REST, fault(true), gone('pods', 'a'), ended, soon]],
    ['nobody who leads soon', [...REST, later, gone('pods', 'a'), in6], 'L1', /0 pods bear the label/],
  ],
  { bounds: { recoveryMillis: 20_000, reactionMillis: 5_000, slowestRate: 1 } },
)

describe('what is missing', () => {
  const missing = (lines: readonly Line[]): readonly string[] => {
    const judge = new Judge({ bounds: { recoveryMillis: 20_000, slowestRate: 1 } })
    const told = facts([operator(), ...lines])
    for (const fact of told) judge.follow(fact)
    assert.deepEqual(judge.violations, [])
    return judge.missing(told.at(-1)!.at).map(({ rule, text }) => `${rule}: ${text}`)
  }

  it('is nothing where all is well', () => assert.deepEqual(missing([...REST, elector('a'), acquire('a', 0)]), []))
  it('is a leader, before it is due', () => {
    assert.deepEqual(missing([...REST, gone('pods', 'a')]), ['L1: 0 pods bear the label: 1 pods could lead'])
  })
  it('is who holds a Lease, before it is due', () => {
    assert.deepEqual(missing([elector('a'), acquire('a', 0), ends('a'), elector('b')]), [
      'L2: A holds the Lease, and these elect: b',
    ])
  })
})

rows('recovery', ROWS, { bounds: { recoveryMillis: 20_000, slowestRate: 1 } })

rows(
  'renewals',
  [
    [
      'a leader',
      [elector('a'), acquire('a', 0), after(10_000, renew('a')), after(10_000, renew('a')), after(5_000, renew('a'))],
    ],
    ['an outage', [elector('a'), acquire('a', 0), fault(true), later, later]],
    ['a Lease that a stranger took', [elector('a'), acquire('a', 0), stranger(acquire('x', 5)), later]],
    ['a Lease that was released just now', [...two, acquire('a', 0), after(18_000, release('a')), in4]],
    ['nobody who acquires what was released', [...two, acquire('a', 0), release('a'), later], 'L2', /nobody holds/],
    ['nobody who acquires', [elector('a'), later], 'L2', /nobody holds the Lease, and these elect: a/],
    ['a holder that does not renew', [elector('a'), acquire('a', 0), later], 'L2', /A has not renewed the Lease for/],
    [
      'a holder that is gone',
      [elector('a'), elector('b'), acquire('a', 0), ends('a'), later],
      'L2',
      /A holds the Lease, and these elect: b/,
    ],
    ['no renewal after an outage', [elector('a'), acquire('a', 0), fault(true), later, fault(false), later], 'L2'],
  ],
  { bounds: { recoveryMillis: 20_000, slowestRate: 1 } },
)
