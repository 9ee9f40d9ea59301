import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { VirtualClock } from '../sim/clock.ts'
import { runs } from '../sim/runs.ts'
import { Api } from './api.ts'
import { Pods, type Pod } from './objects.ts'
import type { Transport, TransportRequest, TransportResponse } from './transport.ts'
import { watch } from './watch.ts'

/** What happens to one request: it is cut after so many bytes, answered by an error or nonsense, or left without an answer. */
type Fault =
  | { readonly kind: 'cut'; readonly bytes: number; readonly cleanly: boolean }
  | { readonly kind: 'status'; readonly status: number }
  | { readonly kind: 'errorEvent'; readonly code: number }
  | { readonly kind: 'refused' | 'silent' }
  /** Not what the API server sends, though it is an answer. */
  | { readonly kind: 'garbage'; readonly text: string }

type Entry = { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: Pod }

const encoder = new TextEncoder()

/** A history of versions 1, 2, … and the state after each of them. */
class History {
  readonly #entries: Entry[] = []

  constructor(operations: readonly { name: string; remove: boolean }[]) {
    for (const { name, remove } of operations) {
      const existing = this.state().get(name)
      if (remove && existing === undefined) continue
      const version = this.#entries.length + 1
      const uid = existing?.metadata.uid ?? `uid-${version}`
      const object: Pod = { metadata: { name, uid, resourceVersion: String(version) } }
      this.#entries.push({ type: remove ? 'DELETED' : existing ? 'MODIFIED' : 'ADDED', object })
    }
  }

  get length(): number {
    return this.#entries.length
  }

  since(version: number, upTo = this.length): readonly Entry[] {
    return this.#entries.slice(version, upTo)
  }

  state(version = this.length): Map<string, Pod> {
    const objects = new Map<string, Pod>()
    for (const { type, object } of this.since(0, version)) {
      if (type === 'DELETED') objects.delete(object.metadata.name)
      else objects.set(object.metadata.name, object)
    }
    return objects
  }
}

/** Answers by the history, of which one more version exists with every request, and applies one fault to each request. */
class FaultyServer implements Transport {
  readonly #history: History
  readonly #faults: Fault[]
  #reached = 0

  constructor(history: History, faults: readonly Fault[]) {
    this.#history = history
    this.#faults = [...faults]
  }

  async send(request: TransportRequest): Promise<TransportResponse> {
    const query = new URLSearchParams(request.path.split('?')[1])
    const fault = this.#faults.shift()
    this.#reached = fault === undefined ? this.#history.length : Math.min(this.#reached + 1, this.#history.length)
    if (fault?.kind === 'refused') throw new Error('connect ECONNREFUSED')
    if (fault?.kind === 'silent') return aborted(request.signal)
    if (fault?.kind === 'status') return respond(fault.status, [JSON.stringify({ code: fault.status })])
    if (fault?.kind === 'garbage') return respond(200, [`${fault.text}\n`])
    const watching = query.has('watch')
    const text = watching ? this.#events(Number(query.get('resourceVersion'))) : this.#list()
    if (fault?.kind === 'errorEvent' && watching) return respond(200, [text, errorFrame(fault.code)])
    if (fault?.kind === 'cut') return respond(200, [text], fault)
    return respond(200, [text], undefined, watching ? request.signal : undefined)
  }

