import { incident } from './incident.ts'
import { ourElector } from './our-elector.ts'
import { peer } from './peer.ts'
import type { Host } from './scene.ts'

/**
 * cilium/cilium#42920: an operator lost its Lease, shut down gracefully, and in the meantime went on to allocate: two gave
 * the same PodCIDR to different nodes.
 */
incident({
  name: 'acts-past-its-lease',
  what: 'a leader that lost its Lease finishes what it is at',
  asItWas: 'a graceful shutdown of 8 s begins when the Lease is lost',
  breaks: /I5: a acts while b believes to lead/,
  play: async (scene, isOurs) => {
    const a = scene.host('a')
    const b = scene.host('b')
    const elect = (host: Host) => (isOurs ? ourElector(scene, host) : peer(scene, host, { lingersMillis: 8_000 }))
    elect(a)
    await scene.until(1)
    elect(b)
    await scene.until(5)
    scene.say('network', 'a is cut off')
    a.fate = () => 'hang'
    await scene.until(28)
  },
})
