import { incident } from './incident.ts'
import { ourElector } from './our-elector.ts'
import { peer } from './peer.ts'
import type { Host } from './scene.ts'

/**
 * kuberhealthy/kuberhealthy#1533: client-go's `Run` returns for good when a term is lost or a round fails, and nobody called
 * it again: after one slow answer nobody led until somebody restarted the pods.
 */
incident({
  name: 'one-shot-elector',
  what: 'the API server is away for a moment, and nobody contends after it',
  asItWas: 'an elector runs once',
  breaks: /nobody leads/,
  play: async (scene, isOurs) => {
    const hosts = [scene.host('a'), scene.host('b')]
    const elect = (host: Host) => (isOurs ? ourElector(scene, host) : peer(scene, host, { runsOnce: true }))
    for (const host of hosts) {
      elect(host)
      await scene.until(scene.clock.now() / 1000 + 1)
    }
    await scene.until(5)
    scene.say('server', 'answers nothing for 20 s')
    for (const host of hosts) host.fate = () => 'hang'
    await scene.until(25)
    scene.say('server', 'is back')
    for (const host of hosts) host.fate = () => 'pass'
    await scene.until(60)
  },
  judge: (scene) => (scene.leaders.length === 1 ? undefined : 'nobody leads, 35 s after all is well again'),
})
