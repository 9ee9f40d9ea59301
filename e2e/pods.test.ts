import assert from 'node:assert/strict'
import type { KubeObject, Pod, Resource } from '../src/kube/objects.ts'
import { Pods } from '../src/kube/objects.ts'
import { eventually } from './controlplane/eventually.ts'
import { must } from './controlplane/must.ts'
import { adminApi, createNamespace } from './controlplane/shared.ts'
import { playKubelet } from './kubelet.ts'
import { createPod, podManifest, setReady } from './pods.ts'

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
