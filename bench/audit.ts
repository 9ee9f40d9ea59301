/** What the operator, or the candidates, asked of the API server, from the server's audit log. */
import { open, stat, writeFile } from 'node:fs/promises'

export interface Request {
  readonly verb: string
  /** `pods`, `leadergroups/status`, … */
  readonly resource: string
  readonly namespace: string
  readonly name: string
  /** Wall time at which the server received it and had answered it, in milliseconds. */
  readonly receivedAt: number
  readonly answeredAt: number
  readonly code: number
  /** What a write sent; only with `bodies`. */
  readonly body?: unknown
}

interface AuditEvent {
  readonly verb: string
  readonly objectRef?: {
    readonly resource: string
    readonly subresource?: string
    readonly namespace?: string
    readonly name?: string
  }
  readonly requestReceivedTimestamp: string
  readonly stageTimestamp: string
  readonly responseStatus?: { readonly code?: number }
  readonly requestObject?: unknown
}

const WRITES: readonly string[] = ['create', 'update', 'patch', 'delete', 'deletecollection']

/** Keeps the requests of `users` alone: those that set the stage are many, and logging them would slow it. */
export async function writeAuditPolicy(path: string, users: readonly string[], bodies: boolean): Promise<void> {
  const rules = [
    ...(bodies ? [{ level: 'Request', users, verbs: WRITES }] : []),
    { level: 'Metadata', users },
    { level: 'None' },
  ]
  const policy = { apiVersion: 'audit.k8s.io/v1', kind: 'Policy', omitStages: ['RequestReceived'], rules }
  await writeFile(path, JSON.stringify(policy))
}

/** Reads on from where it was. */
export class Audit {
  readonly #path: string
  #offset = 0

  constructor(path: string) {
    this.#path = path
  }

  /** Forgets what is there by now. */
  async skip(): Promise<void> {
    this.#offset = (await stat(this.#path)).size
  }

  /** What has been added since the last call, whole lines only. Watches appear when they end. */
  async requests(): Promise<readonly Request[]> {
    const requests: Request[] = []
    const file = await open(this.#path)
    try {
      const chunk = Buffer.alloc(4 << 20)
      for (;;) {
        const { bytesRead } = await file.read(chunk, 0, chunk.length, this.#offset)
        const end = chunk.subarray(0, bytesRead).lastIndexOf(0x0a) + 1
        if (end === 0) return requests
        this.#offset += end
        for (const line of chunk.toString('utf8', 0, end).split('\n')) {
          if (line !== '') requests.push(request(JSON.parse(line) as AuditEvent))
        }
      }
    } finally {
      await file.close()
    }
  }

  /** Writes since the last call, but for those to the operators' own Lease. */
  async writes(): Promise<readonly Request[]> {
    return (await this.requests()).filter(isWrite)
  }
}

export function isWrite({ verb, resource, name }: Request): boolean {
  return WRITES.includes(verb) && !(resource === 'leases' && name === 'leadergroup-operator')
}

function request(event: AuditEvent): Request {
  const { verb, objectRef, requestReceivedTimestamp, stageTimestamp, responseStatus, requestObject } = event
  const { resource = '', subresource, namespace = '', name = '' } = objectRef ?? {}
  return {
    verb,
    resource: subresource === undefined ? resource : `${resource}/${subresource}`,
    namespace,
    name,
    receivedAt: microseconds(requestReceivedTimestamp),
    answeredAt: microseconds(stageTimestamp),
    code: responseStatus?.code ?? 0,
    ...(requestObject === undefined ? {} : { body: requestObject }),
  }
}

/** Milliseconds with the six digits that the log has; `Date` keeps three of them. */
function microseconds(text: string): number {
  const [, digits = '0'] = /\.(\d+)Z$/.exec(text) ?? []
  return Math.floor(Date.parse(text) / 1000) * 1000 + Number(`0.${digits}`) * 1000
}
