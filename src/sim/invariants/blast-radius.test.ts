import type { Asked } from './facts.ts'
import { FOLLOWED, gone, group, label, LED, pod, podWrite, seal, status } from './group-fixtures.ts'
import { record } from './elector-fixtures.ts'
import { rows } from './rows-fixtures.ts'
import { GROUP_UID, type Line, type Made, NAMESPACE, OPERATOR, stranger, write } from './story-fixtures.ts'

const OWNER = [{ apiVersion: 'leadergroup.io/v1alpha1', kind: 'LeaderGroup', name: 'db', uid: GROUP_UID }]

function made(name: string, change: object = {}, more: object = {}): Made {
  return { metadata: { name, namespace: NAMESPACE, uid: `${name}-uid`, resourceVersion: '', ...change }, ...more }
}

function service(name: string, change: object = { ownerReferences: OWNER }): Line {
  return write('services', name, () => made(name, change))
}

function slice(name: string, namespace = NAMESPACE, labels: object = { 'leadergroup.io/group': 'db' }): Line {
  const endpoints = [{ targetRef: { kind: 'Pod', name: 'a', namespace, uid: 'a-uid' } }]
  return write('endpointslices', name, () => made(name, { labels }, { endpoints }))
}

function asked(verb: Asked['verb'], resource: string, name: string, change: Partial<Asked> = {}): Line {
  return ({ at }) => ({
    kind: 'asked',
    at,
    process: OPERATOR,
    request: at,
    verb,
    resource,
    name,
    namespace: NAMESPACE,
    ...change,
  })
}

const patch = { metadata: { uid: 'a-uid', resourceVersion: '2', labels: { 'db.leadergroup.io/role': null } } }
const named = (name: string) => [
  ...LED,
  group({ spec: { services: [{ name, role: 'Leader', ports: [{ port: 1 }] }] } }),
]
/** Of what it is written to. */
const VERSION = { uid: 'x', version: 2 }
const release = { spec: { holderIdentity: '' }, metadata: { uid: 'lock-uid', resourceVersion: '3' } }

rows('blast radius', [
  [
    'keys on a pod that was named once, by an operator that knows of no later name',
    [...LED, seal('a', 2), pod('a', { metadata: { labels: {} } }), podWrite('a', { sealed: null }), seal('a', 2)],
  ],
  ['all that a failover takes', [...LED, seal('a', 2)]],
  [
    'keys on a pod that is no longer selected',
    [...LED, pod('a', { metadata: { labels: { 'db.leadergroup.io/role': 'leader' } } }), seal('a', 2)],
  ],
  [
    'a followed Lease that is emptied',
    [...FOLLOWED, record('x', { holderIdentity: 'a' }), record(OPERATOR, { holderIdentity: '' })],
  ],
  ['its Service and slices', [...named('sql'), service('sql'), slice('sql-leader-ipv4')]],
  [
    'requests for what is its',
    [
      ...named('sql'),
      asked('patch', 'pods', 'a', { ...VERSION, body: patch }),
      asked('update', 'leases', 'db', VERSION),
      asked('update', 'leadergroups', 'db', { ...VERSION, subresource: 'status' }),
      asked('create', 'services', 'sql'),
      asked('delete', 'endpointslices', 'sql-follower-ipv6-0'),
      asked('get', 'pods', 'a'),
    ],
  ],
  [
    'a request to empty a followed Lease',
    [...FOLLOWED, asked('update', 'leases', 'lock', { ...VERSION, body: release })],
  ],
  ['a stranger who does all that', [...LED, gone('pods', 'a'), stranger(service('x', {}))]],

  ['a pod that it ends', [...LED, write('pods', 'b', () => undefined)], 'I12', /ended a pod/],
  ['a pod that it makes', [...LED, podWrite('c')], 'I12', /made a pod/],
  ['another label', [...LED, podWrite('b', { metadata: { labels: { app: 'x' } } })], 'I12', /changed app/],
  [
    'more of a pod than its keys',
    [...LED, podWrite('b', { metadata: { finalizers: ['x'] } })],
    'I12',
    /changed more of a pod/,
  ],
  ['its status', [...LED, podWrite('b', { ready: false })], 'I12', /changed more of a pod/],
  [
    'keys on a pod that is not its',
    [...LED, pod('z', { labels: { app: 'z' } }), podWrite('z', { role: 'follower' })],
    'I12',
    /on a pod that is not its/,
  ],
  [
    'the spec of a group',
    [...LED, write('leadergroups', 'db', (before) => ({ ...before!, spec: { selector: {} } }))],
    'I12',
    /more of a group than its status/,
  ],
  [
    'more of a followed Lease than its holder',
    [...FOLLOWED, record('x', { holderIdentity: 'a' }), record(OPERATOR, { holderIdentity: '', leaseTransitions: 7 })],
    'I12',
    /changed more of a followed Lease/,
  ],
  ['another kind of object', [...LED, write('configmaps', 'x', () => made('x'))], 'I12', /none of its business/],
  ['a request to delete a pod', [...LED, asked('delete', 'pods', 'a')], 'I12', /asks to delete pods shop\/a/],
  [
    'a request to patch a pod that names no version',
    [...LED, asked('patch', 'pods', 'a', { body: { metadata: { uid: 'a-uid' } } })],
    'I12',
  ],
  ['a request to write a group', [...LED, asked('update', 'leadergroups', 'db')], 'I12'],
  ['a request for a Service that nobody wished for', [...LED, asked('create', 'services', 'sql')], 'I12'],
  [
    'a request to take a followed Lease',
    [...FOLLOWED, asked('update', 'leases', 'lock', { body: { spec: { holderIdentity: 'x' } } })],
    'I12',
  ],

  [
    'keys of two groups in one write',
    [...LED, podWrite('b', { metadata: { annotations: { 'x.leadergroup.io/term': '1' } }, role: 'follower' })],
    'I13',
    /changed keys of/,
  ],
  [
    'a Lease that is no group’s',
    [...LED, record('x', { holderIdentity: 'a' }), record(OPERATOR, { holderIdentity: '' })],
    'I13',
    /that is no group’s/,
  ],
  [
    'a Service that no group made',
    [...named('sql'), stranger(service('sql', {})), service('sql')],
    'I13',
    /a Service that no group made/,
  ],
  [
    'a slice that no group made',
    [...named('sql'), stranger(slice('sql-leader-ipv4', NAMESPACE, {})), slice('sql-leader-ipv4')],
    'I13',
    /an EndpointSlice that no group made/,
  ],
  [
    'a slice that leads to another namespace',
    [...named('sql'), slice('sql-leader-ipv4', 'other')],
    'I13',
    /pod of namespace other/,
  ],
  [
    'a read in a namespace without a group',
    [...LED, asked('get', 'leases', 'db', { namespace: 'other' })],
    'I13',
    /where there is no group/,
  ],
])

rows('blast radius of status', [['status alone', [...LED, status('a', 2), label('a', 2)]]])
