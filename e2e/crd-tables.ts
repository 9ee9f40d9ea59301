/** What the LeaderGroup's schema and rules accept and refuse. */

export type Json = Record<string, unknown>

export const app = { matchLabels: { app: 'db' } }
const labels = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, i) => [`l${i}`, 'x']))
const list = (count: number) => Array.from({ length: count }, (_, i) => `v${i}`)
const expression = (rest: Json) => ({ selector: { matchExpressions: [{ key: 'app', operator: 'Exists', ...rest }] } })
const lease = (leaseName: string) => ({ selector: app, leaseName })
const wait = (notReadySeconds: unknown) => ({ selector: app, failover: { notReadySeconds } })

/** What may be written. */
export const accepted: readonly [string, Json, string?][] = [
  ['no more than a selector', { selector: app }],
  ['a name of 63 characters', { selector: app }, 'n'.repeat(63)],
  ['a name with dots', { selector: app }, 'a.b-c.d'],
  ['conditions without labels', expression({})],
  ['every operator', { selector: { matchExpressions: operators() } }],
  ['a key with a prefix', { selector: { matchLabels: { 'app.kubernetes.io/name': 'db' } } }],
  ['a label without a value', { selector: { matchLabels: { app: '' } } }],
  ['a value of 63 characters', { selector: { matchLabels: { app: 'a'.repeat(63) } } }],
  ['16 labels', { selector: { matchLabels: labels(16) } }],
  ['the role label of another group', { selector: { matchLabels: { 'other.leadergroup.io/role': 'leader' } } }],
  ['mode Assign', { selector: app, mode: 'Assign' }],
  ['mode Observe', { selector: app, mode: 'Observe' }],
  [
    'mode Observe that releases a dead holder',
    { selector: app, mode: 'Observe', failover: { releaseDeadHolder: true }, paused: false, labelFollowers: true },
  ],
  ['a Lease of another name', lease('db.leader-1')],
  ['a Lease name of 253 characters', lease('a'.repeat(253))],
  ['an empty failover', { selector: app, failover: {} }],
  ['a failover at once', wait(0)],
  ['a failover after an hour', wait(3600)],
  ['a pause', { selector: app, paused: true }],
  ['labels of followers', { selector: app, labelFollowers: true }],
  ['a Service', routed({})],
  ['a Service of each kind', everyService()],
  ['16 ports', routed({ ports: list(16).map((name, i) => ({ name, port: i + 1 })) })],
  [
    'one port in two protocols',
    routed({
      ports: [
        { name: 'a', port: 53 },
        { name: 'b', port: 53, protocol: 'UDP' },
      ],
    }),
  ],
]

