import operatorLibrary from '@dot-i/k8s-operator'
import { KubeConfig } from '@kubernetes/client-node'
import type { Log } from '../operator/log.ts'

/** The package is CommonJS: its `exports.default` is a property of the default import. */
const Operator = operatorLibrary.default

/** What does the work, until `signal` aborts; only a fault ends it earlier. */
export interface Runnable {
  run(signal: AbortSignal): Promise<void>
}

/**
 * The operator's process. Lifecycle and logger are those of `@dot-i/k8s-operator`, and nothing else of it is: its watch
 * makes no list, loses deletes, and ends the process when a connection breaks or a cluster is quiet for 30 s; its writes
 * swallow every error. So each of its methods that does input or output is overridden by a refusal, and its constructor
 * does not get to load a kubeconfig. `leader-group-operator.test.ts` proves that no other way is left.
 */
export class LeaderGroupOperator extends Operator {
  // Neither #private nor initialized here: TypeScript would not allow super() within `try` then.
  private readonly runnable: Runnable
  private readonly stopping: AbortController

  constructor(runnable: Runnable, log: Log) {
    const loadFromDefault = Object.getOwnPropertyDescriptor(KubeConfig.prototype, 'loadFromDefault')!
    Object.defineProperty(KubeConfig.prototype, 'loadFromDefault', { ...loadFromDefault, value: loadNothing })
    try {
      super(log)
    } finally {
      Object.defineProperty(KubeConfig.prototype, 'loadFromDefault', loadFromDefault)
    }
    this.runnable = runnable
    this.stopping = new AbortController()
  }

  /** `start()` calls this and nothing else. It resolves after {@link stop}, when everything has ended. */
  protected override init(): Promise<void> {
    return this.runnable.run(this.stopping.signal)
  }

  /** Begins the end; `start()` resolves when it is there. May be called at any time, also before `start()`. */
  override stop(): void {
    this.stopping.abort()
  }

  protected override registerCustomResourceDefinition(): Promise<never> {
    return Promise.reject(notUsed('registerCustomResourceDefinition'))
  }

  protected override getCustomResourceApiUri(): never {
    throw notUsed('getCustomResourceApiUri')
  }

  protected override watchResource(): Promise<never> {
    return Promise.reject(notUsed('watchResource'))
  }

  protected override setResourceStatus(): Promise<never> {
    return Promise.reject(notUsed('setResourceStatus'))
  }

  protected override patchResourceStatus(): Promise<never> {
    return Promise.reject(notUsed('patchResourceStatus'))
  }

  protected override handleResourceFinalizer(): Promise<never> {
    return Promise.reject(notUsed('handleResourceFinalizer'))
  }

  protected override setResourceFinalizers(): Promise<never> {
    return Promise.reject(notUsed('setResourceFinalizers'))
  }

  protected override applyAxiosKubeConfigAuth(): Promise<never> {
    return Promise.reject(notUsed('applyAxiosKubeConfigAuth'))
  }

  protected override applyGaxiosKubeConfigAuth(): Promise<never> {
    return Promise.reject(notUsed('applyGaxiosKubeConfigAuth'))
  }
}

function notUsed(method: string): Error {
  return new Error(`${method} of @dot-i/k8s-operator is not used here: requests go through src/kube`)
}

/** The constructor makes a client of what was loaded: of an address where nobody is. It never sends anything. */
function loadNothing(this: KubeConfig): void {
  this.loadFromClusterAndUser(
    { name: 'none', server: 'http://kubeconfig.invalid', skipTLSVerify: false },
    { name: 'none' },
  )
}