  #list(): string {
    const items = [...this.#history.state(this.#reached).values()]
    return JSON.stringify({ metadata: { resourceVersion: String(this.#reached) }, items })
  }

  #events(version: number): string {
    return this.#history
      .since(version, this.#reached)
      .map((entry) => `${JSON.stringify(entry)}\n`)
      .join('')
  }
}

const errorFrame = (code: number): string => `${JSON.stringify({ type: 'ERROR', object: { code } })}\n`

const aborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)))

function respond(
  status: number,
  texts: readonly string[],
  cut?: { readonly bytes: number; readonly cleanly: boolean },
  openUntil?: AbortSignal,
): TransportResponse {
  async function* body(): AsyncGenerator<Uint8Array, void> {
    const bytes = encoder.encode(texts.join(''))
    yield cut === undefined ? bytes : bytes.subarray(0, cut.bytes)
    if (cut?.cleanly === false) throw new Error('other side closed')
    if (openUntil !== undefined) await aborted(openUntil)
  }
  return { status, headers: {}, body: body() }
}

const operation = fc.record({ name: fc.constantFrom('a', 'b', 'c'), remove: fc.boolean() })
const fault: fc.Arbitrary<Fault> = fc.oneof(
  fc.record({ kind: fc.constant('cut' as const), bytes: fc.nat(400), cleanly: fc.boolean() }),
  fc.record({ kind: fc.constant('status' as const), status: fc.constantFrom(401, 403, 410, 429, 500, 504) }),
  fc.record({ kind: fc.constant('errorEvent' as const), code: fc.constantFrom(410, 429, 500) }),
  fc.record({ kind: fc.constantFrom('refused' as const, 'silent' as const) }),
  fc.record({ kind: fc.constant('garbage' as const), text: garbage() }),
)

/** Lists and events that lack what they are believed on, and what is neither. */
function garbage(): fc.Arbitrary<string> {
  const noVersion = fc.oneof(fc.constantFrom(undefined, '', '-1', '0x10', '1.5'), fc.jsonValue().filter(isNoVersion))
  const named = fc.record({ metadata: fc.record({ name: fc.constant('a'), resourceVersion: noVersion }) })
  const list = fc.record({ metadata: fc.record({ resourceVersion: noVersion }), items: fc.jsonValue() })
  const noList = fc.record({
    metadata: fc.record({ resourceVersion: fc.constant('7') }),
    items: fc.oneof(
      fc.jsonValue().filter((value) => value !== null && !Array.isArray(value)),
      fc.array(fc.jsonValue(), { minLength: 1 }),
    ),
  })
  const event = fc.record({ type: fc.constantFrom('ADDED', 'DELETED'), object: fc.oneof(named, fc.jsonValue()) })
  const structured = fc.oneof(list, noList, event, fc.jsonValue()).map((value) => JSON.stringify(value))
  return fc.oneof(structured, fc.string(), fc.constant('<html>502</html>')).filter((text) => text.trim() !== '')
}

function isNoVersion(value: unknown): boolean {
  return typeof value !== 'string' || !/^\d+$/.test(value)
}

describe('watch, whatever fails', () => {
  it('shows the state of the server once the faults are over, and no version twice or backwards', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(operation, { maxLength: 12 }),
        fc.array(fault, { maxLength: 12 }),
        async (all, faults) => {
          const history = new History(all)
          const clock = new VirtualClock()
          const stop = new AbortController()
          const objects = new Map<string, Pod>()
          const disorder: string[] = []
          let version = -1
          const changes = watch(
            new Api(new FaultyServer(history, faults), clock),
            { resource: Pods, trim: (object) => object },
            { clock, random: () => 0.5, signal: stop.signal },
          )
          const consumed = (async () => {
            for await (const change of changes) {
              if (change.kind === 'reset') {
                objects.clear()
                for (const object of change.objects) objects.set(object.metadata.name, object)
                if (Number(change.resourceVersion) < version) disorder.push(`back from ${version}`)
                version = Number(change.resourceVersion)
                continue
              }
              const { name, resourceVersion } = change.object.metadata
              if (Number(resourceVersion) !== version + 1) disorder.push(`${resourceVersion} after ${version}`)
              version = Number(resourceVersion)
              if (change.kind === 'delete') objects.delete(name)
              else objects.set(name, change.object)
            }
          })()
          // Each fault costs at most its deadline (15 s) and the longest wait (30 s, 1 s more if throttled).
          await clock.advance((faults.length + 1) * 46_000)
          assert.deepEqual({ objects, disorder }, { objects: history.state(), disorder: [] })
          stop.abort()
          await consumed
        },
      ),
      runs(80),
    )
  })
})
