/** The election of OpenShift's masters, in today's form. */
export type { Leaser } from '../etcd/leaser.ts'
export { ElectorLeaser, type ElectorLeaserOptions } from '../openshift/elector-leaser.ts'
export { Leased, type LeasedOptions } from '../openshift/leased.ts'
export { newLeaderElection, type LeaderElection, type LeaderElectionOptions } from '../openshift/new-leader-election.ts'
export { Plug, PlugStoppedError, type WaitOptions } from '../openshift/plug.ts'
