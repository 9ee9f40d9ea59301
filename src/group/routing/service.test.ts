import assert from 'node:assert/strict'
import { FOLLOWERS, GROUP, GROUP_OWNER, LEADER, observedService, wish, World } from './fixtures.ts'
import type { ObservedService } from './observed-service.ts'
import type { ServicePatch } from './routing-action.ts'
import { isFormer, isMadeByUs, isOurs, mustBeReplaced, patchOf, serviceOf } from './service.ts'
import type { ServiceWish } from './service-wish.ts'

/** The Service as the server has it once it was made for this wish. */
function made(of: ServiceWish, change: Partial<ObservedService> = {}): ObservedService {
  const world = new World({ wishes: [of] }, ['IPv4', 'IPv6'])
  world.settle()
  return { ...world.services.get(of.name)!, ...change }
}

const patched = (of: ServiceWish, service: ObservedService): ServicePatch | undefined =>
  patchOf(of, GROUP, service)?.patch

describe('serviceOf', () => {
  it('is a Service without selector for Direct', () => {
    assert.deepEqual(serviceOf(LEADER, 'shop', GROUP), {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: {
        name: 'db',
        namespace: 'shop',
        labels: { 'leadergroup.io/group': 'db' },
        ownerReferences: [GROUP_OWNER],
      },
      spec: {
        type: 'ClusterIP',
        ports: [{ name: 'sql', port: 5432, targetPort: 'sql', protocol: 'TCP' }],
        sessionAffinity: 'None',
      },
    })
  })

  it('selects the role for Selector', () => {
    const leader = serviceOf(wish({ routing: 'Selector' }), 'shop', GROUP).spec
    const followers = serviceOf({ ...FOLLOWERS, routing: 'Selector' }, 'shop', GROUP).spec
    assert.deepEqual(leader.selector, { 'db.leadergroup.io/role': 'leader' })
    assert.deepEqual(followers.selector, { 'db.leadergroup.io/role': 'follower' })
  })

  it('has all that is wished', () => {
    const { metadata, spec } = serviceOf(
      wish({
        headless: true,
        sessionAffinity: 'ClientIP',
        ipFamilyPolicy: 'PreferDualStack',
        ports: [{ port: 53, protocol: 'UDP', appProtocol: 'example.com/dns' }],
        metadata: { labels: { team: 'a' }, annotations: { 'example.com/x': 'y' } },
      }),
      'shop',
      GROUP,
    )
    assert.deepEqual(spec, {
      type: 'ClusterIP',
      clusterIP: 'None',
      ports: [{ port: 53, targetPort: 53, protocol: 'UDP', appProtocol: 'example.com/dns' }],
      sessionAffinity: 'ClientIP',
      ipFamilyPolicy: 'PreferDualStack',
    })
    assert.deepEqual(metadata.labels, { team: 'a', 'leadergroup.io/group': 'db' })
    assert.deepEqual(metadata.annotations, {
      'example.com/x': 'y',
      'leadergroup.io/metadata': 'labels=team annotations=example.com/x',
    })
  })
})

