import { frames } from '../../kube/frames.ts'
import { Leases, type Lease } from '../../kube/objects.ts'
import { incident } from './incident.ts'
import { ourElector } from './our-elector.ts'
import { peer } from './peer.ts'
import { NAMESPACE, type Host } from './scene.ts'

/**
 * etcd-io/etcd#15271: after a restart of etcd a watch told old events again, as news. A standby that takes what comes last for
 * what is true sees a Lease that is free, and one that writes without a version takes it from its holder.
 */
incident({
  name: 'watch-travels-back',
  what: 'a watch tells again that the Lease is free, long after it was taken',
  asItWas: 'what comes last is true, and is written upon whatever is there',
  breaks: 'I9',
  play: async (scene, isOurs) => {
    const [z, a, b] = ['z', 'a', 'b'].map((name) => scene.host(name)) as [Host, Host, Host]
    const before = ourElector(scene, z)
    await scene.until(1)
    scene.say('z', 'is told to end')
    before.stop()
    await scene.until(2)
    const released = JSON.stringify({ type: 'MODIFIED', object: await scene.lease() })
    ourElector(scene, a)
    await scene.until(3)
    const etcd = Promise.withResolvers<void>()
    b.stream = (lines) => withOldNews(lines, etcd.promise, released)
    if (isOurs) ourElector(scene, b)
    else peer(scene, b, { writesBlindly: true, watches: (see) => void followBlindly(b, see) })
    await scene.until(10)
    scene.say('etcd', 'is restarted, and tells the watch of b once more that the Lease is free')
    etcd.resolve()
    await scene.until(25)
  },
})

/** Without the rule that versions never go back: it reads the stream itself. */
async function followBlindly({ api }: Host, see: (lease: Lease) => void): Promise<void> {
  const list = await api.list(Leases, { namespace: NAMESPACE })
  if (list.kind !== 'ok') return
  const { signal } = new AbortController()
  const opened = await api.openWatch(Leases, {
    namespace: NAMESPACE,
    resourceVersion: list.object.resourceVersion,
    timeoutSeconds: 600,
    signal,
  })
  if (opened.kind !== 'ok') return
  for await (const line of frames(opened.object.body)) see((JSON.parse(line) as { object: Lease }).object)
}

/** Merges one line into the stream, when it is time. */
async function* withOldNews(lines: AsyncIterable<string>, when: Promise<void>, line: string): AsyncGenerator<string> {
  const each = lines[Symbol.asyncIterator]()
  const told = when.then(() => 'now' as const)
  let isTold = false
  let next = each.next()
  try {
    for (;;) {
      const first = await Promise.race(isTold ? [next] : [next, told])
      if (first === 'now') {
        isTold = true
        yield line
      } else if (first.done) return
      else {
        yield first.value
        next = each.next()
      }
    }
  } finally {
    await each.return?.()
  }
}
