/** etcd refused a request, or gave no usable answer. */
export class EtcdError extends Error {
  override readonly name = 'EtcdError'
  /** HTTP status; absent when there was no answer. */
  readonly status: number | undefined
  /** etcd's own words, such as `etcdserver: requested lease not found`; absent when they could not be read. */
  readonly said: string | undefined
  constructor(message: string, options: { status?: number; said?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.status = options.status
    this.said = options.said
  }
}
