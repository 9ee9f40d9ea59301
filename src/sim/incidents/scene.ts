import type { Clock } from '../../clock.ts'
import { Api } from '../../kube/api.ts'
import { frames } from '../../kube/frames.ts'
import { Leases, type Lease } from '../../kube/objects.ts'
import type { Transport, TransportRequest, TransportResponse } from '../../kube/transport.ts'
import { throwOnAbort } from '../../lock/abort-of.ts'
import { ApiServer } from '../apiserver.ts'
import { VirtualClock } from '../clock.ts'
import type { Belief, Elector, Fact, Role } from '../invariants/facts.ts'
import { Judge } from '../invariants/judge.ts'
import type { Violation } from '../invariants/violation.ts'
import { HostClock } from './host-clock.ts'
import { told } from './told.ts'

export const NAMESPACE = 'shop'
/** The Lease of every incident, and the group of those that have one. */
export const DB = { namespace: NAMESPACE, name: 'db' }

/**
 * What becomes of a request. `hang`: it gets lost, and nobody is told. `refuse`: there is no connection. A number: it arrives
 * so many milliseconds later, whether anybody waits for it or not.
 */
export type Fate = 'pass' | 'hang' | 'refuse' | number

/** One process, on a machine of its own. */
export interface Host {
  readonly name: string
  readonly clock: HostClock
  readonly transport: Transport
  readonly api: Api
  /** What becomes of its requests. */
  fate: (request: TransportRequest) => Fate
  /** What the program does that would break a rule: its requests, changed. */
  tamper: (request: TransportRequest) => TransportRequest
  /** What a watch tells it, line by line, changed. */
  stream: (lines: AsyncIterable<string>) => AsyncIterable<string>
}

const PATH = /\/namespaces\/([^/]+)\/([a-z]+)\/([^/?]+)(?:\/(status))?/

/**
 * Where an incident is played: the in-memory API server on virtual time, processes that reach it through the real client, a
 * judge who is told everything, and the story that is written down of it.
 */
