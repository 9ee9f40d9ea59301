import assert from 'node:assert/strict'
import { endpointsFor, portsKey } from './endpoints.ts'
import { pod, wish } from './fixtures.ts'
import type { RoutedPod } from './routed-pod.ts'
import type { WishedPort } from './service-wish.ts'

const inSets = (pods: readonly RoutedPod[], ports?: readonly WishedPort[]): readonly string[] =>
  endpointsFor(wish(ports ? { ports } : {}), pods, 'shop').sets.map(({ family, ports: numbers, endpoints }) => {
    const numbered = numbers.map(({ name, port, protocol }) => `${name}=${port}/${protocol}`).join(',')
    return `${family} ${numbered}: ${endpoints.map(({ addresses }) => addresses.join()).join(' ')}`
  })

const unresolved = (pods: readonly RoutedPod[], ports: readonly WishedPort[]): readonly string[] =>
  endpointsFor(wish({ ports }), pods, 'shop').unresolved.map((each) => `${each.service} ${each.targetPort} ${each.pod}`)

const CONDITIONS: readonly (readonly [string, Partial<RoutedPod>, boolean, boolean, boolean])[] = [
  ['a ready pod', {}, true, true, false],
  ['one that is not ready', { ready: false }, false, false, false],
  ['one that terminates but serves', { terminating: true }, false, true, true],
  ['one that terminates and does not serve', { terminating: true, ready: false }, false, false, true],
]

const PODS: readonly (readonly [string, Partial<RoutedPod>, readonly string[]])[] = [
  ['in each family in which it has an address', {}, ['IPv4', 'IPv6']],
  ['with one address in one', { podIPs: ['fd00::9'] }, ['IPv6']],
  ['while it waits for its address, in none', { podIPs: [] }, []],
  ['also while it is pending', { phase: 'Pending' }, ['IPv4', 'IPv6']],
  ['not once it has succeeded: its address may be another pod’s', { phase: 'Succeeded' }, []],
  ['nor once it has failed', { phase: 'Failed' }, []],
  ['not with an address that the server refuses', { podIPs: ['127.0.0.1', 'fe80::1'] }, []],
  ['the first of two of a family', { podIPs: ['10.0.0.7', '10.0.0.8'] }, ['IPv4']],
]

