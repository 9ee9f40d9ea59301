import assert from 'node:assert/strict'
import type { KubeObject, Pod, Resource } from '../src/kube/objects.ts'
import { Pods } from '../src/kube/objects.ts'
import { crashLoopingContainer, endedContainer, restartedContainer } from './container-status.ts'
import { eventually } from './controlplane/eventually.ts'
import { must } from './controlplane/must.ts'
import { adminApi, createNamespace } from './controlplane/shared.ts'
import { playKubelet } from './kubelet.ts'
import { createPod, podManifest, setReady, showContainers } from './pods.ts'

interface EndpointSlice extends KubeObject {
  readonly endpoints?: readonly { readonly addresses: readonly string[]; readonly conditions: { ready: boolean } }[]
}

const EndpointSlices: Resource<EndpointSlice> = {
  group: 'discovery.k8s.io',
  version: 'v1',
  plural: 'endpointslices',
  kind: 'EndpointSlice',
}
const Services: Resource<KubeObject> = { group: '', version: 'v1', plural: 'services', kind: 'Service' }

const labels = { app: 'db' }

describe('pods without a kubelet', () => {
  it('are endpoints of a Service that selects them, for as long as they are ready', async () => {
    const api = await adminApi()
    const namespace = await createNamespace('pods')
    must(
      await api.create(Services, namespace, {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 'db' },
        spec: { selector: labels, ports: [{ port: 80 }] },
      }),
    )
    const pod = await createPod(api, { namespace, name: 'db-0', labels, ip: '10.200.0.1' })
    await endpoints(namespace, [['10.200.0.1', true]])
    await setReady(api, pod, false)
    await endpoints(namespace, [['10.200.0.1', false]])
  })

  it('show containers that end, are started again and crash again, beside others that run', async () => {
    const api = await adminApi()
    const namespace = await createNamespace('pods')
    const containers = ['app', 'other']
    const pod = await createPod(api, { namespace, name: 'db-0', labels, containers, sidecars: ['proxy'] })
    const end = { wallMillis: Date.parse('2026-11-21T05:17:25.987Z') }
    const finishedAt = '2026-11-21T05:17:25Z'
    assert.deepEqual(statesOf(pod), { app: ['running'], other: ['running'], proxy: ['running'] })

    const ended = await showContainers(api, pod, endedContainer('app', end))
    assert.equal(isReady(ended), false)
    assert.deepEqual(statesOf(ended), { app: ['terminated', finishedAt], other: ['running'], proxy: ['running'] })

    const again = await showContainers(api, pod, restartedContainer('app', end), endedContainer('proxy', end))
    assert.deepEqual(statesOf(again), {
      app: ['running', finishedAt],
      other: ['running'],
      proxy: ['terminated', finishedAt],
    })

    const looping = await showContainers(
      api,
      pod,
      crashLoopingContainer('app', end, 2),
      restartedContainer('proxy', end),
    )
    assert.deepEqual(statesOf(looping), {
      app: ['waiting', finishedAt],
      other: ['running'],
      proxy: ['running', finishedAt],
    })
  })

  it('share the address of their node when they ask for its network', async () => {
    const api = await adminApi()
    const namespace = await createNamespace('pods')
    const node = { ip: '10.9.8.7', hostNetwork: true, labels, namespace }
    for (const name of ['db-0', 'db-1']) {
      const { status } = await createPod(api, { ...node, name })
      assert.equal(status?.podIP, '10.9.8.7')
    }
  })

  it('run and end as on a node where somebody plays its kubelet', async () => {
    const api = await adminApi()
    const namespace = await createNamespace('pods')
    using stop = new Ending()
    const playing = playKubelet(api, { namespaces: [namespace], signal: stop.signal })
    must(await api.create(Pods, namespace, podManifest({ namespace, name: 'db-0', labels, node: 'node-1' })))
    const key = { namespace, name: 'db-0' }
    const pod = await eventually({ what: 'a ready pod' }, async () => {
      const found = must(await api.get(Pods, key))
      return isReady(found) ? found : undefined
    })
    assert.equal(pod.status?.phase, 'Running')
    must(await api.delete(Pods, key))
    await eventually({ what: 'the end of the pod' }, async () =>
      (await api.get(Pods, key)).kind === 'notFound' ? true : undefined,
    )
    stop.now()
    await playing
  })
})

async function endpoints(namespace: string, expected: [address: string, ready: boolean][]): Promise<void> {
  const api = await adminApi()
  await eventually({ what: `endpoints ${JSON.stringify(expected)}` }, async () => {
    const { items } = must(
      await api.list(EndpointSlices, { namespace, labelSelector: 'kubernetes.io/service-name=db' }),
    )
    const actual = items.flatMap((slice) =>
      (slice.endpoints ?? []).map(({ addresses, conditions }) => [addresses[0], conditions.ready]),
    )
    return JSON.stringify(actual) === JSON.stringify(expected) ? true : undefined
  })
}

/** By container: its state, and when it ended last. */
function statesOf({ status }: Pod): Readonly<Record<string, readonly string[]>> {
  interface Shown {
    readonly name: string
    readonly state: Readonly<Record<string, { readonly finishedAt?: string }>>
    readonly lastState?: Readonly<Record<string, { readonly finishedAt?: string }>>
  }
  const { containerStatuses = [], initContainerStatuses = [] } = (status ?? {}) as Record<string, readonly Shown[]>
  return Object.fromEntries(
    [...containerStatuses, ...initContainerStatuses].map(({ name, state, lastState }) => {
      const ends = [state['terminated']?.finishedAt, lastState?.['terminated']?.finishedAt]
      return [name, [...Object.keys(state), ...ends.filter((end) => end !== undefined)]]
    }),
  )
}

function isReady(pod: Pod): boolean {
  return pod.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false
}

class Ending implements Disposable {
  readonly #controller = new AbortController()
  readonly signal = this.#controller.signal
  now(): void {
    this.#controller.abort()
  }
  [Symbol.dispose](): void {
    this.now()
  }
}
