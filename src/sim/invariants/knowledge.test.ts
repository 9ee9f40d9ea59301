import type { Asked, Fact } from './facts.ts'
import { acquire, elector } from './elector-fixtures.ts'
import { FOLLOWED, gate, group, LED, lease, pod, ready, seal, web } from './group-fixtures.ts'
import { rows } from './rows-fixtures.ts'
import { after, by, type Line, type Made, NAMESPACE, operator, OPERATOR, shown, type Story } from './story-fixtures.ts'

type Wish = Pick<Asked, 'verb' | 'resource' | 'name'> & Partial<Asked>

/** A process asks to write an object in the version that it has then. */
function asks(wish: Wish, process = OPERATOR): Line {
  return (story) => asked(story, wish, process)
}

function asked({ at, find }: Story, wish: Wish, process: string): Fact {
  const { uid, resourceVersion } = find(wish.resource, wish.name!)!.metadata
  const version = Number(resourceVersion)
  const body = { metadata: { uid, resourceVersion, labels: {} } }
  return { kind: 'asked', at, process, request: at, namespace: NAMESPACE, uid, version, body, ...wish }
}

/** The operator asks to name a pod. */
function names(holder: string, term: number, { version }: { readonly version?: number } = {}): Line {
  return (story) => {
    const { metadata } = story.find('leases', 'db')!
    const mark = `${holder}_${holder}-uid/${metadata.uid}/${term}`
    const annotations = { ...metadata.annotations, 'leadergroup.io/gate': mark }
    const body = { ...story.find('leases', 'db'), metadata: { ...metadata, annotations } } as Made
    const wish: Wish = { verb: 'update', resource: 'leases', name: 'db', body }
    return asked(story, version === undefined ? wish : { ...wish, version }, OPERATOR)
  }
}

function answered(request: number, code: number, version?: number): Line {
  return ({ at }) => ({
    kind: 'answered',
    at,
    process: OPERATOR,
    request,
    code,
    ...(version === undefined ? {} : { version }),
  })
}

/** So many writes that are refused, each after a write of somebody else. */
function rivalry(count: number, who: string): readonly Line[] {
  return Array.from({ length: count }, (_, request) => [
    by(who, seal('b', 0)),
    asks({ verb: 'patch', resource: 'pods', name: 'b', request }),
    answered(request, 409),
  ]).flat()
}

/** So many writes that fail, in so much time. */
function failures(count: number, millis: number): readonly Line[] {
  return Array.from({ length: count }, (_, index) => [
    after(millis / count - 20, asks({ verb: 'patch', resource: 'pods', name: 'a', request: index })),
    answered(index, index % 2 === 0 ? 409 : 0),
  ]).flat()
}

/** A group wishes for so many Services, and by turns nobody lets it create one. */
function refusedServices(count: number, wished: number): readonly Line[] {
  const services = Array.from({ length: wished }, (_, index) => ({ name: `s${index}`, role: 'Leader', ports: [] }))
  const creations = Array.from({ length: count }, (_, index): readonly Line[] => [
    ({ at }): Fact => {
      const body = { metadata: { name: `s${index % wished}` } }
      const wish = { verb: 'create', resource: 'services', namespace: NAMESPACE, body } as const
      return { kind: 'asked', at, process: OPERATOR, request: index, ...wish }
    },
    answered(index, 422),
  ])
  return [...LED, group({ spec: { services } }), ...creations.flat()]
}

/** Its own write of a pod has made version 20; then it asks for another one. */
const wrote = (change: object, then: Line): readonly Line[] => [
  ...LED,
  web(),
  asks({ ...ofPod, request: 1, ...change }),
  answered(1, 200, 20),
  then,
]
const keysOf = (group: string): Partial<Asked> => ({
  body: { metadata: { uid: 'a-uid', resourceVersion: '8', annotations: { [`${group}.leadergroup.io/term`]: null } } },
})

const ofPod: Wish = { verb: 'patch', resource: 'pods', name: 'a' }
const follow = (leaseVersion: string) => gate('a', 2, { leaseVersion })