describe('patchOf', () => {
  const WISHES: readonly (readonly [string, ServiceWish])[] = [
    ['Direct', LEADER],
    ['Selector', wish({ routing: 'Selector' })],
    ['headless', wish({ headless: true })],
    ['NodePort', wish({ type: 'NodePort' })],
    ['LoadBalancer', wish({ type: 'LoadBalancer', sessionAffinity: 'ClientIP' })],
    ['dual stack', wish({ ipFamilyPolicy: 'RequireDualStack' })],
    ['one port without a name', wish({ ports: [{ port: 80 }] })],
    ['metadata', wish({ metadata: { labels: { a: 'b' }, annotations: { c: 'd' } } })],
  ]
  for (const [title, each] of WISHES) {
    it(`is nothing for what the server made of it: ${title}`, () => {
      assert.equal(patchOf(each, GROUP, made(each)), undefined)
      assert.equal(mustBeReplaced(made(each), each), false)
    })
  }

  const DRIFTS: readonly (readonly [string, ServiceWish, Partial<ObservedService>, ServicePatch['spec']])[] = [
    [
      'another port',
      LEADER,
      { ports: [{ name: 'sql', port: 1, targetPort: 'sql', protocol: 'TCP' }] },
      { ports: [{ name: 'sql', port: 5432, targetPort: 'sql', protocol: 'TCP' }] },
    ],
    [
      'an application protocol that nobody wished',
      LEADER,
      { ports: [{ name: 'sql', port: 5432, targetPort: 'sql', protocol: 'TCP', appProtocol: 'h2c' }] },
      { ports: [{ name: 'sql', port: 5432, targetPort: 'sql', protocol: 'TCP' }] },
    ],
    [
      'a port keeps the node port that was allocated to it',
      wish({ type: 'NodePort' }),
      { ports: [{ name: 'old', port: 5432, targetPort: 'sql', protocol: 'TCP', nodePort: 31_000 }] },
      { ports: [{ name: 'sql', port: 5432, targetPort: 'sql', protocol: 'TCP', nodePort: 31_000 }] },
    ],
    [
      'a ClusterIP has none',
      LEADER,
      {
        type: 'NodePort',
        ports: [{ name: 'sql', port: 5432, targetPort: 'sql', protocol: 'TCP', nodePort: 31_000 }],
      },
      { type: 'ClusterIP', ports: [{ name: 'sql', port: 5432, targetPort: 'sql', protocol: 'TCP' }] },
    ],
    ['no affinity', LEADER, { sessionAffinity: 'ClientIP' }, { sessionAffinity: 'None', sessionAffinityConfig: null }],
    ['affinity', wish({ sessionAffinity: 'ClientIP' }), { sessionAffinity: 'None' }, { sessionAffinity: 'ClientIP' }],
    [
      'families',
      wish({ ipFamilyPolicy: 'PreferDualStack' }),
      { ipFamilyPolicy: 'SingleStack' },
      { ipFamilyPolicy: 'PreferDualStack' },
    ],
    [
      'a selector, whatever was added to it',
      wish({ routing: 'Selector' }),
      { selector: { 'db.leadergroup.io/role': 'follower', constructor: 'x' } },
      { selector: { constructor: null, 'db.leadergroup.io/role': 'leader' } },
    ],
  ]
  for (const [title, each, change, spec] of DRIFTS) {
    it(`repairs ${title}`, () => assert.deepEqual(patched(each, made(each, change)), { spec }))
  }

  it('leaves families alone that nobody wished', () => {
    assert.equal(patched(LEADER, made(LEADER, { ipFamilyPolicy: 'PreferDualStack' })), undefined)
  })

  it('carries the version as read', () => {
    const service = made(LEADER, { type: 'NodePort' })
    const { name, uid, resourceVersion } = patchOf(LEADER, GROUP, service)!
    assert.deepEqual([name, uid, resourceVersion], ['db', service.uid, service.resourceVersion])
  })
})

