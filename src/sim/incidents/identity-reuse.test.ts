import { identityOf } from '../../lock/identity.ts'
import { incident } from './incident.ts'
import { ourElector } from './our-elector.ts'
import { peer } from './peer.ts'
import type { Host } from './scene.ts'

/**
 * kubernetes/kubernetes#22775, #61151 and many since: the host name as identity, and two processes that have the same one: cloned
 * machines, host network, a container that starts before its predecessor has ended. Whoever finds its own name leads.
 */
incident({
  name: 'identity-reuse',
  what: 'two processes have the same host name',
  asItWas: 'the host name is the identity',
  breaks: /I5: b begins to lead while a believes to lead/,
  play: async (scene, isOurs) => {
    const elect = (host: Host) => {
      const identity = identityOf({})
      scene.name(identity, `machine_${host.name}’s own UUID`)
      return isOurs ? ourElector(scene, host, { identity }) : peer(scene, host, { identity: 'machine' })
    }
    elect(scene.host('a'))
    await scene.until(1)
    elect(scene.host('b'))
    await scene.until(10)
  },
})
