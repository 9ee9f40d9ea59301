import { Pods } from '../../kube/objects.ts'
import { incident } from './incident.ts'
import { createGroup, createPod, operator } from './operators.ts'
import { peer } from './peer.ts'
import { DB, type Host, type Scene } from './scene.ts'

const ROLE = 'db.leadergroup.io/role'

/**
 * Vault's and other programs' own labels (`vault-active`), and leader-election sidecars: the pod that leads labels itself, and
 * takes the label off when it stops. One that is cut off cannot, and one that is killed does not: traffic goes to both.
 */
incident({
  name: 'stale-self-label',
  what: 'a leader that is cut off keeps the label that it gave to itself',
  asItWas: 'each pod labels itself when it begins to lead, and takes the label off when it stops',
  breaks: /two pods bear the label/,
  play: async (scene, isOurs) => {
    await createGroup(scene, { mode: 'Observe' })
    for (const name of ['db-0', 'db-1']) await createPod(scene, name)
    if (isOurs) operator(scene, scene.host('operator'))
    await scene.until(2)
    const elect = (host: Host) =>
      peer(
        scene,
        host,
        isOurs
          ? { isKnown: true }
          : { isKnown: true, onStarted: () => label(host, 'leader'), onStopped: () => label(host, null) },
      )
    const [a, b] = ['db-0', 'db-1'].map((name) => scene.host(name)) as [Host, Host]
    elect(a)
    await scene.until(4)
    elect(b)
    await scene.until(8)
    scene.say('network', 'db-0 is cut off')
    a.fate = () => 'hang'
    await scene.until(40)
  },
  judge: (scene) => (mostLabels(scene) > 1 ? 'two pods bear the label, and both get traffic' : undefined),
})

async function label({ api, name }: Host, role: string | null): Promise<void> {
  await api.mergePatch(Pods, { ...DB, name }, { metadata: { labels: { [ROLE]: role } } }).catch(() => undefined)
}

/** At one version of the store. */
function mostLabels(scene: Scene): number {
  const labelled = new Set<string>()
  let most = 0
  for (const { type, object } of scene.server.history) {
    if (object.kind !== 'Pod') continue
    const { uid, labels } = object.metadata
    if (type !== 'DELETED' && labels?.[ROLE] === 'leader') labelled.add(uid)
    else labelled.delete(uid)
    most = Math.max(most, labelled.size)
  }
  return most
}
