import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseAllDocuments } from 'yaml'
import { systemClock } from '../src/clock.ts'
import { microTime } from '../src/election/micro-time.ts'
import { FOLLOWER_ROLE, groupKeys, LEADER_ROLE } from '../src/group/keys.ts'
import { EndpointSlices, Leases, type Pod } from '../src/kube/objects.ts'
import { eventually } from './controlplane/eventually.ts'
import { must } from './controlplane/must.ts'
import { sharedCluster } from './controlplane/shared.ts'
import { type Running, startRunning } from './example-process.ts'
import { succeed } from './kubectl.ts'
import { playKubelet } from './kubelet.ts'
import { type Scene, termOf } from './operator-scene.ts'
import { operatorSuite } from './operator-suite.ts'
import { playScheduler } from './scheduler.ts'

const EXAMPLES = join(import.meta.dirname, '..', 'examples')
const NODE = 'node-1'
/** A Deployment's pods are made by controllers, one after the other. */
const PODS_MILLIS = 30_000

interface Behind {
  readonly targetRef: { readonly name: string }
}

describe('the examples, on a real control plane', () => {
  const suite = operatorSuite()
  let scene: Scene
  let stop: AbortController
  let playing: Promise<unknown>

  beforeEach(() => {
    scene = suite.scene
    stop = new AbortController()
    const { api, namespace } = scene
    playing = Promise.all([
      playScheduler(api, namespace, NODE, stop.signal),
      playKubelet(api, { namespaces: [namespace], nodes: [NODE], signal: stop.signal }),
    ])
    // It is awaited after the test; meanwhile a failure must not end the process.
    playing.catch(() => undefined)
  })
  afterEach(async () => {
    stop.abort()
    await playing
  })

  const file = (example: string): string => join(EXAMPLES, example, `${example}.yaml`)

  /** Applies it, and waits until all its pods are there and one of them leads. */
  async function applied(example: string, group: string, pods: number): Promise<Pod> {
    await succeed(['apply', '-n', scene.namespace, '-f', file(example)])
    const what = `${pods} candidates of ${group}`
    await eventually({ what, millis: PODS_MILLIS }, async () =>
      (await scene.group(group)).status?.eligible === pods ? true : undefined,
    )
    return scene.untilLed(undefined, group)
  }

  /** Until exactly these pods are behind the Service. */
  function untilBehind(service: string, pods: readonly string[]): Promise<true> {
    const labelSelector = `kubernetes.io/service-name=${service}`
    return eventually({ what: `${pods.join(', ')} behind ${service}`, millis: 10_000 }, async () => {
      const slices = must(await scene.api.list(EndpointSlices, { namespace: scene.namespace, labelSelector })).items
      const behind = slices.flatMap(({ endpoints }) => (endpoints ?? []) as readonly Behind[])
      const names = behind.map(({ targetRef }) => targetRef.name)
      return names.toSorted().join() === pods.toSorted().join() ? true : undefined
    })
  }

  /** The leader is deleted as a user would; another pod of the example follows, also behind the Service. */
  async function handsOver(leader: Pod, group: string, service: string): Promise<void> {
    await succeed(['delete', 'pod', '-n', scene.namespace, leader.metadata.name, '--wait=false'])
    const next = await scene.untilLabelled(group, PODS_MILLIS, leader.metadata.uid)
    await untilBehind(service, [next.metadata.name])
  }

  it('assign: the Service leads to the leader, and to the next one', async () => {
    const leader = await applied('assign', 'web', 3)
    await untilBehind('web', [leader.metadata.name])
    await handsOver(leader, 'web', 'web')
  })

  it('own-service: the Service on the label leads to the leader, and to the next one', async () => {
    const leader = await applied('own-service', 'api', 2)
    await untilBehind('api-leader', [leader.metadata.name])
    await handsOver(leader, 'api', 'api-leader')
  })

  it('statefulset: one Service leads to the leader, the other to the followers, which are labelled', async () => {
    const leader = await applied('statefulset', 'db', 3)
    const others = ['db-0', 'db-1', 'db-2'].filter((name) => name !== leader.metadata.name)
    await untilBehind('db', [leader.metadata.name])
    await untilBehind('db-ro', others)
    const { role } = groupKeys('db')
    const roles = (await scene.pods()).map(({ metadata }) => [metadata.name, metadata.labels?.[role]] as const)
    const wanted = [[leader.metadata.name, LEADER_ROLE], ...others.map((name) => [name, FOLLOWER_ROLE])]
    assert.deepEqual(new Map(roles), new Map(wanted as [string, string][]))
  })

  it('term: the annotation that the volume shows is on the leader, with the number of status', async () => {
    const leader = await applied('term', 'jobs', 2)
    assert.equal(termOf(leader, 'jobs'), String((await scene.group('jobs')).status?.term))
    const fields = JSON.stringify(leader.spec)
    assert.ok(fields.includes(`metadata.annotations['${groupKeys('jobs').term}']`), fields)
  })

  it('observe: label and Service follow the Lease that the pods elect on', async () => {
    const { api, namespace } = scene
    await succeed(['apply', '-n', namespace, '-f', file('observe')])
    const pods = await eventually({ what: '2 candidates', millis: PODS_MILLIS }, async () => {
      const found = await scene.pods()
      return found.length === 2 && (await scene.group('scheduler')).status?.eligible === 2 ? found : undefined
    })
    const metadata = { name: 'scheduler-leader' }
    must(await api.create(Leases, namespace, { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata }))
    for (const [transitions, pod] of pods.entries()) {
      const { name, uid } = pod.metadata
      await eventually({ what: `${name} leads`, millis: 10_000 }, async () => {
        await renew(`${name}_${uid}`, transitions)
        const leaders = await scene.leaders('scheduler')
        return leaders.map((leader) => leader.metadata.name).join() === name ? true : undefined
      })
      await untilBehind('scheduler', [name])
    }
    assert.deepEqual((await scene.lease('scheduler-leader'))?.metadata.ownerReferences, undefined)
  })

  it('elect: the program runs in one pod only, with the rights of the manifest, and Service and label follow', async () => {
    const [first, second] = await candidatesOf('elect', 'reports')
    await using a = await run(first)
    await led(first, 'reports')
    await using b = await run(second)
    await shows(() => a.stdout, /^leading in term 0 as reports-\S+\n$/)
    await a.stop()
    await led(second, 'reports')
    await shows(() => b.stdout, /^leading in term 1 as reports-\S+\n$/)
  })

  it('sidecar: the file is there in one pod only, with the rights of the manifest, and Service and label follow', async () => {
    const [first, second] = await candidatesOf('sidecar', 'cache')
    await using a = await run(first)
    await led(first, 'cache')
    await using b = await run(second)
    await shows(() => a.file(), /^\d{4}-\d\d-\d\dT\S+Z$/)
    await a.stop()
    await led(second, 'cache')
    await shows(() => b.file(), /^\d{4}-\d\d-\d\dT\S+Z$/)
    assert.equal(await a.file(), '')
  })

  /** The Lease names the leader first. */
  function shows(what: () => string | Promise<string>, pattern: RegExp): Promise<true> {
    return eventually(
      { what: String(pattern), millis: PODS_MILLIS },
      async () => pattern.test(await what()) || undefined,
    )
  }

  async function candidatesOf(example: string, group: string): Promise<readonly [Pod, Pod]> {
    await succeed(['apply', '-n', scene.namespace, '-f', file(example)])
    return eventually({ what: '2 candidates', millis: PODS_MILLIS }, async () => {
      const found = await scene.pods()
      const isReady = found.length === 2 && (await scene.group(group)).status?.eligible === 2
      return isReady ? (found as [Pod, Pod]) : undefined
    })
  }

  async function led({ metadata: { name } }: Pod, group: string): Promise<void> {
    await eventually({ what: `${name} leads`, millis: PODS_MILLIS }, async () => {
      const leaders = await scene.leaders(group)
      return leaders.map((leader) => leader.metadata.name).join() === name ? true : undefined
    })
    await untilBehind(group, [name])
  }

  /** What the manifest says of this pod, as a process of this machine. */
  async function run(pod: Pod): Promise<Running> {
    const { plane } = await sharedCluster()
    const { namespace, app } = { namespace: scene.namespace, app: pod.metadata.labels!['app']! }
    const kubeconfig = await plane.kubeconfigFor(app, await plane.serviceAccountToken(namespace, app))
    return startRunning(pod, namespace, kubeconfig)
  }

  /** As client-go's elector writes it. */
  async function renew(holderIdentity: string, leaseTransitions: number): Promise<void> {
    const renewTime = microTime(systemClock.wallNow())
    const spec = { holderIdentity, leaseDurationSeconds: 15, acquireTime: renewTime, renewTime, leaseTransitions }
    await scene.patchLease({ spec }, 'scheduler-leader')
  }

  describe('each of them', () => {
    it('is applied without a difference left, and leaves nothing behind when it is deleted', async () => {
      for (const example of ['assign', 'own-service', 'statefulset', 'term', 'observe', 'elect', 'sidecar']) {
        await succeed(['apply', '-n', scene.namespace, '-f', file(example)])
        assert.equal(await succeed(['diff', '-n', scene.namespace, '-f', file(example)]), '')
        await succeed(['delete', '-n', scene.namespace, '-f', file(example)])
      }
      for (const group of ['web', 'api', 'db', 'jobs', 'scheduler', 'reports', 'cache']) await scene.untilGone(group)
    })

    it('is one manifest with one group, and is in the list', async () => {
      const entries = await readdir(EXAMPLES, { withFileTypes: true })
      const examples = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name)
      assert.ok(examples.length >= 7, String(examples))
      const list = await readFile(join(EXAMPLES, 'README.md'), 'utf8')
      for (const example of examples) {
        const manifests = parseAllDocuments(await readFile(file(example), 'utf8')).map(
          (each) => each.toJS() as { kind: string },
        )
        assert.equal(manifests.filter(({ kind }) => kind === 'LeaderGroup').length, 1, example)
        assert.ok(list.includes(`(${example}/${example}.yaml)`), `${example} is not in examples/README.md`)
      }
    })
  })
})
