import assert from 'node:assert/strict'
import { decide } from './decide.ts'
import {
  CONFIRMED,
  NOW,
  bornLease,
  group,
  GROUP_UID,
  heldLease,
  inWords,
  labelling,
  leading,
  observation,
  pod,
  stamped,
} from './fixtures.ts'
import type { GroupObservation, ObservedPod } from './observation.ts'
import { routeGroup } from './route-group.ts'
import { GROUP_OWNER, observedService, observedSlice } from './routing/fixtures.ts'
import type { Endpoint, ObservedSlice } from './routing/endpoint-slice.ts'
import { leaseGate } from './gate/lease-gate.ts'

const wishes = [{ name: 'db', role: 'Leader', ports: [{ port: 80 }] }] as const
const routed = group({ spec: { services: wishes } })
const service = observedService('db', {
  ownerReferences: [{ ...GROUP_OWNER, uid: GROUP_UID }],
  labels: { 'leadergroup.io/group': 'db' },
  ports: [{ port: 80, targetPort: 80, protocol: 'TCP' }],
})

/** Pods 0, 1, … with an address each. */
function member(n: number, change: Partial<ObservedPod>): ObservedPod {
  return pod(`db-${n}`, { podIPs: [`10.0.0.${n + 1}`], ...change })
}

/** The leader's slice with this pod in it. */
function sliceOf(n: number, term: number): ObservedSlice {
  const name = `db-${n}`
  const endpoint: Endpoint = {
    addresses: [`10.0.0.${n + 1}`],
    conditions: { ready: true, serving: true, terminating: false },
    targetRef: { kind: 'Pod', namespace: 'shop', name, uid: `uid-${name}` },
  }
  return observedSlice('db-leader-ipv4', {
    labels: {
      'kubernetes.io/service-name': 'db',
      'endpointslice.kubernetes.io/managed-by': 'leadergroup.io',
      'leadergroup.io/group': 'db',
    },
    annotations: { 'db.leadergroup.io/term': String(term) },
    ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name, uid: `uid-${name}` }],
    endpoints: [endpoint],
    ports: [{ name: '', port: 80, protocol: 'TCP' }],
  })
}

function followersSlice(n: number): ObservedSlice {
  const slice = sliceOf(n, 4)
  const labels = { ...slice.labels, 'kubernetes.io/service-name': 'db-ro' }
  return { ...slice, name: 'db-ro-follower-ipv4-0', labels, annotations: {} }
}

function world(change: Partial<GroupObservation>): GroupObservation {
  return observation({ group: routed, services: [service], slices: [sliceOf(0, 4)], ...change })
}

type Row = readonly [rule: string, change: Partial<GroupObservation>, actions: readonly string[], urgent: number]

