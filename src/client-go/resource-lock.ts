import type { Lock } from '../lock/lock.ts'
import type { LeaseName } from '../lock/lease-name.ts'
import type { ElectorOptions } from '../lock/options.ts'

/** What a candidate competes for, and under which name: client-go's `resourcelock.Interface`. */
export interface ResourceLock {
  /** Unique among all living processes that compete for the lock. */
  readonly identity: string
  /** Reads and writes: any lock of this library, or a Lease by its name. */
  readonly lock: Lock | LeaseName
  /** The cluster of a Lease that is given by its name. @default that of an Elector */
  readonly kube?: NonNullable<ElectorOptions['kube']>
  /** Names the lock to people, as `namespace/name`. */
  describe(): string
  /** Told `became leader` and `stopped leading`. What it throws goes to `onError`. */
  recordEvent?(message: string): unknown
}

/** Who competes, and who is told of it: client-go's `ResourceLockConfig`. */
export interface ResourceLockConfig {
  /** Unique among all living processes that compete for the lock. */
  readonly identity: string
  /** @default nobody */
  readonly eventRecorder?: EventRecorder
}

/** Writes Kubernetes events; a program that has none may log them. */
export interface EventRecorder {
  /** What it returns is awaited by nobody; what it throws, or its promise rejects with, goes to `onError`. */
  event(object: EventObject, type: 'Normal', reason: 'LeaderElection', message: string): unknown
}

/** What an event is about: its `involvedObject`, as far as an elector knows it. */
export interface EventObject {
  /** `coordination.k8s.io/v1` */
  readonly apiVersion: string
  /** `Lease` */
  readonly kind: string
  /** Of the lock. */
  readonly namespace: string
  /** Of the lock. */
  readonly name: string
}
