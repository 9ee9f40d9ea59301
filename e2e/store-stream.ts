/** The versions of a store as etcd gives them, which must keep JSON (`STORED_AS_JSON`). */
import assert from 'node:assert/strict'
import type { KubeObject } from '../src/kube/objects.ts'
import type { Change } from './history.ts'

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

export interface StoreEvent {
  readonly type?: 'DELETE'
  readonly kv: KeyValue
  readonly prev_kv?: KeyValue
}

interface WatchAnswer {
  readonly result: { readonly events?: readonly StoreEvent[]; readonly canceled?: boolean }
}

/** Everything, from the first key to the last. */
const ALL = { key: encode('\0'), range_end: encode('\0') }
const ANSWER_MILLIS = 30_000

/** Of the latest write. */
export async function revisionOf(
  etcd: string,
  signal: AbortSignal = AbortSignal.timeout(ANSWER_MILLIS),
): Promise<number> {
  const answer = await post(etcd, '/v3/kv/range', { key: encode('none') }, signal)
  return Number(((await answer.json()) as { header: { revision: string } }).header.revision)
}

/** What was before this revision is forgotten: a watch from there on is refused. */
export async function compactTo(etcd: string, revision: number, signal: AbortSignal): Promise<void> {
  await post(etcd, '/v3/kv/compaction', { revision: String(revision), physical: true }, signal)
}

/** All events from this revision on, in order, until the connection ends. Rejects when etcd has forgotten some of them. */
export async function* storeEvents(etcd: string, from: number, signal: AbortSignal): AsyncGenerator<StoreEvent, void> {
  const watch = { create_request: { ...ALL, start_revision: String(from), prev_kv: true } }
  const answer = await post(etcd, '/v3/watch', watch, signal)
  for await (const line of linesOf(answer.body!)) {
    const { result } = JSON.parse(line) as WatchAnswer
    if (result.canceled) throw new HistoryLost(`etcd does not keep the history from ${from} on: ${line}`)
    yield* result.events ?? []
  }
}

export class HistoryLost extends Error {
  override readonly name = 'HistoryLost'
}

/** Undefined for what is of no interest, or in another namespace. */
export function changeOf({ type, kv, prev_kv: before }: StoreEvent, namespace: string): Change | undefined {
  const key = Buffer.from(kv.key, 'base64').toString()
  const kind = PREFIXES.find(([, prefix]) => key.startsWith(`${prefix}/${namespace}/`))?.[0]
  if (kind === undefined) return undefined
  const gone = type === 'DELETE'
  const text = Buffer.from((gone ? before?.value : kv.value) ?? '', 'base64').toString()
  assert.ok(text.startsWith('{'), `${key} is not stored as JSON`)
  const { metadata, ...rest } = JSON.parse(text) as KubeObject
  // It is not stored: the API server takes it from the revision.
  const object = { ...rest, metadata: { ...metadata, resourceVersion: kv.mod_revision } }
  return { kind, version: Number(kv.mod_revision), gone, object } as Change
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

async function post(etcd: string, path: string, body: object, signal: AbortSignal): Promise<Response> {
  const answer = await fetch(etcd + path, { method: 'POST', body: JSON.stringify(body), signal })
  assert.equal(answer.status, 200, path)
  return answer
}

function encode(text: string): string {
  return Buffer.from(text).toString('base64')
}