describe('metadata of a Service', () => {
  const labelled = wish({ metadata: { labels: { team: 'a' }, annotations: { 'example.com/x': 'y' } } })

  it('is merged into what others wrote', () => {
    const service = made(LEADER, { labels: { 'leadergroup.io/group': 'db', cloud: '1' }, annotations: { lb: '2' } })
    assert.deepEqual(patched(labelled, service), {
      metadata: {
        labels: { team: 'a' },
        annotations: { 'example.com/x': 'y', 'leadergroup.io/metadata': 'labels=team annotations=example.com/x' },
      },
    })
  })

  it('comes off again where it is ours, and only there', () => {
    const before = made(labelled)
    const service = {
      ...before,
      labels: { ...before.labels, cloud: '1' },
      annotations: { ...before.annotations, lb: '2' },
    }
    assert.deepEqual(patched(LEADER, service), {
      metadata: { labels: { team: null }, annotations: { 'example.com/x': null, 'leadergroup.io/metadata': null } },
    })
  })

  it('comes back when somebody takes it off or changes it', () => {
    const service = made(labelled)
    assert.deepEqual(patched(labelled, { ...service, labels: { 'leadergroup.io/group': 'x' } }), {
      metadata: { labels: { team: 'a', 'leadergroup.io/group': 'db' } },
    })
  })

  for (const [title, memory] of [
    ['nothing', undefined],
    ['anything', '{"labels":["cloud"]}'],
    ['only our own keys', 'labels=leadergroup.io/group annotations='],
  ] as const) {
    it(`takes nothing off that nobody remembers: ${title}`, () => {
      const annotations = memory === undefined ? {} : { 'leadergroup.io/metadata': memory }
      const service = made(LEADER, { labels: { 'leadergroup.io/group': 'db', cloud: '1' }, annotations })
      assert.equal(patched(LEADER, service)?.metadata?.labels, undefined)
    })
  }

  it('cannot set this program’s own keys', () => {
    const keys = { 'leadergroup.io/group': 'x', 'db.leadergroup.io/role': 'leader' }
    const { metadata } = serviceOf(wish({ metadata: { labels: keys, annotations: keys } }), 'shop', GROUP)
    assert.deepEqual([metadata.labels, metadata.annotations], [{ 'leadergroup.io/group': 'db' }, undefined])
  })

  it('may use keys called anything', () => {
    const odd = wish({
      metadata: { labels: { constructor: 'a' }, annotations: { toString: 'b' } },
    })
    const patch = patched(odd, made(LEADER))
    assert.equal(patch?.metadata?.labels?.['constructor'], 'a')
    assert.equal(patched(odd, made(odd)), undefined)
    assert.equal(patched(LEADER, made(odd))?.metadata?.labels?.['constructor'], null)
  })
})

describe('whose a Service is', () => {
  const OWNERS: readonly (readonly [string, Partial<ObservedService>, boolean, boolean])[] = [
    ['nobody’s', {}, false, false],
    ['this group’s', { ownerReferences: [GROUP_OWNER], labels: { 'leadergroup.io/group': 'db' } }, true, true],
    ['owned by it, but made by a user', { ownerReferences: [GROUP_OWNER] }, true, false],
    [
      'a former group’s',
      { ownerReferences: [{ ...GROUP_OWNER, uid: 'x' }], labels: { 'leadergroup.io/group': 'db' } },
      false,
      false,
    ],
    [
      'another group’s, with a wrong label',
      { ownerReferences: [{ ...GROUP_OWNER, name: 'web', uid: 'x' }], labels: { 'leadergroup.io/group': 'db' } },
      false,
      false,
    ],
    ['labelled only', { labels: { 'leadergroup.io/group': 'db' } }, false, false],
  ]
  for (const [title, change, ours, byUs] of OWNERS) {
    it(title, () => {
      assert.equal(isOurs(observedService('db', change), GROUP), ours)
      assert.equal(isMadeByUs(observedService('db', change), GROUP), byUs)
      assert.equal(isFormer(observedService('db', change), GROUP), title === 'a former group’s')
    })
  }
})

describe('mustBeReplaced', () => {
  const ROWS: readonly (readonly [string, ServiceWish, Partial<ObservedService>, boolean])[] = [
    ['Direct with a selector', LEADER, { selector: { a: 'b' } }, true],
    ['Selector without one', wish({ routing: 'Selector' }), {}, true],
    ['Selector with another one', wish({ routing: 'Selector' }), { selector: { a: 'b' } }, false],
    ['headless with an address', wish({ headless: true }), {}, true],
    ['not headless without one', LEADER, { clusterIP: 'None' }, true],
    ['an address not allocated yet', LEADER, { clusterIP: undefined }, false],
  ]
  for (const [title, each, change, expected] of ROWS) {
    it(title, () => assert.equal(mustBeReplaced(observedService('db', change), each), expected))
  }
})
