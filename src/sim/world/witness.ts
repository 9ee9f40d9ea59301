import type { KubeObject } from '../../kube/objects.ts'
import type { TransportRequest } from '../../kube/transport.ts'
import { decoded } from '../decoded.ts'
import type { Elector, Fact, Role, Verb } from '../invariants/facts.ts'
import { Judge } from '../invariants/judge.ts'
import type { Bounds } from '../invariants/liveness.ts'
import type { Missing } from '../invariants/rule.ts'
import type { Violation } from '../invariants/violation.ts'
import type { Response } from '../apiserver.ts'
import type { Revision } from '../store.ts'
import type { Frame } from '../watch-stream.ts'

/** Only of these does any rule ask who was shown them. */
const SHOWN: Readonly<Record<string, string>> = { Pod: 'pods', Lease: 'leases', LeaderGroup: 'leadergroups' }

const PATH = /\/namespaces\/([^/]+)\/([^/?]+)(?:\/([^/?]+))?(?:\/(status))?(?:\?|$)/

const VERBS: Partial<Record<TransportRequest['method'], Verb>> = {
  POST: 'create',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
}

interface Preconditions {
  readonly uid?: string
  readonly resourceVersion?: string
}

interface Body {
  readonly metadata?: Preconditions
  readonly preconditions?: Preconditions
}

/** Tells the judge what happens, as it happens, and keeps what it objects to. */
export class Witness {
  readonly violations: Violation[]
  readonly #judge: Judge
  readonly #now: () => number
  #requests = 0

  /** @param now true time */
  constructor(now: () => number, bounds: Bounds) {
    this.#now = now
    this.#judge = new Judge({ bounds })
    this.violations = this.#judge.violations
  }

  tell(fact: Fact): void {
    this.#judge.follow(fact)
  }

  /** What must come about once faults stop, and has not by now. */
  missing(): readonly Missing[] {
    return this.#judge.missing(this.#now())
  }

  fault(fault: string, active: boolean): void {
    this.tell({ kind: 'fault', at: this.#now(), fault, active })
  }

  begins(process: string, role: Role, rate: number, elector?: Elector): void {
    const at = this.#now()
    this.tell({ kind: 'process', at, process, role, runs: true, ...(elector ? { elector } : {}) })
    this.tell({ kind: 'rate', at, process, rate })
  }

  ends(process: string, role: Role): void {
    this.tell({ kind: 'process', at: this.#now(), process, role, runs: false })
  }

  rate(process: string, rate: number): void {
    this.tell({ kind: 'rate', at: this.#now(), process, rate })
  }

  committed({ revision, type, resource, object, previous, user }: Revision): void {
    this.tell({
      kind: 'committed',
      at: this.#now(),
      version: revision,
      by: user,
      resource: resource.plural,
      ...(previous ? { before: previous } : {}),
      ...(type === 'DELETED' ? {} : { after: object }),
    })
  }

  /** A write, whether or not it arrives. Returns its number. */
  asked(process: string, { method, path, body = '' }: TransportRequest): number | undefined {
    const verb = VERBS[method]
    const [, namespace, resource, name, subresource] = PATH.exec(path) ?? []
    if (verb === undefined || namespace === undefined || resource === undefined) return undefined
    const parsed = decoded(body) as Body
    const { uid, resourceVersion } = (verb === 'delete' ? parsed.preconditions : parsed.metadata) ?? {}
    this.tell({
      kind: 'asked',
      at: this.#now(),
      process,
      request: ++this.#requests,
      verb,
      resource,
      namespace,
      body: parsed,
      ...(name === undefined ? {} : { name }),
      ...(subresource === undefined ? {} : { subresource }),
      ...(uid === undefined ? {} : { uid }),
      ...(resourceVersion === undefined ? {} : { version: Number(resourceVersion) }),
    })
    return this.#requests
  }

  /** The answer to a request: one object, or a list. */
  answered(process: string, asked: number | undefined, { status, answer }: Response): void {
    if (asked !== undefined) this.#ended(process, asked, status, answer)
    this.#learned(process, answer)
  }

  /** Nothing came of a request but an error, or nobody waits for it any more. */
  unanswered(process: string, asked: number | undefined): void {
    if (asked !== undefined) this.#ended(process, asked, 0, undefined)
  }

  #ended(process: string, request: number, code: number, answer: Partial<KubeObject> | undefined): void {
    const { resourceVersion } = answer?.metadata ?? {}
    const version = code < 300 && resourceVersion !== undefined ? { version: Number(resourceVersion) } : {}
    this.tell({ kind: 'answered', at: this.#now(), process, request, code, ...version })
  }

  #learned(process: string, answer: object | undefined): void {
    const { kind = '', items } = (answer ?? {}) as { readonly kind?: string; readonly items?: readonly KubeObject[] }
    const resource = SHOWN[kind.replace(/List$/, '')]
    if (resource === undefined) return
    for (const object of items ?? [answer as KubeObject]) this.#shown(process, resource, object, false)
  }

  read(process: string, { type, object }: Frame): void {
    const resource = SHOWN[(object as KubeObject).kind ?? '']
    if (resource === undefined || type === 'BOOKMARK') return
    this.#shown(process, resource, object as KubeObject, type === 'DELETED')
  }

  #shown(process: string, resource: string, { metadata }: KubeObject, gone: boolean): void {
    const { namespace, name, uid, resourceVersion } = metadata
    this.tell({
      kind: 'shown',
      at: this.#now(),
      process,
      resource,
      name,
      uid,
      version: Number(resourceVersion),
      ...(namespace === undefined ? {} : { namespace }),
      ...(gone ? { gone } : {}),
    })
  }
}