/** What is refused: the field that the answer points to, and the words that help. */
export const refused: readonly [string, Json | undefined, RegExp, string?][] = [
  ['a name of 64 characters', { selector: app }, /metadata\.name: .*at most 63 characters/, 'n'.repeat(64)],
  ['no spec', undefined, /spec: Required value/],
  ['no selector', {}, /spec\.selector: Required value/],
  ['an empty selector', { selector: {} }, /spec\.selector: .*selector is empty .*for example matchLabels: \{app: db\}/],
  ['a selector of empty parts', { selector: { matchLabels: {}, matchExpressions: [] } }, /the selector is empty/],
  [
    'a bad label key',
    { selector: { matchLabels: { '-app': 'x' } } },
    /spec\.selector\.matchLabels: .*Write name or prefix/,
  ],
  ['a bad label value', { selector: { matchLabels: { app: 'a b' } } }, /matchLabels\[app\]: .*'a b'\. Use up to 63/],
  ['a long label value', { selector: { matchLabels: { app: 'a'.repeat(64) } } }, /matchLabels\.app: Too long/],
  ['17 labels', { selector: { matchLabels: labels(17) } }, /matchLabels: Too many: 17: must have at most 16/],
  [
    'the group’s own role label',
    { selector: { matchLabels: { 'db.leadergroup.io/role': 'leader' } } },
    /spec\.selector\.matchLabels: .*'db\.leadergroup\.io\/role'.*Select by a label of the pod template/,
  ],
  [
    'a condition on it',
    expression({ key: 'db.leadergroup.io/role' }),
    /spec\.selector\.matchExpressions: .*'db\.leadergroup\.io\/role'.*Select by a label of the pod template/,
  ],
  ['a condition without operator', { selector: { matchExpressions: [{ key: 'app' }] } }, /\.operator: Required value/],
  ['an unknown operator', expression({ operator: 'Gt' }), /\.operator: .*supported values: "In", "NotIn", "Exists"/],
  [
    'a bad key in a condition',
    expression({ key: 'a b' }),
    /matchExpressions\[0\]\.key: .*'a b'\. Write name or prefix/,
  ],
  ['In without values', expression({ operator: 'In' }), /\[0\]\.values: .*operator In needs values.*values: \[db\]/],
  ['NotIn of nothing', expression({ operator: 'NotIn', values: [] }), /operator NotIn needs values/],
  [
    'Exists with values',
    expression({ values: ['a'] }),
    /\[0\]\.values: .*operator Exists takes no values\. Remove them/,
  ],
  ['DoesNotExist with values', expression({ operator: 'DoesNotExist', values: ['a'] }), /DoesNotExist takes no values/],
  [
    'a bad value in a condition',
    expression({ operator: 'In', values: ['a b'] }),
    /values\[0\]: .*'a b'\. Use up to 63/,
  ],
  ['33 values', expression({ operator: 'In', values: list(33) }), /values: Too many: 33: must have at most 32/],
  [
    '17 conditions',
    { selector: { matchExpressions: list(17).map((key) => ({ key, operator: 'Exists' })) } },
    /at most 16/,
  ],
  ['an unknown mode', { selector: app, mode: 'Auto' }, /spec\.mode: Unsupported value.*: "Assign", "Observe"/],
  [
    'mode Observe that is paused',
    { selector: app, mode: 'Observe', paused: true },
    /spec\.paused: .*the operator cannot keep them from it\. Remove paused/,
  ],
  [
    'mode Observe that waits',
    { selector: app, mode: 'Observe', failover: { notReadySeconds: 0 } },
    /spec\.failover\.notReadySeconds: .*Remove notReadySeconds/,
  ],
  [
    'mode Assign that releases a dead holder',
    { selector: app, failover: { releaseDeadHolder: false } },
    /spec\.failover\.releaseDeadHolder: .*create the group with mode: Observe/,
  ],
  ['a bad Lease name', lease('Db_1'), /spec\.leaseName: .*'Db_1' cannot be the name of a Lease\. Use lower-case/],
  ['an empty Lease name', lease(''), /spec\.leaseName: .*should be at least 1 chars long/],
  ['a long Lease name', lease('a'.repeat(254)), /spec\.leaseName: Too long/],
  ['a negative wait', wait(-1), /notReadySeconds: .*greater than or equal to 0/],
  ['a wait of more than an hour', wait(3601), /notReadySeconds: .*less than or equal to 3600/],
  ['a wait that is no number', wait('5s'), /notReadySeconds: .*must be of type integer/],
  ['a field of a later version', { selector: app, preference: [] }, /unknown field "spec\.preference"/],
  ['a Service without a name', routed({ name: undefined }), /services\[0\]\.name: Required value/],
  ['a Service without a role', routed({ role: undefined }), /services\[0\]\.role: Required value/],
  ['a Service without ports', routed({ ports: undefined }), /services\[0\]\.ports: Required value/],
  ['a Service of no ports', routed({ ports: [] }), /services\[0\]\.ports: .*at least 1 items/],
  ['a bad name of a Service', routed({ name: '0db' }), /services\[0\]\.name: .*'0db' cannot be the name of a Service/],
  ['a Service twice', { selector: app, services: [service(), service()] }, /services\[1\]: Duplicate value/],
  [
    '9 Services',
    { selector: app, services: list(9).map((name) => service({ name })) },
    /Too many: 9: must have at most 8/,
  ],
  [
    'followers by label without labels',
    routed({ role: 'Follower', routing: 'Selector' }),
    /spec\.labelFollowers: .*Write labelFollowers: true/,
  ],
  ['a headless NodePort', routed({ headless: true, type: 'NodePort' }), /type: .*cannot be of type NodePort/],
  ['two ports, one without a name', routed({ ports: [{ port: 1 }, { name: 'b', port: 2 }] }), /each port needs a name/],
  [
    'two ports of one name',
    routed({
      ports: [
        { name: 'a', port: 1 },
        { name: 'a', port: 2 },
      ],
    }),
    /two ports have the same name/,
  ],
  [
    'a port twice',
    routed({
      ports: [
        { name: 'a', port: 1 },
        { name: 'b', port: 1 },
      ],
    }),
    /ports\[1\]: Duplicate value/,
  ],
  ['port 0', routed({ ports: [{ port: 0 }] }), /ports\[0\]\.port: .*greater than or equal to 1/],
  ['a target port that is none', routed({ ports: [{ port: 1, targetPort: 'a--b' }] }), /targetPort: .*should match/],
  ['a target port of digits', routed({ ports: [{ port: 1, targetPort: '80' }] }), /targetPort: .*should match/],
  [
    'a label of the operator’s on a Service',
    routed({ metadata: { labels: { 'leadergroup.io/group': 'x' } } }),
    /labels under leadergroup\.io are the operator's own/,
  ],
  [
    'an annotation of a group’s on a Service',
    routed({ metadata: { annotations: { 'db.leadergroup.io/term': '1' } } }),
    /annotations under leadergroup\.io are the operator's own/,
  ],
]

