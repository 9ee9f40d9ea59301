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
  ['a Lease of another name', lease('db.leader-1')],
  ['a Lease name of 253 characters', lease('a'.repeat(253))],
  ['an empty failover', { selector: app, failover: {} }],
  ['a failover at once', wait(0)],
  ['a failover after an hour', wait(3600)],
  ['a pause', { selector: app, paused: true }],
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
  ['an unknown mode', { selector: app, mode: 'Observe' }, /spec\.mode: Unsupported value.*supported values: "Assign"/],
  ['a bad Lease name', lease('Db_1'), /spec\.leaseName: .*'Db_1' cannot be the name of a Lease\. Use lower-case/],
  ['an empty Lease name', lease(''), /spec\.leaseName: .*should be at least 1 chars long/],
  ['a long Lease name', lease('a'.repeat(254)), /spec\.leaseName: Too long/],
  ['a negative wait', wait(-1), /notReadySeconds: .*greater than or equal to 0/],
  ['a wait of more than an hour', wait(3601), /notReadySeconds: .*less than or equal to 3600/],
  ['a wait that is no number', wait('5s'), /notReadySeconds: .*must be of type integer/],
  ['a field of a later version', { selector: app, services: [] }, /unknown field "spec\.services"/],
]

/** Changes of a group with `leaseName: db`, and of one without, as merge patches. */
export const changes: readonly [string, 'named' | 'plain', Json, RegExp?][] = [
  ['another selector', 'plain', { selector: { matchLabels: { app: 'other' } } }],
  ['an empty selector', 'plain', { selector: { matchLabels: null } }, /the selector is empty/],
  ['a pause', 'plain', { paused: true }],
  ['mode removed, which is its default', 'plain', { mode: null }],
  ['leaseName set', 'plain', { leaseName: 'plain' }, /spec\.leaseName: .*cannot be set, changed or removed/],
  ['leaseName changed', 'named', { leaseName: 'other' }, /spec\.leaseName: .*Put back the former value, or delete/],
  ['leaseName removed', 'named', { leaseName: null }, /spec\.leaseName: .*cannot be set, changed or removed/],
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

function operators(): Json[] {
  const values = list(32)
  return [
    { key: 'app', operator: 'In', values },
    { key: 'tier', operator: 'NotIn', values },
    { key: 'a/b', operator: 'Exists' },
    { key: 'legacy', operator: 'DoesNotExist', values: [] },
  ]
}