rows('monotone knowledge', [
  ['writes of what was shown', [...LED, asks(ofPod), seal('a', 2), asks(ofPod)]],
  ['another pod of that name', [...LED, asks(ofPod), asks({ ...ofPod, uid: 'other', version: 1 })]],
  ['a process that begins anew', [...LED, asks(ofPod), restarts(), asks({ ...ofPod, version: 2 })]],
  ['a gate that follows the Lease', [...FOLLOWED, follow('lock/7'), follow('lock/9'), follow('new/3')]],
  ['an elector of another project', [elector('x', { ours: false }), acquire('x', 0), ...lockWrites('x')]],
  [
    'a version that is older than one named before',
    [...LED, asks(ofPod), asks({ ...ofPod, version: 2 })],
    'I7',
    /names version 2, after 8/,
  ],
  [
    'a write without a version',
    [...LED, (story) => withoutVersion(asked(story, ofPod, OPERATOR) as Asked)],
    'I7',
    /names no version/,
  ],
  [
    'a gate that follows an older Lease',
    [...FOLLOWED, follow('lock/9'), follow('lock/7')],
    'I7',
    /follows version 7 of the Lease, after 9/,
  ],
  ['a write of what its own write made', wrote({}, asks({ ...ofPod, version: 20 }))],
  ['a write that was decided on before its own was answered', wrote({}, after(-10, asks(ofPod)))],
  ['a write for another group that shares the pod', wrote(keysOf('db'), asks({ ...ofPod, ...keysOf('web') }))],
  ['a write after its own was refused', [...LED, asks({ ...ofPod, request: 1 }), answered(1, 409), asks(ofPod)]],
  [
    'a write of less than its own write made',
    wrote({}, asks(ofPod)),
    'I7',
    /patch of pods shop\/a names version 8, and its own write made 20/,
  ],
  ['also for one group', wrote(keysOf('db'), asks({ ...ofPod, ...keysOf('db') })), 'I7', /for db names version 8/],
  ['an elector that goes back', [elector('x'), acquire('x', 0), ...lockWrites('x')], 'I7'],
])

function restarts(): Line {
  return ({ at }) => ({ kind: 'process', at, process: OPERATOR, role: 'operator', runs: true })
}

function lockWrites(process: string): readonly Line[] {
  const wish: Wish = { verb: 'update', resource: 'leases', name: 'lock' }
  return [asks({ ...wish, version: 5 }, process), asks({ ...wish, version: 4 }, process)]
}

function withoutVersion(asked: Asked): Asked {
  const { version: _, ...fact } = asked
  return fact
}

const patient = [...LED, group({ spec: { failover: { notReadySeconds: 5 } } })]
/** The gate names `a`, and now `b`. */
const LED_VERSION = 7
const movedOn = [...patient, ready('a', false), shown('pods', 'a'), seal('a', 2), lease('b', 3)]
const unready = [...LED, shown('pods', 'b'), ready('b', false)]

rows('eligible leader', [
  ['a pod that could lead', [...LED, shown('pods', 'b'), names('b', 3)]],
  ['a pod that could lead when the operator was shown it', [...unready, names('b', 3)]],
  ['a pod that is not ready any more since this instant', [...unready, shown('pods', 'b'), after(-15, names('b', 3))]],
  ['the holder that is named already', [...LED, ready('a', false), shown('pods', 'a'), names('a', 2)]],
  ['a holder that may be not ready for a while', [...patient, ready('a', false), shown('pods', 'a'), names('a', 3)]],
  ['an operator of which nobody tells what it was shown', [...LED, ready('b', false), names('b', 3)]],
  [
    'a holder that may be not ready for a while, when another operator has moved on meanwhile',
    [...movedOn, names('a', 4, { version: LED_VERSION })],
  ],
  ['a holder of before that is not ready', [...movedOn, names('a', 4)], 'I10'],
  ['a successor that is not ready', [...patient, ready('b', false), shown('pods', 'b'), names('b', 3)], 'I10'],
  [
    'a pod that was not ready',
    [...unready, shown('pods', 'b'), names('b', 3)],
    'I10',
    /names b \(b-uid\), which could not lead/,
  ],
  [
    'a pod that was on its way out',
    [...LED, pod('b', { metadata: { deletionTimestamp: 'x' } }), shown('pods', 'b'), names('b', 3)],
    'I10',
  ],
  [
    'a pod that was excluded',
    [
      ...LED,
      pod('b', { metadata: { annotations: { 'leadergroup.io/ineligible': 'true' } } }),
      shown('pods', 'b'),
      names('b', 3),
    ],
    'I10',
  ],
  [
    'a pod that was not selected',
    [...LED, pod('z', { labels: { app: 'z' } }), shown('pods', 'z'), names('z', 3)],
    'I10',
  ],
])

rows('retries', [
  ['twenty failures in a second', [...LED, ...failures(20, 1000)]],
  ['many failures in a long time', [...LED, ...failures(60, 6000)]],
  ['conflicts with what another operator writes', [...LED, operator('other'), ...rivalry(30, 'other')]],
  ['creations of many objects', refusedServices(30, 30)],
  ['creations of one object', refusedServices(30, 1), 'I14', /21 writes to services shop\/s0 failed/],
  ['a flood', [...LED, ...failures(30, 900)], 'I14', /21 writes to pods shop\/a failed within a second/],
  ['conflicts with its own writes', [...LED, ...rivalry(30, OPERATOR)], 'I14'],
  ['conflicts with what a stranger writes', [...LED, ...rivalry(30, 'somebody')], 'I14'],
])

rows('eligible leader of a group that changed', [
  [
    'a selector that an operator may not know yet',
    [...LED, shown('pods', 'b'), group({ spec: { selector: { matchLabels: { app: 'x' } } } }), names('b', 3)],
  ],
])