/** Changes of a group with `leaseName: db` and a Service, and of one without, as merge patches. */
export const changes: readonly [string, 'named' | 'plain', Json, RegExp?][] = [
  ['another selector', 'plain', { selector: { matchLabels: { app: 'other' } } }],
  ['an empty selector', 'plain', { selector: { matchLabels: null } }, /the selector is empty/],
  ['a pause', 'plain', { paused: true }],
  ['mode removed, which is its default', 'plain', { mode: null }],
  ['another mode', 'plain', { mode: 'Observe' }, /spec\.mode: .*mode cannot be changed.*Put back Assign, or delete/],
  ['leaseName set', 'plain', { leaseName: 'plain' }, /spec\.leaseName: .*cannot be set, changed or removed/],
  ['leaseName changed', 'named', { leaseName: 'other' }, /spec\.leaseName: .*Put back the former value, or delete/],
  ['leaseName removed', 'named', { leaseName: null }, /spec\.leaseName: .*cannot be set, changed or removed/],
  ['a Service added', 'plain', { services: [service()] }],
  ['a Service removed', 'named', { services: null }],
  ['other ports', 'named', { services: [service({ ports: [{ port: 80 }] })] }],
  ['another role', 'named', { services: [service({ role: 'Follower' })] }],
  ['another routing', 'named', { services: [service({ routing: 'Selector' })] }, /routing: .*Put back Direct, or add/],
  ['headless changed', 'named', { services: [service({ headless: true })] }, /headless: .*headless cannot be changed/],
  ['leaseName as it was', 'named', { leaseName: 'db', failover: { notReadySeconds: 5 } }],
]

const lasting = { holder: 'db-0', term: 1, acquireTime: '2026-01-01T00:00:00.000001Z' }
const term = {
  holder: 'db-0',
  term: 1,
  acquireTime: '2026-01-01T00:00:00.000001Z',
  endTime: '2026-01-01T00:00:01.000001Z',
}
const ready = {
  type: 'Ready',
  status: 'True',
  reason: 'LeaderElected',
  message: 'db-1 leads',
  lastTransitionTime: '2026-01-01T00:00:00Z',
}
export const full = {
  observedGeneration: 1,
  holder: 'db-1',
  holderUID: '6f0cb8a2-5d5b-4a37-8f0e-0f4f8b9c1d2e',
  holderIdentity: 'db-1_6f0cb8a2-5d5b-4a37-8f0e-0f4f8b9c1d2e',
  acquireTime: '2026-01-01T00:00:00.123456Z',
  transitions: 4,
  term: 9007199254740990,
  candidates: 3,
  eligible: 2,
  leaseName: 'db',
  conditions: [ready],
  history: [lasting, ...Array.from({ length: 9 }, () => ({ ...term, reason: 'PodDeleted' }))],
}

