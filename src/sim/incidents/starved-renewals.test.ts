import { Pods } from '../../kube/objects.ts'
import { incident } from './incident.ts'
import { ourElector } from './our-elector.ts'
import type { Host, Scene } from './scene.ts'

/** client-go's limit for all requests of a client. */
const REQUESTS_PER_SECOND = 5

/**
 * kubernetes/kubernetes#139191, and kubernetes/kubernetes#33259 before it: the API server restarts, a program lists everything
 * anew, and its renewals wait behind that, in one queue with one limit.
 */
incident({
  name: 'starved-renewals',
  what: 'after a restart of the API server renewals wait behind lists',
  asItWas: 'all requests of a process share one queue',
  breaks: /for nothing/,
  play: async (scene, isOurs) => {
    const [a, b] = ['a', 'b'].map((name) => scene.host(name)) as [Host, Host]
    const queues = new Map<string, number>()
    a.fate = ({ lane = 'default' }) => queued(scene, queues, isOurs ? lane : 'all')
    ourElector(scene, a)
    await scene.until(1)
    ourElector(scene, b)
    await scene.until(5)
    scene.say('server', 'restarts: a lists 200 namespaces anew')
    for (let i = 0; i < 200; i++) {
      void a.api.list(Pods, { namespace: `shop-${i}`, timeoutMillis: 60_000 }).catch(() => undefined)
    }
    await scene.until(60)
  },
  judge: (scene) => {
    const [lease] = scene.server.history.filter(({ object }) => object.kind === 'Lease').toReversed()
    const { holderIdentity } = lease!.object['spec'] as { holderIdentity: string }
    return holderIdentity === 'a' ? undefined : `a was well, and lost its term for nothing: ${holderIdentity} leads`
  },
})

/** Milliseconds until it is this request's turn. */
function queued({ clock }: Scene, queues: Map<string, number>, queue: string): number {
  const at = Math.max(clock.now(), queues.get(queue) ?? 0)
  queues.set(queue, at + 1000 / REQUESTS_PER_SECOND)
  return at - clock.now()
}
