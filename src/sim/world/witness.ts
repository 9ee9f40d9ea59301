import type { KubeObject } from '../../kube/objects.ts'
import type { TransportRequest } from '../../kube/transport.ts'
import type { Elector, Fact, Role } from '../invariants/facts.ts'
import { Judge } from '../invariants/judge.ts'
import type { Violation } from '../invariants/violation.ts'
import type { Revision } from '../store.ts'
import type { Frame } from '../watch-stream.ts'

/** Only of these does any rule ask who was shown them. */
const SHOWN: Readonly<Record<string, string>> = { Pod: 'pods', Lease: 'leases', LeaderGroup: 'leadergroups' }

const PATH = /\/namespaces\/([^/]+)\/(pods|leases|leadergroups)\/([^/?]+)(?:\/(status))?(?:\?|$)/

interface Body {
  readonly metadata?: { readonly uid?: string; readonly resourceVersion?: string }
}

/** Tells the judge what happens, as it happens, and keeps what it objects to. */
export class Witness {
  readonly violations: Violation[]
  readonly #judge = new Judge()
  readonly #now: () => number
  #requests = 0

  /** @param now true time */
  constructor(now: () => number) {
    this.#now = now
    this.violations = this.#judge.violations
  }

  tell(fact: Fact): void {
    this.#judge.follow(fact)
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

  /** A write of a kind that a rule asks for. */
  asked(process: string, { method, path, body = '' }: TransportRequest): void {
    if (method !== 'PATCH' && method !== 'PUT') return
    const [, namespace, resource, name, subresource] = PATH.exec(path) ?? []
    if (namespace === undefined || resource === undefined || name === undefined) return
    const parsed = JSON.parse(body) as Body
    const { uid, resourceVersion } = parsed.metadata ?? {}
    this.tell({
      kind: 'asked',
      at: this.#now(),
      process,
      request: ++this.#requests,
      verb: method === 'PUT' ? 'update' : 'patch',
      resource,
      namespace,
      name,
      body: parsed,
      ...(subresource === undefined ? {} : { subresource }),
      ...(uid === undefined ? {} : { uid }),
      ...(resourceVersion === undefined ? {} : { version: Number(resourceVersion) }),
    })
  }

  /** The answer to a request: one object, or a list. */
  answered(process: string, answer: object | undefined): void {
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
