import type { TransportRequest } from '../../kube/transport.ts'
import { incident } from './incident.ts'
import { createGroup, createPod, deletePod, operator } from './operators.ts'

/**
 * etcd-io/etcd#20221, #17529 again, for an operator: the deletion of the leader's pod is never told. Controllers that list once
 * and believe their watch from then on wait for ever, and nothing is wrong that a person could see.
 */
incident({
  name: 'lost-deletion',
  what: 'the deletion of the leader’s pod is lost on its way',
  asItWas: 'a watch is believed for as long as it lasts, and lasts for ever',
  breaks: /nobody bears the label/,
  play: async (scene, isOurs) => {
    const host = scene.host('operator')
    if (!isOurs) host.tamper = withoutEnd
    let isLossy = false
    host.stream = (lines) => lossy(lines, () => isLossy)
    await createGroup(scene)
    for (const name of ['db-0', 'db-1']) await createPod(scene, name)
    operator(scene, host)
    await scene.until(2)
    scene.say('etcd', 'loses an event')
    isLossy = true
    await deletePod(scene, 'db-0')
    await scene.until(3)
    isLossy = false
    await scene.until(2 * 3_600)
  },
  judge: (scene) =>
    scene.lines.some((line) => line.includes('labels db-1')) ? undefined : 'nobody bears the label, for two hours',
})

/** No server ends it then. */
function withoutEnd(request: TransportRequest): TransportRequest {
  return { ...request, path: request.path.replace(/timeoutSeconds=\d+/, 'timeoutSeconds=9999999') }
}

async function* lossy(lines: AsyncIterable<string>, isLossy: () => boolean): AsyncGenerator<string> {
  for await (const line of lines) if (!isLossy() || line.includes('"BOOKMARK"')) yield line
}
