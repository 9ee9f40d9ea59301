import type { TransportRequest } from '../../kube/transport.ts'
import { incident } from './incident.ts'
import { createGroup, createPod, deletePod, operator } from './operators.ts'

/**
 * Identity reuse, of pods: a StatefulSet's pod comes back under its name, and is another one, on another node, with another
 * disk perhaps. What was on its way to its predecessor fits its name.
 */
incident({
  name: 'recreated-pod',
  what: 'the label of a pod arrives at its successor of the same name',
  asItWas: 'a pod is its name',
  breaks: 'I2',
  play: async (scene, isOurs) => {
    const one = scene.host('operator')
    if (!isOurs) one.tamper = byName
    await createGroup(scene)
    await createPod(scene, 'db-0')
    await scene.until(1)
    one.fate = (request) => (isLabel(request) ? 4_000 : 'pass')
    operator(scene, one)
    await scene.until(2)
    scene.say('network', 'the label for db-0 is on its way')
    one.fate = () => 'hang'
    await deletePod(scene, 'db-0')
    await createPod(scene, 'db-0')
    await scene.until(6)
    one.fate = () => 'pass'
    scene.say('network', 'is well again')
    await scene.until(30)
  },
})

function isLabel({ method, body = '' }: TransportRequest): boolean {
  return method === 'PATCH' && body.includes('"leader"')
}

function byName(request: TransportRequest): TransportRequest {
  if (request.method !== 'PATCH' || !request.path.includes('/pods/')) return request
  const { metadata } = JSON.parse(request.body!) as { metadata: Record<string, unknown> }
  const { uid: _uid, resourceVersion: _version, ...rest } = metadata
  return { ...request, body: JSON.stringify({ metadata: rest }) }
}
