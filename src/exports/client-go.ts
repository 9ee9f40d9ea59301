/** `leadergroup/client-go`: leader election under the names, and with the callbacks, of client-go. */
export { LeaderElector, runOrDie } from './leader-elector.ts'
export type { RunOptions } from '../client-go/leader-elector.ts'
export type { LeaderCallbacks, LeaderElectionConfig } from '../client-go/config.ts'
export { newEventRecorder } from '../client-go/event-recorder.ts'
export type { EventRecorderOptions } from '../client-go/event-recorder.ts'
export type { Task } from '../client-go/follow-task.ts'
export { HealthzAdaptor } from '../client-go/healthz-adaptor.ts'
export type { Checked } from '../client-go/healthz-adaptor.ts'
export { JitterFactor } from '../client-go/jitter-factor.ts'
export {
  leaderElectionRecordToLeaseSpec,
  leaseSpecToLeaderElectionRecord,
} from '../client-go/leader-election-record.ts'
export type { LeaderElectionRecord } from '../client-go/leader-election-record.ts'
export { LeaseLock } from '../client-go/lease-lock.ts'
export type { LeaseLockOptions } from '../client-go/lease-lock.ts'
export { setProvider } from '../client-go/metrics.ts'
export type { LeaderMetric, MetricsProvider } from '../client-go/metrics.ts'
export { newFromKubeconfig } from '../client-go/new-from-kubeconfig.ts'
export type { EventObject, EventRecorder, ResourceLock, ResourceLockConfig } from '../client-go/resource-lock.ts'
