/** `leadergroup/coordinated`: elections in which the API server chooses among the candidates (KEP-4355). */
export { coordinated, CoordinatedElector } from '../lock/coordinated.ts'
export type { CoordinatedOptions } from '../lock/coordinated.ts'
export { connect } from './connect.ts'
export type { ConnectOptions, Connection } from './connect.ts'
export type { Api } from '../kube/api.ts'
export type { KubeConfigLike } from '../kube/kube-config-like.ts'
