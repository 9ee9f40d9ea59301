import { Leases } from '../../kube/objects.ts'
import { incident } from './incident.ts'
import { ourElector } from './our-elector.ts'
import { peer } from './peer.ts'
import { DB, type Host } from './scene.ts'

/**
 * kubernetes/kubernetes#23731, #67651: OnStoppedLeading was called late or never. An elector that finds somebody else in its
 * Lease goes on with its round until the renew deadline, and so does its work.
 */
incident({
  name: 'overlapping-terms',
  what: 'somebody edits the Lease, and its holder works on until its renew deadline',
  asItWas: 'a term ends with its renew deadline, whoever is seen in the Lease',
  breaks: /both work/,
  play: async (scene, isOurs) => {
    const a = scene.host('a')
    const b = scene.host('b')
    const elect = (host: Host) => (isOurs ? ourElector(scene, host) : peer(scene, host))
    elect(a)
    await scene.until(1)
    elect(b)
    await scene.until(5)
    scene.say('somebody', 'runs kubectl edit lease db, to let b lead')
    await scene.done(scene.admin.mergePatch(Leases, DB, { spec: { holderIdentity: 'b', leaseTransitions: 1 } }))
    await scene.until(30)
  },
  judge: (scene) =>
    scene.overlapMillis > 1_000 ? `both work, for ${Math.round(scene.overlapMillis / 1000)} s` : undefined,
})
