import type { TransportRequest } from '../../kube/transport.ts'
import { incident } from './incident.ts'
import { createGroup, createPod, operator, setReady } from './operators.ts'
import type { Host } from './scene.ts'

/**
 * The pause of Kleppmann's "How to do distributed locking" and of Sieve's stale-state bugs (OSDI '22), for labels: an operator
 * that has decided to label a pod is stopped, another one moves on, and the label arrives.
 */
incident({
  name: 'late-label',
  what: 'an operator is resumed, and labels whom it had named before',
  asItWas: 'a pod is patched whatever its version is by now',
  breaks: 'I1',
  play: async (scene, isOurs) => {
    const [one, two] = ['operator-1', 'operator-2'].map((name) => scene.host(name)) as [Host, Host]
    if (!isOurs) for (const host of [one, two]) host.tamper = withoutVersion
    await createGroup(scene)
    for (const name of ['db-0', 'db-1']) await createPod(scene, name)
    await scene.until(1)
    one.fate = (request) => (isLabel(request) ? 5_000 : 'pass')
    operator(scene, one)
    await scene.until(2)
    scene.say('operator-1', 'is stopped: its label for db-0 is on its way')
    one.clock.stop()
    one.fate = () => 'pass'
    await setReady(scene, 'db-0', false)
    operator(scene, two)
    await scene.until(10)
    scene.say('operator-1', 'goes on')
    one.clock.resume()
    await setReady(scene, 'db-0', true)
    await scene.until(20)
  },
})

function isLabel({ method, body = '' }: TransportRequest): boolean {
  return method === 'PATCH' && body.includes('"leader"')
}

/** As a merge patch of labels alone, which is what most controllers send. */
function withoutVersion(request: TransportRequest): TransportRequest {
  if (request.method !== 'PATCH' || !request.path.includes('/pods/')) return request
  const { metadata } = JSON.parse(request.body!) as { metadata: Record<string, unknown> }
  const { uid: _uid, resourceVersion: _version, ...rest } = metadata
  return { ...request, body: JSON.stringify({ metadata: rest }) }
}
