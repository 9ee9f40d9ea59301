import { Leases, type Lease } from '../../kube/objects.ts'
import { watch } from '../../kube/watch.ts'
import { incident } from './incident.ts'
import { ourElector } from './our-elector.ts'
import { peer } from './peer.ts'
import { DB, NAMESPACE, type Host } from './scene.ts'

/**
 * etcd-io/etcd#20221, #17529: a watch that lost events and went on as if nothing were missing. Electors that look at the Lease
 * by their watch alone (kubernetes-leader-election of npm does after three tries) never learn that it is free.
 */
incident({
  name: 'lost-event',
  what: 'the event of a release is lost on its way',
  asItWas: 'a standby believes its watch, and never looks',
  breaks: /nobody leads/,
  play: async (scene, isOurs) => {
    const [a, b] = ['a', 'b'].map((name) => scene.host(name)) as [Host, Host]
    const leader = ourElector(scene, a)
    await scene.until(1)
    let isLossy = false
    b.stream = (lines) => lossy(lines, () => isLossy)
    if (isOurs) ourElector(scene, b)
    else peer(scene, b, { watches: (see) => void followLease(b, see) })
    await scene.until(5)
    scene.say('etcd', 'loses events from now on')
    isLossy = true
    leader.stop()
    await scene.until(60)
  },
  judge: (scene) => (scene.leaders.length === 1 ? undefined : 'nobody leads, 55 s after the Lease was released'),
})

async function followLease({ api, clock }: Host, see: (lease: Lease) => void): Promise<void> {
  const source = {
    resource: Leases,
    namespace: NAMESPACE,
    fieldSelector: `metadata.name=${DB.name}`,
    trim: (it: Lease) => it,
  }
  const { signal } = new AbortController()
  for await (const change of watch(api, source, { clock, random: () => 0.5, signal })) {
    if (change.kind === 'apply') see(change.object)
    else if (change.kind === 'reset') for (const lease of change.objects) see(lease)
  }
}

/** Bookmarks still come. */
async function* lossy(lines: AsyncIterable<string>, isLossy: () => boolean): AsyncGenerator<string> {
  for await (const line of lines) if (!isLossy() || line.includes('"BOOKMARK"')) yield line
}