export const statuses: readonly [string, Json, RegExp?][] = [
  ['all fields', full],
  ['no leader', { candidates: 0, eligible: 0, conditions: [{ ...ready, status: 'Unknown', reason: 'NoPods' }] }],
  ['a holder without UID', { holder: 'db-1' }, /status: .*holder and holderUID name one pod/],
  ['more eligible than candidates', { candidates: 1, eligible: 2 }, /eligible pods are a part of the candidates/],
  ['a term beyond 2^53 - 2', { term: 9007199254740991 }, /status\.term: .*less than or equal to 9007199254740990/],
  [
    'transitions beyond 32 bits',
    { transitions: 2147483648 },
    /status\.transitions: .*less than or equal to 2147483647/,
  ],
  ['negative candidates', { candidates: -1 }, /status\.candidates: .*greater than or equal to 0/],
  ['a time that is none', { acquireTime: 'yesterday' }, /status\.acquireTime: .*date-time/],
  ['11 terms of history', { history: Array.from({ length: 11 }, () => lasting) }, /status\.history: Too many: 11/],
  ['a term without number', { history: [{ ...lasting, term: undefined }] }, /history\[0\]\.term: Required value/],
  ['a term that ended for no reason', { history: [term] }, /history\[0\]: .*Write both, or neither/],
  ['a condition twice', { conditions: [ready, ready] }, /status\.conditions\[1\]: Duplicate value/],
  [
    'a condition without reason',
    { conditions: [{ ...ready, reason: undefined }] },
    /conditions\[0\]\.reason: Required/,
  ],
  [
    'a reason of two words',
    { conditions: [{ ...ready, reason: 'No pods' }] },
    /conditions\[0\]\.reason: .*should match/,
  ],
]

/** As the CRD returns it: with its defaults filled in. */
export function withDefaults(spec: Json): Json {
  const services = spec['services'] as readonly Json[] | undefined
  const filled = services?.map(({ ports, ...rest }) => ({
    routing: 'Direct',
    type: 'ClusterIP',
    headless: false,
    sessionAffinity: 'None',
    ...rest,
    ports: (ports as readonly Json[]).map((port) => ({ protocol: 'TCP', ...port })),
  }))
  return { mode: 'Assign', paused: false, labelFollowers: false, ...spec, ...(filled ? { services: filled } : {}) }
}

/** One item of `spec.services`. */
export function service(change: Json = {}): Json {
  return { name: 'db', role: 'Leader', ports: [{ name: 'sql', port: 5432, targetPort: 'sql' }], ...change }
}

function routed(change: Json): Json {
  return { selector: app, services: [service(change)] }
}

function everyService(): Json {
  const services = [
    service({ metadata: { labels: { 'app.kubernetes.io/name': 'db' }, annotations: { 'example.com/a': 'b' } } }),
    service({ name: 'ro', role: 'Follower', sessionAffinity: 'ClientIP', ipFamilyPolicy: 'PreferDualStack' }),
    service({ name: 'headless', headless: true }),
    service({
      name: 'node',
      type: 'NodePort',
      ports: [{ port: 80, targetPort: 8080, appProtocol: 'kubernetes.io/h2c' }],
    }),
    service({ name: 'lb', type: 'LoadBalancer', routing: 'Selector', ports: [{ port: 53, protocol: 'UDP' }] }),
    service({ name: 'ro-plain', role: 'Follower', routing: 'Selector' }),
  ]
  return { selector: app, labelFollowers: true, services }
}

function operators(): Json[] {
  const values = list(32)
  return [
    { key: 'app', operator: 'In', values },
    { key: 'tier', operator: 'NotIn', values },
    { key: 'a/b', operator: 'Exists' },
    { key: 'legacy', operator: 'DoesNotExist', values: [] },
  ]
}
