import { Leases } from '../../kube/objects.ts'
import { incident } from './incident.ts'
import { ourElector } from './our-elector.ts'
import { peer } from './peer.ts'
import { DB, type Host, type Scene } from './scene.ts'

/** What is led: it takes work only under the highest token that it has seen. */
class Resource {
  readonly #scene: Scene
  #highest = -1n
  refused = 0

  constructor(scene: Scene) {
    this.#scene = scene
  }

  write(who: string, token: bigint): void {
    if (token >= this.#highest) {
      if (token > this.#highest) this.#scene.say('resource', `works for ${who} from now on`)
      this.#highest = token
      return
    }
    if (this.refused++ === 0) this.#scene.say('resource', `refuses ${who}: its token is lower than one before`)
  }
}

/**
 * leaseTransitions as a fencing number, as Kubernetes' documentation suggests: it is lost with the Lease. After a
 * `kubectl delete lease` the next leader counts from 0, and what it leads takes it for a ghost.
 */
incident({
  name: 'deleted-lease',
  what: 'the Lease is deleted under its leader',
  asItWas: 'the fencing token is leaseTransitions',
  breaks: /the leader is refused/,
  play: async (scene, isOurs) => {
    const resource = new Resource(scene)
    resources.set(scene, resource)
    const elect = (host: Host) =>
      isOurs
        ? ourElector(scene, host, { work: ({ token }) => resource.write(host.name, token) })
        : peer(scene, host, { work: (number) => resource.write(host.name, BigInt(number)) })
    const [a, b, c] = ['a', 'b', 'c'].map((name) => scene.host(name)) as [Host, Host, Host]
    elect(a)
    await scene.until(1)
    elect(b)
    await scene.until(4)
    scene.kill(a)
    await scene.until(30)
    elect(c)
    await scene.until(31)
    scene.kill(b)
    scene.say('somebody', 'runs kubectl delete lease db, to speed things up')
    await scene.done(scene.admin.delete(Leases, DB))
    await scene.until(40)
  },
  judge: (scene) => {
    const refused = resources.get(scene)!.refused
    return refused > 0 ? `the leader is refused by what it leads, ${refused} times` : undefined
  },
})

const resources = new WeakMap<Scene, Resource>()
