import assert from 'node:assert/strict'
import { formatMark } from '../src/group/gate/gate.ts'
import { GATE_ANNOTATION, LEADER_ROLE, groupKeys } from '../src/group/keys.ts'
import { type Change, checkHistory, mostLabelled, mostLabelledByOperators } from './history.ts'

const keys = groupKeys('db')

type Event = (version: number) => Change

function pod(name: string, term?: number): Event {
  const metadata = { name, namespace: 'shop', uid: `${name}-uid`, resourceVersion: '0' }
  const bearing =
    term === undefined ? {} : { labels: { [keys.role]: LEADER_ROLE }, annotations: { [keys.term]: String(term) } }
  return (version) => ({ kind: 'pod', version, gone: false, object: { metadata: { ...metadata, ...bearing } } })
}

function lease(holder: string, term: number, transitions = term): Event {
  const uid = `${holder}-uid`
  const annotations = { [GATE_ANNOTATION]: formatMark({ holder: { name: holder, uid }, gateUID: 'lease-uid', term }) }
  const ownerReferences = [{ apiVersion: 'leadergroup.io/v1alpha1', kind: 'LeaderGroup', name: 'db', uid: 'group-uid' }]
  const metadata = {
    name: 'db',
    namespace: 'shop',
    uid: 'lease-uid',
    resourceVersion: '0',
    annotations,
    ownerReferences,
  }
  const spec = { holderIdentity: `${holder}_${uid}`, leaseTransitions: transitions }
  return (version) => ({ kind: 'lease', version, gone: false, object: { metadata, spec } })
}

function status(holder: string | undefined, term: number): Event {
  const named = holder === undefined ? {} : { holder, holderUID: `${holder}-uid` }
  const metadata = { name: 'db', namespace: 'shop', uid: 'group-uid', resourceVersion: '0' }
  const object = { metadata, spec: { selector: {} }, status: { ...named, term } }
  return (version) => ({ kind: 'group', version, gone: false, object })
}

/** Of a group in mode Observe. */
function gate(holder: string | undefined, term: number): Event {
  const named = holder === undefined ? {} : { holder, holderUID: `${holder}-uid` }
  const mark = formatMark({
    holder: holder === undefined ? undefined : { name: holder, uid: `${holder}-uid` },
    gateUID: 'group-uid',
    term,
  })
  const metadata = { name: 'db', namespace: 'shop', uid: 'group-uid', resourceVersion: '0' }
  const object = { metadata, spec: { selector: {}, mode: 'Observe' as const }, status: { ...named, term, gate: mark } }
  return (version) => ({ kind: 'group', version, gone: false, object })
}

function gone(event: Event): Event {
  return (version) => ({ ...event(version), gone: true })
}

function play(...events: readonly Event[]): readonly Change[] {
  return events.map((event, index) => event(index + 1))
}

const led = [status(undefined, 0), pod('a'), pod('b'), lease('a', 1), pod('a', 1), status('a', 1)]

describe('the rules asked of a history', () => {
  const kept: readonly (readonly [string, readonly Event[], { labelled: number; terms: number }])[] = [
    ['an election', led, { labelled: 1, terms: 1 }],
    ['a failover', [...led, pod('a'), lease('b', 2), pod('b', 2), status('b', 2)], { labelled: 2, terms: 2 }],
    [
      'a failover from a pod that is gone',
      [...led, gone(pod('a')), lease('b', 2), pod('b', 2)],
      { labelled: 2, terms: 2 },
    ],
    ['the same pod in a new term', [...led, pod('a'), lease('a', 2), pod('a', 2)], { labelled: 2, terms: 2 }],
    [
      'a label that arrives after a stranger deleted its gate',
      [...led, pod('a'), lease('b', 2), gone(lease('b', 2)), pod('b', 2), pod('b'), lease('b', 3), pod('b', 3)],
      { labelled: 3, terms: 3 },
    ],
    ['writes that change nothing', [...led, pod('a', 1), lease('a', 1), status('a', 1)], { labelled: 1, terms: 1 }],
  ]
  for (const [what, events, tally] of kept) {
    it(`are kept by ${what}`, () => assert.deepEqual(checkHistory(play(...events), 'db'), tally))
  }

  // That each rule can be broken is shown beside it. These show that a history without writers' names is told right.
  const broken: readonly (readonly [string, readonly Event[], RegExp])[] = [
    ['two labels', [...led, pod('b', 1)], /I1 broken at version 7.*: a \(a-uid, term 1\) and b/],
    ['a label in another term', [...led, pod('a'), lease('b', 2), pod('b', 3)], /I2 .*label on b \(b-uid\) in term 3/],
    ['a gate that moves on before the seal', [...led, lease('b', 2)], /I2 .*while a \(a-uid\) bears the label/],
    ['a term that comes back', [...led, pod('a'), pod('a', 1)], /I3 .*term 1 again, after it was sealed/],
    ['a term that repeats', [...led, pod('a'), lease('b', 1)], /I4 .*term 1 comes after term 1/],
    ['transitions that are not the term', [...led, pod('a'), lease('b', 2, 1)], /I4 .*leaseTransitions is 1/],
    ['a status before the gate', [...led, status('a', 2)], /I6 .*status.term is 2/],
  ]
  for (const [what, events, message] of broken) {
    it(`are broken by ${what}`, () => assert.throws(() => checkHistory(play(...events), 'db'), message))
  }

  it('count apart what a stranger labels, who gives no term', () => {
    const strange = pod('b', 1)(7)
    const { [keys.term]: _, ...annotations } = strange.object.metadata.annotations ?? {}
    const metadata = { ...strange.object.metadata, annotations }
    const history = [...play(...led), { ...strange, object: { metadata } } as Change]
    assert.deepEqual([mostLabelled(history, 'db'), mostLabelledByOperators(history, 'db')], [2, 1])
    assert.equal(mostLabelledByOperators(play(...led, pod('b', 1)), 'db'), 2)
  })

  const followed = [gate(undefined, 0), pod('a'), pod('b'), gate('a', 1), pod('a', 1)]
  it('are kept in mode Observe, where status is the gate', () => {
    const vacant = [...followed, pod('a'), gate(undefined, 1), gate('b', 2), pod('b', 2)]
    assert.deepEqual(checkHistory(play(...vacant), 'db'), { labelled: 2, terms: 2 })
  })

  const brokenThere: readonly (readonly [string, readonly Event[], RegExp])[] = [
    ['two labels', [...followed, pod('b', 1)], /I1 /],
    ['a label before the gate', [gate(undefined, 0), pod('a'), pod('a', 1)], /label on a/],
    ['a gate that moves on before the seal', [...followed, gate('b', 2)], /I2 .*while a/],
    ['a gate that names nobody before the seal', [...followed, gate(undefined, 1)], /I2 .*vacant at term 1 while a/],
    ['a term that repeats', [...followed, pod('a'), gate('b', 1)], /term 1 comes after term 1/],
    [
      'a label of a Lease that status does not follow',
      [gate(undefined, 0), lease('a', 1), pod('a'), pod('a', 1)],
      /label on a/,
    ],
  ]
  for (const [what, events, message] of brokenThere) {
    it(`are broken in mode Observe by ${what}`, () => {
      assert.throws(() => checkHistory(play(...events), 'db'), message)
    })
  }

  it('count the labels at each version', () => {
    assert.equal(mostLabelled(play(...led), 'db'), 1)
    assert.equal(mostLabelled(play(...led, pod('b', 1), pod('b')), 'db'), 2)
    assert.equal(mostLabelled(play(...led, gone(pod('a')), pod('b', 2)), 'db'), 1)
  })
})
