/** The most pods of a namespace that bore the leader label at once, by etcd's own word: no watch of an API server that is restarted shows all versions. */
import { eventually } from '../controlplane/eventually.ts'
import { type StoreEvent, revisionOf, storeEvents } from '../store-stream.ts'

const CATCH_UP_MILLIS = 60_000

export class LabelWitness implements AsyncDisposable {
  /** The most at once, so far. */
  most = 0
  readonly #etcd: string
  readonly #prefix: string
  readonly #entry: Buffer
  readonly #bearers = new Set<string>()
  readonly #stop = new AbortController()
  readonly #following: Promise<void>
  #revision = 0

  /** Of a namespace in which nobody bears it yet. */
  static async open(etcd: string, namespace: string, label: string): Promise<LabelWitness> {
    return new LabelWitness(etcd, namespace, label, (await revisionOf(etcd)) + 1)
  }

  private constructor(etcd: string, namespace: string, label: string, from: number) {
    this.#etcd = etcd
    this.#prefix = `/registry/pods/${namespace}/`
    this.#entry = mapEntry(label, 'leader')
    this.#following = this.#follow(from)
    this.#following.catch(() => undefined)
  }

  /** Resolves when all that is written by now has been seen. */
  async catchUp(): Promise<void> {
    const latest = await revisionOf(this.#etcd)
    await eventually({ what: `the history up to revision ${latest}`, millis: CATCH_UP_MILLIS }, () => {
      return Promise.resolve(this.#revision >= latest ? true : undefined)
    })
  }

  async #follow(from: number): Promise<void> {
    for await (const event of storeEvents(this.#etcd, from, this.#stop.signal)) this.#see(event)
  }

  #see({ type, kv }: StoreEvent): void {
    this.#revision = Number(kv.mod_revision)
    const key = Buffer.from(kv.key, 'base64').toString()
    if (!key.startsWith(this.#prefix)) return
    const bears = type !== 'DELETE' && Buffer.from(kv.value ?? '', 'base64').includes(this.#entry)
    if (bears) this.#bearers.add(key)
    else this.#bearers.delete(key)
    this.most = Math.max(this.most, this.#bearers.size)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    // Aborted, or broken off earlier: then it has not caught up either.
    await this.#following.catch(() => undefined)
  }
}

/** One entry of a map in protobuf, as which the API server stores labels: two fields of a tag, a length and a text each. */
export function mapEntry(key: string, value: string): Buffer {
  const field = (tag: number, text: string): Buffer => {
    const bytes = Buffer.from(text)
    if (bytes.length > 127) throw new Error(`${text} is too long: its length would be two bytes`)
    return Buffer.concat([Buffer.from([tag, bytes.length]), bytes])
  }
  return Buffer.concat([field(0x0a, key), field(0x12, value)])
}
