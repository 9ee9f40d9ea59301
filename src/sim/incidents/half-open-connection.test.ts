import { incident } from './incident.ts'
import { ourElector } from './our-elector.ts'
import { peer } from './peer.ts'
import type { Host } from './scene.ts'

/**
 * kubernetes/kubernetes#125530, #121793: a connection that is open on one side only, on which nothing is ever answered.
 * kubernetes/kubernetes#65090: an elector whose client has no timeout waits on it, and goes on to lead.
 */
incident({
  name: 'half-open-connection',
  what: 'a request is never answered, and its connection does not break',
  asItWas: 'requests have no deadline, and a term none of its own',
  breaks: /I5: b begins to lead while a believes to lead/,
  play: async (scene, isOurs) => {
    const a = scene.host('a')
    const b = scene.host('b')
    const elect = (host: Host) => (isOurs ? ourElector(scene, host) : peer(scene, host, { hasNoTimeout: true }))
    elect(a)
    await scene.until(1)
    elect(b)
    await scene.until(5)
    scene.say('network', 'nothing that a sends arrives any more, and nobody tells it')
    a.fate = () => 'hang'
    await scene.until(45)
  },
})
