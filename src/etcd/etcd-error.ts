/** etcd's words for what it does not say with 401 or 403. */
const NO_ACCESS = ['invalid user ID or password', 'user name is empty', 'CommonName of client']

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

  /** Whether other credentials would help. */
  get isForbidden(): boolean {
    return this.status === 401 || this.status === 403 || NO_ACCESS.some((words) => this.said?.includes(words))
  }
}
