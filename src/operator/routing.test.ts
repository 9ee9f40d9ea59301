import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { EndpointSlices, Leases, Nodes, Pods, Services, type EndpointSlice, type Service } from '../kube/objects.ts'
import { NAMESPACE, Rig, ROLE } from './fixtures.ts'
import { LeaderGroups } from './resources.ts'

const PORTS = [{ name: 'sql', port: 5432, targetPort: 'sql' }]
const LEADER = { name: 'db', role: 'Leader', ports: PORTS }
const FOLLOWERS = { name: 'db-ro', role: 'Follower', ports: PORTS }
const at = (name: string): { namespace: string; name: string } => ({ namespace: NAMESPACE, name })

interface Behind {
  readonly targetRef?: { readonly name: string }
  readonly addresses?: readonly string[]
  readonly conditions?: object
  readonly zone?: string
}

describe('operator, the Services of a group', () => {
  let rig: Rig
  beforeEach(() => {
    rig = new Rig()
  })
  afterEach(() => rig.end())

  async function running(services: readonly object[], spec: object = {}): Promise<void> {
    await rig.createGroup('db', { services, ...spec })
    for (const pod of ['db-0', 'db-1', 'db-2']) await rig.createPod(pod)
    await rig.clock.advance(5000)
  }

  const slice = (name: string): Promise<EndpointSlice> => rig.ok(rig.api.get(EndpointSlices, at(name)))
  const service = (name: string): Promise<Service> => rig.ok(rig.api.get(Services, at(name)))

  async function slices(): Promise<readonly string[]> {
    const { items } = await rig.ok(rig.api.list(EndpointSlices, { namespace: NAMESPACE }))
    return items.map(({ metadata }) => metadata.name).toSorted()
  }

  async function services(): Promise<readonly string[]> {
    const { items } = await rig.ok(rig.api.list(Services, { namespace: NAMESPACE }))
    return items.map(({ metadata }) => metadata.name).toSorted()
  }

  /** Names of the pods in a slice. */
  async function behind(name: string): Promise<readonly string[]> {
    return endpointsIn(await slice(name)).map(({ targetRef }) => targetRef?.name ?? '?')
  }

  const endpointsIn = (of: EndpointSlice): readonly Behind[] => (of.endpoints ?? []) as readonly Behind[]

  async function servicesReady(): Promise<readonly (string | undefined)[]> {
    const { status } = await rig.group()
    const condition = status?.conditions?.find(({ type }) => type === 'ServicesReady')
    return [condition?.status, condition?.reason]
  }

  async function change(spec: object): Promise<void> {
    await rig.ok(rig.api.mergePatch(LeaderGroups, at('db'), { spec }))
    await rig.clock.advance(2000)
  }

  /** What `user` wrote since, in order. */
  const written = (since: number, user = 'op'): readonly string[] =>
    rig.server.history
      .slice(since)
      .filter((revision) => revision.user === user)
      .map(({ type, object }) => `${type} ${object.kind} ${object.metadata.name}`)

  it('makes them, and routes to the leader and to the others', async () => {
    rig.start('op')
    await running([LEADER, FOLLOWERS])
    assert.deepEqual(await services(), ['db', 'db-ro'])
    assert.deepEqual(await slices(), ['db-leader-ipv4', 'db-ro-follower-ipv4-0'])
    assert.deepEqual(await behind('db-leader-ipv4'), ['db-0'])
    assert.deepEqual(await behind('db-ro-follower-ipv4-0'), ['db-1', 'db-2'])
    const [pod] = (await rig.ok(rig.api.list(Pods, { namespace: NAMESPACE }))).items
    const { metadata, ports } = await slice('db-leader-ipv4')
    assert.deepEqual(
      metadata.ownerReferences?.map(({ uid }) => uid),
      [pod?.metadata.uid],
    )
    assert.deepEqual(ports, [{ name: 'sql', port: 5432, protocol: 'TCP' }])
    assert.deepEqual(await servicesReady(), ['True', 'Routed'])
  })

  it('swaps the slice between the gate and the label, and tells the followers’ last', async () => {
    rig.start('op')
    await running([LEADER, FOLLOWERS])
    const before = rig.server.history.length
    await rig.setReady('db-0', false)
    await rig.clock.advance(5)
    const path = written(before)
    const followers = 'EndpointSlice db-ro-follower-ipv4-0'
    const order = ['Pod db-0', 'Lease db', 'EndpointSlice db-leader-ipv4', 'Pod db-1', followers]
    assert.deepEqual(
      path.slice(0, 5),
      order.map((what) => `MODIFIED ${what}`),
    )
    assert.deepEqual(await behind('db-leader-ipv4'), ['db-1'])
    await rig.clock.advance(2000)
    assert.deepEqual(await behind('db-ro-follower-ipv4-0'), ['db-0', 'db-2'])
    assert.deepEqual(endpointsIn(await slice('db-ro-follower-ipv4-0'))[0]?.conditions, {
      ready: false,
      serving: false,
      terminating: false,
    })
    const { metadata } = await slice('db-leader-ipv4')
    assert.equal(metadata.annotations?.['db.leadergroup.io/term'], String((await rig.group()).status?.term))
  })

  it('never shows anybody but the pod that the Lease names behind the leader’s Service, while pods come and go', async () => {
    rig.start('op-a', { elect: false })
    rig.start('op-b', { elect: false })
    await running([LEADER, FOLLOWERS])
    for (let round = 0; round < 20; round++) {
      const [leader] = await rig.labelled()
      assert.ok(leader)
      if (round % 2 === 0) await rig.setReady(leader, false)
      else await rig.deletePod(leader)
      await rig.clock.advance(20)
      if (round % 2 === 0) await rig.setReady(leader, true)
      else await rig.createPod(leader)
      await rig.clock.advance(3000)
      const [next] = await rig.labelled()
      assert.deepEqual(await behind('db-leader-ipv4'), [next])
      const others = ['db-0', 'db-1', 'db-2'].filter((name) => name !== next)
      assert.deepEqual(await behind('db-ro-follower-ipv4-0'), others)
    }
    assert.equal(rig.mostLabels(), 1)
    let named: string | undefined
    for (const { type, object } of rig.server.history) {
      if (object.kind === 'Lease' && object.metadata.name === 'db') {
        named = (object['spec'] as { holderIdentity?: string }).holderIdentity
      }
      if (object.kind !== 'EndpointSlice' || object.metadata.name !== 'db-leader-ipv4' || type === 'DELETED') continue
      const endpoints = endpointsIn(object as unknown as EndpointSlice)
      assert.equal(
        `${endpoints[0]?.targetRef?.name}_${endpoints[0]?.targetRef && uidOf(endpoints[0].targetRef)}`,
        named,
      )
    }
  })

  const uidOf = (targetRef: object): string => (targetRef as { uid: string }).uid

  it('has no leader’s slice without a leader', async () => {
    rig.start('op')
    await running([LEADER])
    await change({ paused: true })
    await rig.deletePod('db-0')
    await rig.clock.advance(1000)
    assert.deepEqual(await slices(), [])
    assert.deepEqual(await servicesReady(), ['True', 'Routed'])
    await change({ paused: false })
    assert.deepEqual(await behind('db-leader-ipv4'), ['db-1'])
  })

  it('makes a plain Service where the standard controller is to fill it', async () => {
    rig.start('op')
    await running(
      [
        { ...LEADER, routing: 'Selector' },
        { ...FOLLOWERS, routing: 'Selector', type: 'NodePort', sessionAffinity: 'ClientIP' },
      ],
      { labelFollowers: true },
    )
    assert.deepEqual((await service('db')).spec?.selector, { [ROLE]: 'leader' })
    const { spec } = await service('db-ro')
    assert.deepEqual(
      [spec?.selector, spec?.type, spec?.sessionAffinity],
      [{ [ROLE]: 'follower' }, 'NodePort', 'ClientIP'],
    )
    assert.deepEqual(await slices(), [])
    assert.deepEqual(await servicesReady(), ['True', 'Routed'])
  })

  it('labels the followers, in the write that enrols or seals them, and takes the label off again', async () => {
    rig.start('op')
    const roles = async (): Promise<readonly string[]> => {
      const { items } = await rig.ok(rig.api.list(Pods, { namespace: NAMESPACE }))
      return items.map(({ metadata }) => metadata.labels?.[ROLE] ?? '-')
    }
    await running([], { labelFollowers: true })
    assert.deepEqual(await roles(), ['leader', 'follower', 'follower'])
    const before = rig.server.history.length
    await rig.createPod('db-3')
    await rig.clock.advance(1000)
    assert.deepEqual(
      written(before).filter((text) => text.includes('Pod')),
      ['MODIFIED Pod db-3'],
    )
    await rig.setReady('db-0', false)
    await rig.clock.advance(1000)
    assert.deepEqual(await roles(), ['follower', 'leader', 'follower', 'follower'])
    await change({ labelFollowers: false })
    assert.deepEqual(await roles(), ['-', 'leader', '-', '-'])
    await change({ labelFollowers: true })
    assert.deepEqual(await roles(), ['follower', 'leader', 'follower', 'follower'])
    assert.deepEqual(await rig.labelled(), ['db-1'])
    assert.equal(rig.mostLabels(), 1)
  })

  it('follows the spec: nothing stale is left behind', async () => {
    rig.start('op')
    await running([LEADER, FOLLOWERS])
    await change({ services: [{ ...LEADER, ports: [{ port: 80 }], metadata: { labels: { team: 'a' } } }] })
    assert.deepEqual(await services(), ['db'])
    assert.deepEqual(await slices(), ['db-leader-ipv4'])
    const { metadata, spec } = await service('db')
    assert.deepEqual([metadata.labels?.['team'], spec?.ports?.map(({ port }) => port)], ['a', [80]])
    await change({ services: null })
    assert.deepEqual([await services(), await slices()], [[], []])
    await change({ services: [{ ...LEADER, routing: 'Selector' }] })
    assert.deepEqual((await service('db')).spec?.selector, { [ROLE]: 'leader' })
    await change({ selector: { matchLabels: { app: 'other' } }, services: [LEADER, FOLLOWERS] })
    assert.deepEqual(await slices(), [])
    assert.equal((await service('db')).spec?.selector, undefined)
    assert.equal(rig.mostLabels(), 1)
  })

  it('leaves nothing of a group that is deleted, also while no operator ran', async () => {
    const first = rig.start('op')
    await running([LEADER, FOLLOWERS])
    first.stop.abort(new Error('stopped'))
    await rig.clock.advance(1000)
    await rig.ok(rig.api.delete(LeaderGroups, at('db')))
    await rig.clock.advance(1000)
    assert.deepEqual([await services(), await slices()], [[], ['db-leader-ipv4']], 'what has an owner is gone')
    rig.start('op-2')
    await rig.clock.advance(5000)
    assert.deepEqual(await slices(), [])
  })

  it('writes nothing to a Service that is not the group’s, and takes its place when it goes', async () => {
    rig.start('op')
    const spec = { selector: { app: 'other' }, ports: [{ port: 1 }] }
    await rig.ok(rig.api.create(Services, NAMESPACE, { metadata: { name: 'db' }, spec }))
    const { metadata } = await service('db')
    await running([LEADER])
    assert.equal((await service('db')).metadata.resourceVersion, metadata.resourceVersion)
    assert.deepEqual([await slices(), await servicesReady()], [[], ['False', 'ServiceNotOurs']])
    assert.deepEqual(await rig.labelled(), ['db-0'], 'the election does not wait for it')
    await rig.api.delete(Services, at('db'))
    await rig.clock.advance(2000)
    assert.deepEqual([await behind('db-leader-ipv4'), await servicesReady()], [['db-0'], ['True', 'Routed']])
  })

  it('tells of slices that somebody else put there, whoever it was, and writes nothing to them', async () => {
    rig.start('op')
    await running([LEADER])
    const labels = {
      'kubernetes.io/service-name': 'db',
      'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
    }
    const foreign = { metadata: { name: 'db-x7k2p', labels }, addressType: 'IPv4', endpoints: [], ports: [] }
    const { metadata } = await rig.ok(rig.api.create(EndpointSlices, NAMESPACE, foreign))
    await rig.clock.advance(2000)
    assert.deepEqual(await servicesReady(), ['False', 'ForeignSlices'])
    assert.equal((await slice('db-x7k2p')).metadata.resourceVersion, metadata.resourceVersion)
    await rig.api.delete(EndpointSlices, at('db-x7k2p'))
    await rig.clock.advance(2000)
    assert.deepEqual(await servicesReady(), ['True', 'Routed'])
  })

  it('repairs what is edited or deleted', async () => {
    rig.start('op')
    await running([LEADER, FOLLOWERS])
    await rig.api.mergePatch(EndpointSlices, at('db-leader-ipv4'), { endpoints: [{ addresses: ['10.9.9.9'] }] })
    await rig.api.delete(EndpointSlices, at('db-ro-follower-ipv4-0'))
    await rig.api.mergePatch(Services, at('db-ro'), {
      spec: { selector: { app: 'evil' }, sessionAffinity: 'ClientIP' },
    })
    await rig.api.delete(Services, at('db'))
    await rig.clock.advance(3000)
    assert.deepEqual(await services(), ['db', 'db-ro'])
    assert.deepEqual(await behind('db-leader-ipv4'), ['db-0'])
    assert.deepEqual(await behind('db-ro-follower-ipv4-0'), ['db-1', 'db-2'])
    const { spec } = await service('db-ro')
    assert.deepEqual([spec?.selector, spec?.sessionAffinity], [undefined, 'None'])
    assert.deepEqual(await servicesReady(), ['True', 'Routed'])
  })

  it('survives the deletion of its Lease without a gap behind the Service', async () => {
    rig.start('op')
    await running([LEADER])
    const before = rig.server.history.length
    await rig.api.delete(Leases, at('db'))
    await rig.clock.advance(3000)
    assert.deepEqual(await behind('db-leader-ipv4'), ['db-0'])
    assert.deepEqual(
      written(before).filter((text) => text.includes('EndpointSlice')),
      ['MODIFIED EndpointSlice db-leader-ipv4'],
    )
  })

  it('fails over at once while a standing leader’s slice cannot be repaired', async () => {
    const body = { kind: 'Status', status: 'Failure', code: 422, reason: 'Invalid', message: 'a webhook refuses it' }
    let refusing = false
    rig.start('op', {
      before: async ({ method, path }) => {
        if (!refusing || method === 'GET' || !path.includes('/endpointslices')) return undefined
        return { status: 422, headers: {}, body: Readable.from([Buffer.from(JSON.stringify(body))]) }
      },
    })
    await running([LEADER])
    refusing = true
    await rig.api.delete(EndpointSlices, at('db-leader-ipv4'))
    await rig.clock.advance(60_000)
    assert.deepEqual([await rig.labelled(), await servicesReady()], [['db-0'], ['False', 'Pending']])
    refusing = false
    await rig.deletePod('db-0')
    await rig.clock.advance(10)
    assert.deepEqual([await rig.labelled(), await behind('db-leader-ipv4')], [['db-1'], ['db-1']])
  })

  it('label the next leader after one attempt to swap a slice that is refused, say why, and swap it later', async () => {
    const body = { kind: 'Status', status: 'Failure', code: 403, reason: 'Forbidden', message: 'no role' }
    let refusing = false
    rig.start('op', {
      before: async ({ method, path }) => {
        if (!refusing || method === 'GET' || !path.includes('/endpointslices')) return undefined
        return { status: 403, headers: {}, body: Readable.from([Buffer.from(JSON.stringify(body))]) }
      },
    })
    await running([LEADER])
    refusing = true
    await rig.setReady('db-0', false)
    await rig.clock.advance(200)
    assert.deepEqual(await rig.labelled(), ['db-1'])
    await rig.clock.advance(20_000)
    assert.deepEqual([await behind('db-leader-ipv4'), await servicesReady()], [['db-0'], ['False', 'Forbidden']])
    refusing = false
    await rig.clock.advance(20_000)
    assert.deepEqual([await rig.labelled(), await servicesReady()], [['db-1'], ['True', 'Routed']])
    assert.deepEqual(await behind('db-leader-ipv4'), ['db-1'])
  })

  it('writes the zone of the pod’s node', async () => {
    const node = (zone: string): object => ({
      metadata: { name: 'n1', labels: { 'topology.kubernetes.io/zone': zone } },
    })
    await rig.ok(rig.api.create(Nodes, undefined, node('a')))
    rig.start('op')
    await running([LEADER])
    assert.equal(endpointsIn(await slice('db-leader-ipv4'))[0]?.zone, 'a')
    await rig.ok(rig.api.mergePatch(Nodes, { name: 'n1' }, node('b')))
    await rig.clock.advance(1000)
    assert.equal(endpointsIn(await slice('db-leader-ipv4'))[0]?.zone, 'b')
  })

  it('does without nodes where it may not read them', async () => {
    const body = { kind: 'Status', status: 'Failure', code: 403, reason: 'Forbidden', message: 'no nodes' }
    rig.start('op', {
      before: async ({ path }) => {
        if (!path.startsWith('/api/v1/nodes')) return undefined
        return { status: 403, headers: {}, body: Readable.from([Buffer.from(JSON.stringify(body))]) }
      },
    })
    await running([LEADER])
    const [endpoint] = endpointsIn(await slice('db-leader-ipv4'))
    assert.deepEqual([endpoint?.targetRef?.name, endpoint?.zone], ['db-0', undefined])
  })

  it('reads no nodes where it serves single namespaces', async () => {
    const asked: string[] = []
    rig.start('op', {
      namespaces: [NAMESPACE],
      before: async ({ path }) => {
        asked.push(path)
        return undefined
      },
    })
    await running([LEADER])
    assert.deepEqual(await behind('db-leader-ipv4'), ['db-0'])
    assert.deepEqual(
      asked.filter((path) => path.includes('/nodes')),
      [],
    )
  })

  it('writes nothing in a quiet world, and nothing at a restart', async () => {
    const first = rig.start('op')
    await running([
      LEADER,
      FOLLOWERS,
      { ...LEADER, name: 'db-plain', routing: 'Selector', metadata: { labels: { a: 'b' } } },
    ])
    const before = rig.server.history.length
    await rig.clock.advance(60_000)
    first.stop.abort(new Error('stopped'))
    await rig.clock.advance(1000)
    rig.start('op-2')
    await rig.clock.advance(60_000)
    const kinds = rig.server.history.slice(before).map(({ object }) => `${object.kind} ${object.metadata.name}`)
    assert.deepEqual([...new Set(kinds)], ['Lease leadergroup-operator'])
  })
})
