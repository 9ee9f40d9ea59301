import assert from 'node:assert/strict'
import type { LeaderGroup } from '../group/leadergroup.ts'
import type { EndpointSlice, Service } from '../kube/objects.ts'
import { RoutingIndex } from './routing-index.ts'

const meta = (name: string) => ({ name, namespace: 'shop', uid: `uid-${name}`, resourceVersion: '1' })
const words = (names: Iterable<string>): string => [...names].toSorted().join(' ')

function group(name: string, ...services: readonly string[]): LeaderGroup {
  const wishes = services.map((each) => ({ name: each, role: 'Leader', ports: [{ port: 1 }] }) as const)
  return { metadata: meta(name), spec: { selector: { matchLabels: { app: name } }, services: wishes } }
}

function service(name: string, owner?: string): Service {
  return { metadata: { ...meta(name), labels: owner === undefined ? {} : { 'leadergroup.io/group': owner } } }
}

function slice(name: string, { behind, owner }: { behind?: string; owner?: string } = {}): EndpointSlice {
  const labels = {
    ...(behind === undefined ? {} : { 'kubernetes.io/service-name': behind }),
    ...(owner === undefined ? {} : { 'leadergroup.io/group': owner }),
  }
  return { metadata: { ...meta(name), labels }, addressType: 'IPv4' }
}

describe('routing index', () => {
  let index: RoutingIndex
  beforeEach(() => {
    index = new RoutingIndex()
    index.setGroup(group('db', 'db', 'db-ro'), undefined)
    index.setGroup(group('web', 'db'), undefined)
  })

  it('wakes all who wish for a Service, and whose label it bears or bore', () => {
    assert.equal(words(index.setService(service('db'), undefined)), 'db web')
    assert.equal(words(index.setService(service('db-ro', 'old'), undefined)), 'db old')
    assert.equal(words(index.setService(service('db-ro', 'web'), service('db-ro', 'old'))), 'db old web')
    assert.equal(words(index.setService(service('other'), undefined)), '')
  })

  it('shows a group the Services that it wishes for, and those that bear its label', () => {
    index.setService(service('left', 'db'), undefined)
    assert.equal(words(index.servicesOf(group('db', 'db', 'db-ro'))), 'db db-ro left')
    index.setService(undefined, service('left', 'db'))
    assert.equal(words(index.servicesOf(group('db'))), '')
  })

  it('shows a group the slices behind its Services, in their way, and with its label, and wakes it for them', () => {
    assert.equal(words(index.setSlice(slice('db-x1', { behind: 'db' }), undefined)), 'db web')
    assert.equal(words(index.setSlice(slice('db-ro-follower-ipv6-12'), undefined)), 'db')
    assert.equal(words(index.setSlice(slice('left', { behind: 'gone', owner: 'db' }), undefined)), 'db')
    assert.equal(words(index.setSlice(slice('other', { behind: 'other' }), undefined)), '')
    assert.equal(words(index.slicesOf('db', group('db', 'db', 'db-ro'))), 'db-ro-follower-ipv6-12 db-x1 left')
    assert.equal(words(index.slicesOf('db', undefined)), 'left')
    assert.equal(words(index.slicesOf('web', group('web', 'db'))), 'db-x1')
  })

  it('follows a slice that moves, and forgets one that goes', () => {
    const [before, after] = [slice('s', { behind: 'db' }), slice('s', { behind: 'db-ro', owner: 'web' })]
    index.setSlice(before, undefined)
    assert.equal(words(index.setSlice(after, before)), 'db web')
    assert.equal(words(index.slicesOf('web', group('web', 'db'))), 's')
    assert.equal(words(index.groupsWithSlices()), 'web')
    assert.equal(words(index.setSlice(undefined, after)), 'db web')
    assert.equal(words(index.groupsWithSlices()), '')
    assert.equal(words(index.slicesOf('db', group('db', 'db', 'db-ro'))), '')
  })

  it('forgets what a group no longer wishes for', () => {
    index.setGroup(group('db', 'db-ro'), group('db', 'db', 'db-ro'))
    assert.equal(words(index.setService(service('db'), undefined)), 'web')
    index.setGroup(undefined, group('db', 'db-ro'))
    assert.equal(words(index.setService(service('db-ro'), undefined)), '')
  })
})
