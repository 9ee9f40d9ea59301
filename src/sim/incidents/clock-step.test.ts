import { incident } from './incident.ts'
import { ourElector } from './our-elector.ts'
import { peer } from './peer.ts'
import type { Host } from './scene.ts'

/**
 * kubernetes/kubernetes#125761: a clock that was set an hour ahead, and two schedulers for seconds. Electors that compare the
 * holder's renewTime with their own wall clock (fabric8's, many small ones) take the Lease of a living leader then.
 */
incident({
  name: 'clock-step',
  what: 'the clock of a standby is set an hour ahead',
  asItWas: 'silence is the difference of two machines’ wall clocks',
  breaks: 'I9',
  play: async (scene, isOurs) => {
    const a = scene.host('a')
    const b = scene.host('b')
    const elect = (host: Host) => (isOurs ? ourElector(scene, host) : peer(scene, host, { comparesWallClocks: true }))
    elect(a)
    await scene.until(1)
    elect(b)
    await scene.until(5)
    scene.say('b', 'shows an hour later than all others, from now on')
    b.clock.stepWall(3_600_000)
    await scene.until(20)
  },
})

/**
 * The other end of it: what a suspended machine looks like to its own monotonic clock. A leader whose wall clock jumped may
 * have slept for an hour, so its term is over; one that goes by timers alone does not notice.
 */
incident({
  name: 'clock-step-of-the-leader',
  what: 'a leader’s machine is suspended, and its monotonic clock stands still',
  asItWas: 'a term lasts as long as its timers say',
  breaks: /I5: b begins to lead while a believes to lead|I5: a begins to lead while b believes to lead/,
  play: async (scene, isOurs) => {
    const a = scene.host('a')
    const b = scene.host('b')
    const elect = (host: Host) => (isOurs ? ourElector(scene, host) : peer(scene, host))
    elect(a)
    await scene.until(1)
    elect(b)
    await scene.until(5)
    scene.say('a', 'is suspended')
    a.clock.stop()
    scene.tell({ kind: 'rate', at: scene.clock.now(), process: 'a', rate: 0 })
    await scene.until(25)
    scene.say('a', 'wakes up: no time has passed but on its wall clock, and the network is not there yet')
    a.fate = () => 'hang'
    a.clock.sleptFor(20_000)
    scene.tell({ kind: 'rate', at: scene.clock.now(), process: 'a', rate: 1 })
    a.clock.resume()
    await scene.until(30)
  },
})