export class Scene {
  readonly clock = new VirtualClock()
  readonly server = new ApiServer(this.clock)
  readonly lines: string[] = []
  readonly judge = new Judge({ onViolation: (violation) => this.#object(violation) })
  readonly admin: Api
  readonly #names = new Map<string, string>()
  readonly #beliefs = new Map<string, () => Belief['term']>()
  readonly #believed = new Map<string, string>()
  /** For how long more than one believed to lead. */
  overlapMillis = 0
  #leaders: readonly string[] = []
  #lookedAt = 0
  readonly #about: string | undefined
  readonly #objections = new Set<string>()
  #revisions = 0
  #requests = 0

  /** @param about the rule whose violations are told; the judge has many, and of others only the count matters */
  constructor(about?: string) {
    this.#about = about
    this.admin = new Api(this.server.transport({ user: 'somebody' }), this.clock)
  }

  say(who: string, what: string): void {
    const seconds = (this.clock.now() / 1000).toFixed(2).padStart(7)
    const named = [...this.#names].reduce((text, [long, short]) => text.replaceAll(long, short), what)
    // UIDs of the in-memory server are a count.
    const words = named.replaceAll(/00000000-0000-4000-8000-0*/g, 'uid-')
    this.lines.push(`${seconds} s  ${who.padEnd(10)} ${words}`)
  }

  /** In the story, what differs in each run has a name of its own. */
  name(long: string, short: string): void {
    this.#names.set(long, short)
  }

  tell(fact: Fact): void {
    this.judge.follow(fact)
  }

  host(name: string): Host {
    const clock = new HostClock(this.clock)
    const host: { -readonly [Part in keyof Host]: Host[Part] } = {
      name,
      clock,
      fate: () => 'pass',
      tamper: (request) => request,
      stream: (lines) => lines,
      transport: undefined as unknown as Transport,
      api: undefined as unknown as Api,
    }
    host.transport = this.#transport(host)
    host.api = new Api(host.transport, clock)
    return host
  }

  begins(name: string, role: Role, elector?: Elector): void {
    this.tell({
      kind: 'process',
      at: this.clock.now(),
      process: name,
      role,
      runs: true,
      ...(elector ? { elector } : {}),
    })
  }

  ends(name: string, role: Role): void {
    this.#beliefs.delete(name)
    this.tell({ kind: 'process', at: this.clock.now(), process: name, role, runs: false })
  }

  /** `ask` says what the program would answer if it were asked now whether it leads. */
  believes(name: string, ask: () => Belief['term']): void {
    this.#beliefs.set(name, ask)
  }

  /** It is gone from one moment to the next, and so is whatever it had to say. */
  kill({ name, clock }: Host): void {
    this.say(name, 'dies')
    clock.stop()
    this.ends(name, 'candidate')
  }

  /** Who believes to lead. */
  get leaders(): readonly string[] {
    return this.#leaders
  }

  /** It does what only a leader may do. */
  act(name: string): void {
    this.look()
    this.tell({ kind: 'act', at: this.clock.now(), process: name })
  }

  /** Goes on until so many seconds after the beginning. */
  async until(seconds: number): Promise<void> {
    const end = seconds * 1000
    await this.clock.settle()
    for (;;) {
      this.look()
      const next = Math.min(this.clock.nextTimerAt() ?? end, end)
      if (this.clock.now() >= end) break
      await this.clock.advance(Math.max(next - this.clock.now(), 0))
    }
  }

  /** A call of the admin or of a peer, with all that it sets off. */
  async done<T>(call: Promise<T>): Promise<T> {
    await this.clock.settle()
    this.look()
    return call
  }

  async lease(): Promise<Lease | undefined> {
    const outcome = await this.done(this.admin.get(Leases, DB))
    return outcome.kind === 'ok' ? outcome.object : undefined
  }

  /** What was written since, and who believes what by now: first whose term is over. */
  look(): void {
    for (; this.#revisions < this.server.history.length; this.#revisions++) this.#commit(this.#revisions)
    const at = this.clock.now()
    if (this.#leaders.length > 1) this.overlapMillis += at - this.#lookedAt
    this.#lookedAt = at
    const asked = [...this.#beliefs].map(([process, ask]) => ({ process, term: ask() }))
    this.#leaders = asked.filter(({ term }) => term).map(({ process }) => process)
    const inOrder = [...asked.filter(({ term }) => !term), ...asked.filter(({ term }) => term)]
    for (const { process, term } of inOrder) {
      const words = term ? `leads in term ${term.number}` : 'does not lead any more'
      if (words !== (this.#believed.get(process) ?? 'does not lead any more')) this.say(process, words)
      this.#believed.set(process, words)
      this.tell({ kind: 'belief', at, process, ...(term ? { term } : {}) })
    }
  }

  /** In the story each kind of objection once: the judge repeats it for as long as it lasts. */
  #object({ rule, text }: Violation): void {
    if (rule !== this.#about) return
    const words = text.replace(/: \{.*/, '')
    const kind = `${rule} ${words.replaceAll(/\d+ ms/g, '')}`
    if (!this.#objections.has(kind)) this.say('judge', `${rule} is broken: ${words}`)
    this.#objections.add(kind)
  }

  #commit(index: number): void {
    const revision = this.server.history[index]!
    const { type, resource, object, previous, user } = revision
    const words = told(revision)
    if (words !== undefined) this.say(user, words)
    this.tell({
      kind: 'committed',
      at: revision.at,
      version: revision.revision,
      by: user,
      resource: resource.plural,
      ...(previous ? { before: previous } : {}),
      ...(type === 'DELETED' ? {} : { after: object }),
    })
  }

  #transport(host: Host): Transport {
    const server = this.server.transport({ user: host.name })
    return {
      send: async (original) => {
        const request = host.tamper(original)
        this.#asked(host.name, request)
        const response = await meet(host.fate(request), request, server, this.clock)
        this.look()
        await host.clock.running()
        const isWatch = request.path.includes('watch=true') && response.status === 200
        const body = isWatch ? inBytes(host.stream(frames(response.body))) : response.body
        return { ...response, body: host.clock.arriving(body) }
      },
    }
  }

  #asked(process: string, { method, path, body = '' }: TransportRequest): void {
    const [, namespace, resource, name, subresource] = PATH.exec(path) ?? []
    if (method === 'GET' || resource === undefined || name === undefined || namespace === undefined) return
    const { metadata = {} } = JSON.parse(body || '{}') as { metadata?: { uid?: string; resourceVersion?: string } }
    this.tell({
      kind: 'asked',
      at: this.clock.now(),
      process,
      request: ++this.#requests,
      verb: method === 'PUT' ? 'update' : method === 'PATCH' ? 'patch' : method === 'POST' ? 'create' : 'delete',
      resource,
      namespace,
      name,
      body: JSON.parse(body || '{}') as object,
      ...(subresource === undefined ? {} : { subresource }),
      ...(metadata.uid === undefined ? {} : { uid: metadata.uid }),
      ...(metadata.resourceVersion === undefined ? {} : { version: Number(metadata.resourceVersion) }),
    })
  }
}

async function* inBytes(lines: AsyncIterable<string>): AsyncGenerator<Uint8Array> {
  for await (const line of lines) yield Buffer.from(`${line}\n`)
}

async function meet(
  fate: Fate,
  request: TransportRequest,
  server: Transport,
  clock: Clock,
): Promise<TransportResponse> {
  if (fate === 'pass') return server.send(request)
  if (fate === 'refuse') throw Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })
  if (fate === 'hang') return throwOnAbort(request.signal)
  const arrival = new Promise<void>((resolve) => clock.timer(clock.now() + fate, resolve))
  const late = arrival.then(() => server.send({ ...request, signal: new AbortController().signal }))
  // Nobody may wait for it any more.
  late.catch(() => undefined)
  return Promise.race([late, throwOnAbort(request.signal)])
}
