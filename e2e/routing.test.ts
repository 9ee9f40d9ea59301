import assert from 'node:assert/strict'
import { type EndpointSlice, EndpointSlices, type Service, Services } from '../src/kube/objects.ts'
import { eventually } from './controlplane/eventually.ts'
import { must } from './controlplane/must.ts'
import { succeed } from './kubectl.ts'
import { COLLECTION_MILLIS, type Scene, podsIn } from './operator-scene.ts'
import { behavedWell, operatorSuite } from './operator-suite.ts'

const PORTS = [{ name: 'sql', port: 5432 }]
const LEADER = { name: 'db', role: 'Leader', ports: PORTS }
const FOLLOWERS = { name: 'db-ro', role: 'Follower', ports: PORTS }
const STANDARD = 'endpointslice-controller.k8s.io'
/** The standard controllers would have acted by then: they batch changes for half a second. */
const QUIET_MILLIS = 3000

describe('the Services of a group on a real control plane', () => {
  const suite = operatorSuite()
  let scene: Scene
  beforeEach(() => {
    scene = suite.scene
  })

  const service = async (name: string): Promise<Service> =>
    must(await scene.api.get(Services, { namespace: scene.namespace, name }))

  it('lead to the leader and to the others, and kubectl waits for them', async () => {
    await scene.createLed(['db-0', 'db-1', 'db-2'], { services: [LEADER, FOLLOWERS] })
    const [slice] = await scene.untilBehind('db', 'db-0')
    await scene.untilBehind('db-ro', 'db-1', 'db-2')
    const { namespace } = scene
    const wait = ['wait', '-n', namespace, 'lg/db', '--for=condition=ServicesReady', '--timeout=10s']
    assert.match(await succeed(wait), /condition met/)
    const pod = await scene.pod('db-0')
    assert.deepEqual(
      slice?.metadata.ownerReferences?.map(({ kind, uid }) => [kind, uid]),
      [['Pod', pod.metadata.uid]],
    )
    assert.match(await succeed(['get', 'endpointslices', '-n', namespace]), /db-leader-ipv4 +IPv4 +5432/)
    assert.equal((await service('db')).spec?.selector, undefined)
  })

  it('change hands in one write, which no standard controller undoes', async () => {
    await scene.createLed(['db-0', 'db-1', 'db-2'], { services: [LEADER, FOLLOWERS] })
    const [before] = await scene.untilBehind('db', 'db-0')
    await scene.setReady('db-0', false)
    const [after] = await scene.untilBehind('db', 'db-1')
    assert.equal(after?.metadata.uid, before?.metadata.uid)
    await scene.untilLed('db-1')
    await scene.untilBehind('db-ro', 'db-0', 'db-2')
    const rest = await rested(async () => [...(await scene.slicesOf('db')), ...(await scene.slicesOf('db-ro'))])
    assert.deepEqual(
      rest.map(({ metadata }) => metadata.name).toSorted(),
      ['db-leader-ipv4', 'db-ro-follower-ipv4-0'],
      'nobody has added or taken one',
    )
    await scene.check(2)
  })

  /** What is there after a quiet time in which none of it changed. */
  async function rested(read: () => Promise<readonly EndpointSlice[]>): Promise<readonly EndpointSlice[]> {
    const versions = (slices: readonly EndpointSlice[]): string =>
      slices.map(({ metadata }) => `${metadata.name} ${metadata.resourceVersion}`).join()
    let last = versions(await read())
    let since = Date.now()
    return eventually({ what: 'rest', millis: 30_000, intervalMillis: 200 }, async () => {
      const slices = await read()
      if (versions(slices) !== last) [last, since] = [versions(slices), Date.now()]
      return Date.now() - since >= QUIET_MILLIS ? slices : undefined
    })
  }

  it('lose the leader’s slice with its pod, by the garbage collector, while no operator runs', async () => {
    await scene.createLed(['db-0'], { services: [LEADER] })
    await scene.untilBehind('db', 'db-0')
    suite.operator.pause()
    try {
      await scene.deletePod('db-0', 0)
      await eventually({ what: 'the slice is collected', millis: COLLECTION_MILLIS }, async () =>
        (await scene.slicesOf('db')).length === 0 ? true : undefined,
      )
    } finally {
      suite.operator.resume()
    }
    await scene.createPod('db-1')
    await scene.untilLed('db-1')
    await scene.untilBehind('db', 'db-1')
  })

  it('are filled by the standard controller where routing is Selector', async () => {
    const services = [LEADER, FOLLOWERS].map((each) => ({ ...each, routing: 'Selector' }))
    await scene.createLed(['db-0', 'db-1', 'db-2'], { services, labelFollowers: true })
    const slices = [...(await scene.untilBehind('db', 'db-0')), ...(await scene.untilBehind('db-ro', 'db-1', 'db-2'))]
    for (const { metadata } of slices) {
      assert.equal(metadata.labels?.['endpointslice.kubernetes.io/managed-by'], STANDARD)
    }
    await scene.untilServicesReady('True', 'Routed')
    await scene.setReady('db-0', false)
    await scene.untilLed('db-1')
    await scene.untilBehind('db', 'db-1')
    await scene.untilBehind('db-ro', 'db-0', 'db-2')
  })

  it('follow the spec, and a Service routed otherwise is made anew', async () => {
    await scene.createLed(['db-0', 'db-1'], { services: [{ ...LEADER, routing: 'Selector' }] })
    await scene.untilBehind('db', 'db-0')
    suite.operator.pause()
    try {
      await scene.patchGroup({ services: null })
      const metadata = { annotations: { 'example.com/a': 'b' } }
      await scene.patchGroup({
        services: [
          { ...LEADER, type: 'NodePort', metadata },
          { ...FOLLOWERS, headless: true },
        ],
      })
    } finally {
      suite.operator.resume()
    }
    const what = 'the slices of the former routing are gone'
    await eventually({ what, millis: COLLECTION_MILLIS }, async () => {
      const names = (await scene.slicesOf('db')).map(({ metadata }) => metadata.name)
      return names.join() === 'db-leader-ipv4' ? true : undefined
    })
    await scene.untilBehind('db-ro', 'db-1')
    const { metadata, spec } = await service('db')
    assert.deepEqual(
      [metadata.annotations?.['example.com/a'], spec?.type, spec?.selector],
      ['b', 'NodePort', undefined],
    )
    assert.equal((await service('db-ro')).spec?.clusterIP, 'None')
    await scene.untilServicesReady('True', 'Routed')
    await scene.patchGroup({ services: [] })
    await eventually({ what: 'no Services', millis: COLLECTION_MILLIS }, async () => {
      const left = must(await scene.api.list(Services, { namespace: scene.namespace })).items
      return left.length === 0 && (await scene.slicesOf('db')).length + (await scene.slicesOf('db-ro')).length === 0
        ? true
        : undefined
    })
  })

  it('on a bad day are refused where the name is taken, say so, and take their place when it is free', async () => {
    const spec = { selector: { app: 'other' }, ports: [{ port: 1 }] }
    const taken = must(await scene.api.create(Services, scene.namespace, { metadata: { name: 'db' }, spec }))
    await scene.createLed(['db-0'], { services: [LEADER] })
    assert.match(await scene.untilServicesReady('False', 'ServiceNotOurs'), /Choose another name in spec\.services/)
    assert.equal((await service('db')).metadata.resourceVersion, taken.metadata.resourceVersion)
    must(await scene.api.delete(Services, { namespace: scene.namespace, name: 'db' }))
    await scene.untilBehind('db', 'db-0')
    await scene.untilServicesReady('True', 'Routed')
  })

  it('say that a port has no such name in a pod', async () => {
    const ports = [{ name: 'sql', port: 5432, targetPort: 'sql' }]
    await scene.createLed(['db-0'], { services: [{ ...LEADER, ports }] })
    assert.match(
      await scene.untilServicesReady('False', 'PortUnresolved'),
      /no container port is named sql in pod db-0/,
    )
  })

  it('are repaired, whatever is done to them', async () => {
    await scene.createLed(['db-0', 'db-1'], { services: [LEADER, FOLLOWERS] })
    const { api, namespace } = scene
    await scene.untilBehind('db', 'db-0')
    await scene.untilBehind('db-ro', 'db-1')
    must(await api.delete(EndpointSlices, { namespace, name: 'db-leader-ipv4' }))
    must(await api.mergePatch(EndpointSlices, { namespace, name: 'db-ro-follower-ipv4-0' }, { endpoints: null }))
    await scene.untilBehind('db', 'db-0')
    await scene.untilBehind('db-ro', 'db-1')
    must(await api.delete(Services, { namespace, name: 'db-ro' }))
    must(await api.mergePatch(Services, { namespace, name: 'db' }, { spec: { sessionAffinity: 'ClientIP' } }))
    await eventually({ what: 'the Service as it was' }, async () =>
      (await service('db')).spec?.sessionAffinity === 'None' ? true : undefined,
    )
    await scene.untilBehind('db-ro', 'db-1')
    const found = await rested(async () => [...(await scene.slicesOf('db')), ...(await scene.slicesOf('db-ro'))])
    assert.deepEqual(podsIn(found).toSorted(), ['db-0', 'db-1'])
    await scene.untilServicesReady('True', 'Routed')
  })

  it('go with their group', async () => {
    await scene.createLed(['db-0', 'db-1'], { services: [LEADER, FOLLOWERS] })
    await scene.untilBehind('db-ro', 'db-1')
    await scene.deleteGroup()
    await scene.untilGone()
    await eventually({ what: 'no Services and no slices', millis: COLLECTION_MILLIS }, async () => {
      const services = must(await scene.api.list(Services, { namespace: scene.namespace })).items
      const slices = must(await scene.api.list(EndpointSlices, { namespace: scene.namespace })).items
      return services.length + slices.length === 0 ? true : undefined
    })
  })

  behavedWell(suite, { writes: 50 })
})
