/** Leadership by a lease of etcd. */
export { connectEtcd, type Etcd, type EtcdOptions } from '../etcd/connect-etcd.ts'
export { EtcdError } from '../etcd/etcd-error.ts'
export { EtcdLeaser } from '../etcd/etcd-leaser.ts'
export { LeaseLostError, type Loss } from '../etcd/lease-lost-error.ts'
export type { Leaser } from '../etcd/leaser.ts'
export type { EtcdLeaserOptions } from '../etcd/leaser-options.ts'