describe('endpointsFor', () => {
  for (const [title, change, ready, serving, terminating] of CONDITIONS) {
    it(`shows ${title} as it is`, () => {
      const [set] = endpointsFor(wish(), [pod(1, change)], 'shop', ['IPv4']).sets
      assert.deepEqual(set?.endpoints, [
        {
          addresses: ['10.0.0.1'],
          conditions: { ready, serving, terminating },
          targetRef: { kind: 'Pod', namespace: 'shop', name: 'db-1', uid: 'uid-db-1' },
          nodeName: 'node-1',
          zone: 'a',
        },
      ])
    })
  }

  for (const [title, change, families] of PODS) {
    it(`has a pod ${title}`, () => {
      const { sets } = endpointsFor(wish(), [pod(1, change)], 'shop')
      assert.deepEqual(
        sets.map(({ family }) => family),
        families,
      )
      assert.ok(sets.every(({ endpoints }) => endpoints.length === 1 && endpoints[0]!.addresses.length === 1))
    })
  }

  it('leaves out node and zone that are not known', () => {
    const [set] = endpointsFor(wish(), [pod(1, { nodeName: undefined, zone: undefined })], 'shop').sets
    assert.deepEqual(Object.keys(set!.endpoints[0]!), ['addresses', 'conditions', 'targetRef'])
  })

  it('keeps to the families that it is given', () => {
    assert.deepEqual(
      endpointsFor(wish(), [pod(1)], 'shop', ['IPv6']).sets.map(({ family }) => family),
      ['IPv6'],
    )
  })

  it('takes a number as it is, and the port of the Service where no target is given', () => {
    assert.deepEqual(inSets([pod(1, { podIPs: ['10.0.0.1'] })], [{ name: 'a', port: 80, targetPort: 8080 }]), [
      'IPv4 a=8080/TCP: 10.0.0.1',
    ])
    assert.deepEqual(inSets([pod(1, { podIPs: ['10.0.0.1'] })], [{ port: 80 }]), ['IPv4 =80/TCP: 10.0.0.1'])
  })

  it('gives pods with other numbers behind a name another set, and orders all by name', () => {
    const one = { podIPs: ['10.0.0.1'] }
    const old = { podIPs: ['10.0.0.2'], ports: [{ name: 'sql', containerPort: 3306 }] }
    const two = { podIPs: ['10.0.0.3'] }
    assert.deepEqual(inSets([pod(3, two), pod(2, old), pod(1, one)]), [
      'IPv4 sql=3306/TCP: 10.0.0.2',
      'IPv4 sql=5432/TCP: 10.0.0.1 10.0.0.3',
    ])
  })

  it('finds a name only with the same protocol', () => {
    const ports = [
      { name: 'dns', containerPort: 53, protocol: 'UDP' },
      { name: 'dns', containerPort: 54 },
    ] as const
    const dns = pod(1, { podIPs: ['10.0.0.1'], ports })
    assert.deepEqual(inSets([dns], [{ name: 'u', port: 53, targetPort: 'dns', protocol: 'UDP' }]), [
      'IPv4 u=53/UDP: 10.0.0.1',
    ])
    assert.deepEqual(inSets([dns], [{ name: 't', port: 53, targetPort: 'dns' }]), ['IPv4 t=54/TCP: 10.0.0.1'])
    assert.deepEqual(unresolved([dns], [{ name: 's', port: 53, targetPort: 'dns', protocol: 'SCTP' }]), ['db dns db-1'])
  })

  it('reports a port that a pod does not have, and routes its others', () => {
    const ports = [
      { name: 'sql', port: 5432, targetPort: 'sql' },
      { name: 'metrics', port: 90, targetPort: 'metrics' },
    ]
    const both = pod(2, {
      podIPs: ['10.0.0.2'],
      ports: [
        { name: 'sql', containerPort: 5432 },
        { name: 'metrics', containerPort: 9090 },
      ],
    })
    const one = pod(1, { podIPs: ['10.0.0.1'] })
    assert.deepEqual(inSets([one, both], ports), [
      'IPv4 sql=5432/TCP,metrics=9090/TCP: 10.0.0.2',
      'IPv4 sql=5432/TCP: 10.0.0.1',
    ])
    assert.deepEqual(unresolved([one, both], ports), ['db metrics db-1'])
  })

  it('leaves out a pod with none of the ports: a slice without ports can stand for all', () => {
    const ports = [{ name: 'web', port: 80, targetPort: 'web' }]
    assert.deepEqual(inSets([pod(1)], ports), [])
    assert.deepEqual(unresolved([pod(1), pod(2, { podIPs: [] })], ports), ['db web db-1'])
  })

  it('takes digits in a text for a name', () => {
    assert.deepEqual(inSets([pod(1)], [{ port: 80, targetPort: '5432' }]), [])
  })

  it('carries the application protocol', () => {
    const [set] = endpointsFor(wish({ ports: [{ port: 80, appProtocol: 'h2c' }] }), [pod(1)], 'shop').sets
    assert.deepEqual(set?.ports, [{ name: '', port: 80, protocol: 'TCP', appProtocol: 'h2c' }])
  })
})

describe('portsKey', () => {
  it('does not depend on the order of fields', () => {
    assert.equal(portsKey([{ name: 'a', port: 1 }]), portsKey([{ port: 1, name: 'a' }]))
    assert.notEqual(portsKey([{ name: 'a', port: 1 }]), portsKey([{ name: 'a', port: 2 }]))
  })
})
