/** The history of a namespace as etcd keeps it: a witness that asks no API server, so that it outlives one that is killed. */
import type { Cluster } from './controlplane/cluster.ts'
import type { Witness } from './observer.ts'
import { type StoreEvent, changeOf, revisionOf, storeEvents } from './store-stream.ts'

const READ_MILLIS = 30_000

export async function witnessStore({ plane }: Cluster, namespace: string): Promise<Witness> {
  const from = (await revisionOf(plane.etcdUrl)) + 1
  return {
    history: async () => {
      const events = await eventsBetween(plane.etcdUrl, from, await revisionOf(plane.etcdUrl))
      return events.flatMap((event) => changeOf(event, namespace) ?? [])
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
}

/** A watch from the past: it is complete when it has come to `to`. */
async function eventsBetween(etcd: string, from: number, to: number): Promise<readonly StoreEvent[]> {
  const events: StoreEvent[] = []
  if (from > to) return events
  for await (const event of storeEvents(etcd, from, AbortSignal.timeout(READ_MILLIS))) {
    events.push(event)
    // Each write of the API server is a revision of its own.
    if (Number(event.kv.mod_revision) >= to) return events
  }
  throw new Error(`the watch of etcd ended before revision ${to}`)
}
