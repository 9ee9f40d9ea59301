/**
 * The history of a namespace as etcd keeps it: a witness that asks no API server, so that it outlives one that is killed.
 * The control plane must store JSON (`STORED_AS_JSON`).
 */
import assert from 'node:assert/strict'
import type { KubeObject } from '../src/kube/objects.ts'
import type { Cluster } from './controlplane/cluster.ts'
import type { Change } from './history.ts'
import type { Witness } from './observer.ts'

/** Flags of the API server: built-in resources are stored as protobuf otherwise. */
export const STORED_AS_JSON = ['--storage-media-type=application/json']

const PREFIXES: readonly (readonly [Change['kind'], string])[] = [
  ['pod', '/registry/pods'],
  ['lease', '/registry/leases'],
  ['group', '/registry/leadergroup.io/leadergroups'],
]

interface KeyValue {
  readonly key: string
  readonly value?: string
  readonly mod_revision: string
}

interface EtcdEvent {
  readonly type?: 'DELETE'
  readonly kv: KeyValue
  readonly prev_kv?: KeyValue
}

interface WatchAnswer {
  readonly result: { readonly events?: readonly EtcdEvent[]; readonly canceled?: boolean }
}

/** Everything, from the first key to the last. */
const ALL = { key: encode('\0'), range_end: encode('\0') }

export async function witnessStore({ plane }: Cluster, namespace: string): Promise<Witness> {
  const from = (await revision(plane.etcdUrl)) + 1
  return {
    history: async () => {
      const events = await eventsBetween(plane.etcdUrl, from, await revision(plane.etcdUrl))
      return events.flatMap((event) => changeOf(event, namespace) ?? [])
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
}

async function revision(etcd: string): Promise<number> {
  const answer = await post(etcd, '/v3/kv/range', { key: encode('none') })
  return Number(((await answer.json()) as { header: { revision: string } }).header.revision)
}

/** A watch from the past: it is complete when it has come to `to`. */
async function eventsBetween(etcd: string, from: number, to: number): Promise<readonly EtcdEvent[]> {
  const events: EtcdEvent[] = []
  if (from > to) return events
  const watch = { create_request: { ...ALL, start_revision: String(from), prev_kv: true } }
  const answer = await post(etcd, '/v3/watch', watch)
  for await (const line of linesOf(answer.body!)) {
    const { result } = JSON.parse(line) as WatchAnswer
    assert.ok(!result.canceled, `etcd does not keep the history from ${from} on: ${line}`)
    events.push(...(result.events ?? []))
    if (Number(events.at(-1)?.kv.mod_revision ?? 0) >= to) return events
  }
  throw new Error(`the watch of etcd ended before revision ${to}`)
}

async function* linesOf(body: AsyncIterable<Uint8Array>): AsyncGenerator<string, void> {
  const decoder = new TextDecoder()
  let text = ''
  for await (const bytes of body) {
    const lines = (text + decoder.decode(bytes, { stream: true })).split('\n')
    text = lines.pop()!
    yield* lines
  }
}

async function post(etcd: string, path: string, body: object): Promise<Response> {
  const answer = await fetch(etcd + path, {
    method: 'POST',
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(30_000),
  })
  assert.equal(answer.status, 200, path)
  return answer
}

function changeOf({ type, kv, prev_kv: before }: EtcdEvent, namespace: string): Change | undefined {
  const key = Buffer.from(kv.key, 'base64').toString()
  const kind = PREFIXES.find(([, prefix]) => key.startsWith(`${prefix}/${namespace}/`))?.[0]
  if (kind === undefined) return undefined
  const gone = type === 'DELETE'
  const text = Buffer.from((gone ? before?.value : kv.value) ?? '', 'base64').toString()
  assert.ok(text.startsWith('{'), `${key} is not stored as JSON`)
  const object = JSON.parse(text) as KubeObject
  return { kind, version: Number(kv.mod_revision), gone, object } as Change
}

function encode(text: string): string {
  return Buffer.from(text).toString('base64')
}