const ROWS: readonly Row[] = [
  [
    'rests while the leader stands in its slice',
    { lease: heldLease('db-0', 4, CONFIRMED), pods: [member(0, leading(4))] },
    ['writeStatus'],
    0,
  ],
  [
    'rests while the leader stands in its slice, also when somebody took its stamp off',
    { lease: heldLease('db-0', 4, CONFIRMED), pods: [member(0, { ...leading(4), sealed: undefined })] },
    ['writeStatus'],
    0,
  ],
  [
    'holds the label back until the slice leads to the new leader',
    { lease: heldLease('db-1', 5, CONFIRMED), pods: [member(0, stamped(4)), member(1, stamped())] },
    ['replaceSlice db-leader-ipv4: db-1'],
    1,
  ],
  [
    'not once an attempt at that has failed: somebody may refuse the slice for good',
    {
      lease: heldLease('db-1', 5, CONFIRMED),
      pods: [member(0, stamped(4)), member(1, stamped())],
      memory: {
        ...observation().memory,
        fault: { urgent: true, routing: true, forbidden: false, message: 'no quota' },
      },
    },
    [labelling('db-1', 5), 'writeStatus'],
    1,
  ],
  [
    'labels it then',
    {
      lease: heldLease('db-1', 5, CONFIRMED),
      pods: [member(0, stamped(4)), member(1, stamped())],
      slices: [sliceOf(1, 5)],
    },
    [labelling('db-1', 5)],
    1,
  ],
  [
    'and takes the new leader out of the followers’ slices beside that',
    {
      group: group({ spec: { services: [{ name: 'db-ro', role: 'Follower', ports: [{ port: 80 }] }] } }),
      lease: heldLease('db-1', 5, CONFIRMED),
      pods: [member(0, stamped(4)), member(1, stamped())],
      services: [observedService('db-ro', { ownerReferences: [GROUP_OWNER], ports: [{ port: 80 }] })],
      slices: [followersSlice(1)],
    },
    [labelling('db-1', 5), 'replaceSlice db-ro-follower-ipv4-0: db-0'],
    1,
  ],
  [
    'reads the gate rather than swap on one that was read before the pod',
    {
      lease: heldLease('db-1', 5, CONFIRMED),
      pods: [member(0, stamped(4)), member(1, stamped())],
      slices: [{ ...sliceOf(0, 4), seenAt: 30 }],
    },
    ['readGate'],
    1,
  ],
  [
    'leaves the slice as it is while the old leader is being sealed',
    {
      lease: heldLease('db-0', 4, CONFIRMED),
      pods: [member(0, { ...leading(4), ready: false }), member(1, stamped())],
    },
    ['seal db-0: role=null term=null sealed=gate-1/4'],
    1,
  ],
  [
    'and while the next one is being named',
    {
      lease: heldLease('db-0', 4, CONFIRMED),
      pods: [member(0, { ...stamped(4), ready: false }), member(1, stamped())],
    },
    ['name db-1 for term 5'],
    1,
  ],
  [
    'and while the last term is being recorded before that',
    {
      lease: heldLease('db-0', 4, CONFIRMED),
      pods: [member(0, { ...stamped(4), ready: false }), member(1, stamped())],
      group: group({ spec: { services: wishes }, status: { term: 3 } }),
    },
    ['writeStatus'],
    1,
  ],
  [
    'removes it beside the chores when nobody follows',
    { lease: heldLease('db-0', 4, CONFIRMED), pods: [member(0, { ...stamped(4), ready: false })] },
    ['deleteSlice db-leader-ipv4', 'writeStatus'],
    0,
  ],
  [
    'goes by the holder, whichever pod is seen first',
    {
      lease: heldLease('db-1', 5, CONFIRMED),
      pods: [member(0, stamped(9)), member(1, stamped())],
      slices: [sliceOf(1, 5)],
    },
    [labelling('db-1', 5)],
    1,
  ],
  [
    'puts a standing leader’s slice right beside the chores: it must not delay the next failover',
    { lease: heldLease('db-0', 4, CONFIRMED), pods: [member(0, leading(4))], slices: [] },
    ['createSlice db-leader-ipv4: db-0', 'writeStatus'],
    0,
  ],
  [
    'does nothing for a group that is refused',
    { namespace: 'kube-node-lease', lease: heldLease('db-0', 4, CONFIRMED), pods: [member(0, leading(4))], slices: [] },
    ['writeStatus'],
    0,
  ],
  [
    'keeps a slice that is newer than the gate read, when the Lease is somebody else’s',
    { lease: heldLease('db-0', 4, { ownerUID: 'another', ownerName: 'LeaderGroup web', readAt: 9 }), pods: [] },
    ['readGate', 'writeStatus'],
    0,
  ],
  [
    'removes all of a group that is being deleted',
    { group: group({ spec: { services: wishes }, metadata: { deletionTimestamp: 'now' } }), pods: [] },
    ['deleteService db', 'deleteSlice db-leader-ipv4'],
    2,
  ],
  [
    'removes slices of a group that is proved gone',
    { group: undefined, groupAbsentAt: 11, services: [], pods: [] },
    ['deleteSlice db-leader-ipv4'],
    1,
  ],
  ['asks for that proof first', { group: undefined, groupAbsentAt: 10, services: [], pods: [] }, ['readGroup'], 1],
  [
    'asks once, for pods and slices',
    { group: undefined, services: [], pods: [member(0, leading(4))] },
    ['readGroup'],
    1,
  ],
]

describe('routing in the decision of a group', () => {
  for (const [rule, change, actions, urgent] of ROWS) {
    it(rule, () => {
      const decision = decide(world(change), NOW)
      assert.deepEqual(decision.actions.map(inWords), actions, decision.reason)
      assert.equal(decision.urgent, urgent)
    })
  }

  it('never reads a gate that is absent: there is nothing to learn', () => {
    const { beforeLabel, besideLabel, chores } = routeGroup(world({ pods: [] }), routed, { kind: 'absent' }, {})
    assert.deepEqual([...beforeLabel, ...besideLabel, ...chores].map(inWords), [])
  })

  it('leads nowhere under a gate that names nobody, or a pod that may not lead', () => {
    const leads = [
      world({ lease: bornLease(CONFIRMED), pods: [member(0, stamped())] }),
      world({ lease: heldLease('db-0', 4, CONFIRMED), pods: [member(0, stamped(3, 'gate-0'))] }),
      world({ lease: heldLease('db-0', 4, CONFIRMED), pods: [member(0, {})] }),
      world({ lease: heldLease('db-0', 4, CONFIRMED), pods: [member(0, { ...leading(4), selected: false })] }),
    ]
    for (const o of leads) {
      const { beforeLabel } = routeGroup(o, routed, leaseGate(o.lease, GROUP_UID), {})
      assert.deepEqual(beforeLabel.map(inWords), ['deleteSlice db-leader-ipv4'])
    }
  })
})
