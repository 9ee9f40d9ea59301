import { incident } from './incident.ts'
import { ourElector } from './our-elector.ts'
import { peer } from './peer.ts'
import type { Host } from './scene.ts'

/**
 * client-go since 1.34 (kubernetes/kubernetes#131867) reads the Lease anew before it releases, and decides by what it
 * remembers: a leader that was cut off and comes back in the moment in which it gives up empties its successor's Lease.
 * See also cilium/cilium#42920 and knative/pkg#1229, where work went on after such a release.
 */
incident({
  name: 'release-clobbers-successor',
  what: 'a leader that comes back late releases the Lease of its successor',
  asItWas: 'whoever stops releases whatever it finds',
  breaks: 'I3',
  play: async (scene, isOurs) => {
    const a = scene.host('a')
    const b = scene.host('b')
    const elect = (host: Host) => (isOurs ? ourElector(scene, host) : peer(scene, host, { releasesWhatItFinds: true }))
    const first = elect(a)
    await scene.until(1)
    elect(b)
    await scene.until(5)
    scene.say('network', 'a is cut off')
    a.fate = () => 'hang'
    await scene.until(8)
    scene.say('a', 'is stopped, as by a debugger')
    a.clock.stop()
    await scene.until(24)
    a.fate = () => 'pass'
    scene.say('a', 'goes on, and is connected again')
    a.clock.resume()
    await scene.until(25)
    scene.say('a', 'is told to end')
    first.stop()
    await scene.until(30)
  },
})
