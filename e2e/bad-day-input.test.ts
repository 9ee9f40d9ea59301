import assert from 'node:assert/strict'
import { MODE_ANNOTATION, LEADER_ROLE, groupKeys } from '../src/group/keys.ts'
import { type KubeObject, Leases, type OwnerReference, type Resource } from '../src/kube/objects.ts'
import { eventually } from './controlplane/eventually.ts'
import { must } from './controlplane/must.ts'
import { mostLabelledByOperators } from './history.ts'
import { playKubelet } from './kubelet.ts'
import { COLLECTION_MILLIS, type Scene, isLabelled, keysOn, readyOf, stampOf } from './operator-scene.ts'
import { behavedWell, operatorSuite } from './operator-suite.ts'
import { podManifest } from './pods.ts'

const { role } = groupKeys('db')
const SHARED = { selector: { matchLabels: { app: 'db' } } }
const ReplicaSets: Resource<KubeObject> = { group: 'apps', version: 'v1', plural: 'replicasets', kind: 'ReplicaSet' }
const ConfigMaps: Resource<KubeObject> = { group: '', version: 'v1', plural: 'configmaps', kind: 'ConfigMap' }

describe('a bad day: bad input', () => {
  const suite = operatorSuite()
  let scene: Scene
  beforeEach(() => {
    scene = suite.scene
  })

  it('a selector that matches nothing: the condition says so, and a pod that comes leads', async () => {
    await scene.createPod('web-0', { app: 'web' })
    await scene.createGroup()
    const { message } = await scene.untilCondition('False', 'NoPods')
    assert.match(message, /matches no pod in this namespace: compare it with the labels of your pods/)
    assert.deepEqual(keysOn(await scene.pod('web-0')), [])
    await scene.createPod('db-0')
    await scene.untilLed('db-0')
  })

  it('a selector that matches every pod: one of all of them leads, beside another group', async () => {
    const everything = { selector: { matchExpressions: [{ key: 'no-such-label', operator: 'DoesNotExist' }] } }
    await scene.createGroup('db')
    await scene.createGroup('all', everything)
    await scene.createPod('db-0')
    await scene.createPod('web-0', { app: 'web' })
    await scene.createPod('bare-0', {})
    await scene.untilLed('db-0', 'db')
    const leader = await scene.untilLed(undefined, 'all')
    await scene.untilStatus('three candidates', ({ candidates, eligible }) => candidates === 3 && eligible === 3, 'all')
    await scene.deletePod(leader.metadata.name, 0)
    await scene.untilLed(undefined, 'all')
    await scene.check(2, 'all')
    await scene.check(1, 'db')
  })

  it('a Lease that somebody else owns: nothing is written to it, and the condition names the owner', async () => {
    const { api, namespace } = scene
    const owner = must(await api.create(ConfigMaps, namespace, { metadata: { name: 'app' } }))
    const ownerReferences: OwnerReference[] = [
      { apiVersion: 'v1', kind: 'ConfigMap', name: 'app', uid: owner.metadata.uid },
    ]
    const spec = { holderIdentity: 'app-7f9', leaseDurationSeconds: 15 }
    const lease = must(await api.create(Leases, namespace, { metadata: { name: 'db', ownerReferences }, spec }))
    await scene.createGroup()
    await scene.createPod('db-0')
    const { message } = await scene.untilCondition('False', 'LeaseHeldByAnother')
    assert.match(message, /^Lease db belongs to ConfigMap app: nothing is written to it\. Give this group another/)
    assert.deepEqual([await scene.leaders(), await scene.lease()], [[], lease])
    must(await api.delete(ConfigMaps, { namespace, name: 'app' }))
    await scene.untilLed('db-0', 'db', COLLECTION_MILLIS)
  })

  it('a Lease that says it is the operator’s, and is not this group’s', async () => {
    const annotations = { [MODE_ANNOTATION]: 'Assign' }
    const metadata = { name: 'db', annotations }
    const spec = { holderIdentity: '', leaseDurationSeconds: 15 }
    const lease = must(await scene.api.create(Leases, scene.namespace, { metadata, spec }))
    await scene.createGroup()
    await scene.createPod('db-0')
    await scene.untilCondition('False', 'LeaseHeldByAnother')
    assert.deepEqual(await scene.lease(), lease)
  })

  it('two groups with one Lease: the second is refused, and leads when the first is gone', async () => {
    await scene.createGroup('a', SHARED)
    await scene.createPod('db-0')
    await scene.untilLed('db-0', 'a')
    await scene.createGroup('b', { ...SHARED, leaseName: 'a' })
    const { message } = await scene.untilCondition('False', 'LeaseHeldByAnother', 'b')
    assert.match(message, /belongs to LeaderGroup a/)
    await scene.deleteGroup('a')
    const leader = await scene.untilLed('db-0', 'b', COLLECTION_MILLIS)
    assert.deepEqual(keysOn(leader, 'a'), [])
    await scene.check(1, 'b')
  })

  it('a group created again before the Lease of the former one is collected says what it waits for', async () => {
    await scene.createLed()
    await scene.patchLease({ metadata: { finalizers: ['example.com/hold'] } })
    await scene.deleteGroup()
    await scene.createGroup()
    const { message } = await scene.untilCondition('False', 'LeaseHeldByAnother')
    assert.match(
      message,
      /^Lease db belongs to a former group of this name: waiting until the garbage collector takes it/,
    )
    assert.deepEqual(await scene.leaders(), [])
    await scene.patchLease({ metadata: { finalizers: null } })
    await scene.untilLed(undefined, 'db', COLLECTION_MILLIS)
    await scene.check(1)
  })

  it('a pod template with the role label: it comes off each pod, and the condition says whose template it is', async () => {
    const { api, namespace } = scene
    await scene.createGroup()
    const stop = new AbortController()
    const playing = playKubelet(api, { namespaces: [namespace], signal: stop.signal })
    await createReplicaSet('bad', { app: 'db', [role]: LEADER_ROLE })
    const leader = await scene.untilLed()
    for (const { metadata } of await scene.pods()) await scene.untilPod(metadata.name, 'enrolled', isEnrolled)
    await untilMessage(/leads in term \d+\. Pods are born with the label db\.\S+, .* the template of ReplicaSet bad$/)
    assert.equal(readyOf(await scene.group())?.status, 'True')
    assert.equal(mostLabelledByOperators(await scene.observer.history(), 'db'), 1)

    await createReplicaSet('good', { app: 'db' })
    must(await api.delete(ReplicaSets, { namespace, name: 'bad' }))
    await eventually({ what: 'another leader', millis: COLLECTION_MILLIS }, async () => {
      const [next, ...others] = await scene.leaders()
      return next?.metadata.name.startsWith('good-') && others.length === 0 ? true : undefined
    })
    await untilMessage(/leads in term \d+$/)
    assert.ok((await scene.pods()).every(({ metadata }) => metadata.uid !== leader.metadata.uid))
    stop.abort()
    await playing
  })

  behavedWell(suite, { writes: 40, deserved: /its finalizers keep it: remove them/ })

  const isEnrolled = (pod: Parameters<typeof stampOf>[0]): boolean =>
    stampOf(pod) !== undefined && (pod.metadata.annotations?.[groupKeys('db').term] !== undefined) === isLabelled(pod)

  /** Of two pods, bound to a node that somebody plays. */
  async function createReplicaSet(name: string, labels: Readonly<Record<string, string>>): Promise<void> {
    const { spec } = podManifest({ namespace: scene.namespace, name, labels, node: 'node-1' }) as { spec: object }
    const matchLabels = { app: 'db', set: name }
    const template = { metadata: { labels: { ...labels, set: name } }, spec }
    const set = { metadata: { name }, spec: { replicas: 2, selector: { matchLabels }, template } }
    must(await scene.api.create(ReplicaSets, scene.namespace, set))
    await eventually({ what: `the pods of ReplicaSet ${name}`, millis: COLLECTION_MILLIS }, async () => {
      const pods = (await scene.pods()).filter(({ metadata }) => metadata.labels?.['set'] === name)
      return pods.length === 2 ? true : undefined
    })
  }

  async function untilMessage(pattern: RegExp): Promise<void> {
    await scene.untilStatus(`a message like ${pattern}`, (status) => pattern.test(readyOf({ status })?.message ?? ''))
  }
})
