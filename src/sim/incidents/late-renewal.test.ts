import { incident } from './incident.ts'
import { ourElector } from './our-elector.ts'
import { peer } from './peer.ts'
import type { Host } from './scene.ts'

/**
 * kubernetes/kubernetes#44887: a renewal was on its way for a minute, with a Lease of 15 s. When it arrived, another led; it was
 * carried out, the transitions went back, and a term that was over came back.
 */
incident({
  name: 'late-renewal',
  what: 'a renewal arrives when another leads',
  asItWas: 'a renewal replaces whatever is there',
  breaks: 'I3',
  play: async (scene, isOurs) => {
    const a = scene.host('a')
    const b = scene.host('b')
    const elect = (host: Host) => (isOurs ? ourElector(scene, host) : peer(scene, host, { writesBlindly: true }))
    elect(a)
    await scene.until(1)
    elect(b)
    await scene.until(5)
    scene.say('network', 'what a writes takes 25 s from now on')
    a.fate = ({ method }) => (method === 'GET' ? 'pass' : 25_000)
    await scene.until(7)
    scene.say('network', 'nothing else of a arrives')
    a.fate = () => 'hang'
    await scene.until(40)
  },
})
