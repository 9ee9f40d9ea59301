import { strict as assert } from 'node:assert'
import { findResourceType } from './resource-types.ts'
import { parseFieldSelector, parseLabelSelector } from './selectors.ts'
import type { StoredObject } from './stored-object.ts'

function pod(labels: Record<string, string>, fields: object = {}): StoredObject {
  const metadata = { name: 'a', namespace: 'ns', uid: 'u', resourceVersion: '1', creationTimestamp: '', labels }
  return { apiVersion: 'v1', kind: 'Pod', metadata, ...fields }
}

/** Selector, labels, whether it selects them. What the contract does not try on a real server: spaces and odd keys. */
const LABELS: readonly (readonly [string, Record<string, string>, boolean])[] = [
  ['', {}, true],
  ['  ', { a: '1' }, true],
  [' a = 1 , b ', { a: '1', b: '' }, true],
  ['a=1,b', { a: '1' }, false],
  ['a!=', { a: '' }, false],
  ['a!=', {}, true],
  ['a in (1)', { a: '1' }, true],
  ['a in ( 1 , 2 ),!b', { a: '2' }, true],
  ['a in (1,2),!b', { a: '2', b: '1' }, false],
  ['a notin (1,2)', {}, true],
  ['a in (,1)', { a: '' }, true],
  ['db.leadergroup.io/role=leader', { 'db.leadergroup.io/role': 'leader' }, true],
  ['! a', { b: '1' }, true],
  ['toString', {}, false],
]

describe('label selectors', () => {
  for (const [selector, labels, selects] of LABELS) {
    it(`${JSON.stringify(selector)} ${selects ? 'selects' : 'does not select'} ${JSON.stringify(labels)}`, () => {
      assert.equal(parseLabelSelector(selector)(pod(labels)), selects)
    })
  }

  for (const selector of ['a b', 'a in 1', 'a in ()x', '=1', 'a=b=c', 'a,,b', 'a in (b', '-a=1', 'a=-']) {
    it(`refuses ${JSON.stringify(selector)}`, () => {
      assert.throws(() => parseLabelSelector(selector), { code: 400 })
    })
  }
})

describe('field selectors', () => {
  const type = findResourceType('', 'v1', 'pods')!
  const running = pod({}, { spec: { nodeName: 'n' }, status: { phase: 'Running' } })

  for (const [selector, selects] of [
    ['', true],
    ['metadata.name=a,metadata.namespace==ns', true],
    ['metadata.name!=a', false],
    ['spec.nodeName=n,status.phase!=Failed', true],
    ['spec.nodeName=', false],
    ['status.podIP=', true],
  ] as const) {
    it(`${JSON.stringify(selector)}: ${selects}`, () => {
      assert.equal(parseFieldSelector(type, selector)(running), selects)
    })
  }

  for (const selector of ['spec.containers=x', 'metadata.name', 'metadata.uid=u']) {
    it(`refuses ${JSON.stringify(selector)}`, () => {
      assert.throws(() => parseFieldSelector(type, selector), { code: 400 })
    })
  }
})
