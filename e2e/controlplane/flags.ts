/** Command lines of the servers. `dir` holds every file they read or write. */
import { join } from 'node:path'

export interface Ports {
  readonly etcd: number
  readonly etcdPeer: number
  readonly apiserver: number
}

export interface FlagOptions {
  /** Makes etcd wait for the disk on each write. Tests do without: their data is thrown away. */
  readonly fsync: boolean
  readonly auditLog: boolean
  readonly controllerManager: boolean
  /** Where the API server listens: nodes cannot reach it on the loopback interface. */
  readonly address: string
  /** Kubelets run, and keep pods and nodes alive. */
  readonly nodes: boolean
  readonly featureGates: Readonly<Record<string, boolean>>
  readonly extraApiServerArgs: readonly string[]
  readonly extraControllerManagerArgs: readonly string[]
}

export const FILES = {
  tokens: 'tokens.csv',
  signingKey: 'service-accounts.key',
  publicKey: 'service-accounts.pub',
  auditPolicy: 'audit-policy.json',
  auditLog: 'audit.log',
  /** Written by the API server itself: self-signed, so it is its own authority. */
  certificate: 'certs/apiserver.crt',
  controllerManagerConfig: 'kube-controller-manager.kubeconfig',
} as const

export const HOST = '127.0.0.1'

export function etcdFlags(dir: string, ports: Ports, options: FlagOptions): string[] {
  const client = `http://${HOST}:${ports.etcd}`
  const peer = `http://${HOST}:${ports.etcdPeer}`
  return [
    `--data-dir=${join(dir, 'etcd')}`,
    `--listen-client-urls=${client}`,
    `--advertise-client-urls=${client}`,
    `--listen-peer-urls=${peer}`,
    `--initial-advertise-peer-urls=${peer}`,
    `--initial-cluster=default=${peer}`,
    '--log-level=warn',
    ...(options.fsync ? [] : ['--unsafe-no-fsync']),
  ]
}

export function apiServerFlags(dir: string, ports: Ports, options: FlagOptions): string[] {
  const gates = Object.entries(options.featureGates).map(([gate, on]) => `${gate}=${on}`)
  return [
    `--etcd-servers=http://${HOST}:${ports.etcd}`,
    `--cert-dir=${join(dir, 'certs')}`,
    `--secure-port=${ports.apiserver}`,
    `--bind-address=${options.address}`,
    // The certificate names 127.0.0.1 only when that is the advertised address. Endpoints may not hold a loopback
    // address, so the API server must not try to publish it.
    `--advertise-address=${options.address}`,
    ...(options.address === HOST ? ['--endpoint-reconciler-type=none'] : []),
    '--service-cluster-ip-range=10.96.0.0/16',
    `--token-auth-file=${join(dir, FILES.tokens)}`,
    '--authorization-mode=Node,RBAC',
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-account-key-file=${join(dir, FILES.publicKey)}`,
    `--service-account-signing-key-file=${join(dir, FILES.signingKey)}`,
    '--profiling=false',
    // Nobody makes service accounts then, and this plugin refuses every pod whose account does not exist.
    ...(options.controllerManager ? [] : ['--disable-admission-plugins=ServiceAccount']),
    ...(options.auditLog
      ? [`--audit-policy-file=${join(dir, FILES.auditPolicy)}`, `--audit-log-path=${join(dir, FILES.auditLog)}`]
      : []),
    ...(gates.length > 0 ? [`--feature-gates=${gates.join(',')}`] : []),
    ...options.extraApiServerArgs,
  ]
}

export function controllerManagerFlags(dir: string, options: FlagOptions): string[] {
  const config = join(dir, FILES.controllerManagerConfig)
  return [
    `--kubeconfig=${config}`,
    `--authentication-kubeconfig=${config}`,
    `--authorization-kubeconfig=${config}`,
    `--service-account-private-key-file=${join(dir, FILES.signingKey)}`,
    `--root-ca-file=${join(dir, FILES.certificate)}`,
    '--use-service-account-credentials',
    '--leader-elect=false',
    // Nodes that are real bring their pods' addresses along.
    ...(options.nodes ? [] : ['--allocate-node-cidrs', '--cluster-cidr=10.244.0.0/16']),
    // Pods without a kubelet would not survive these two: no node heartbeats, and none may exist.
    ...(options.nodes ? [] : ['--controllers=*,-pod-garbage-collector-controller,-node-lifecycle-controller']),
    // Nobody asks it for anything, and its fixed port would keep a second control plane from starting.
    '--secure-port=0',
    '--profiling=false',
    // Its own limits (20 requests a second) and pauses between controllers would add 4 s to every start.
    '--kube-api-qps=1000',
    '--kube-api-burst=2000',
    '--controller-start-interval=0s',
    ...options.extraControllerManagerArgs,
  ]
}

/** Whole objects for writes, which is the history that tests read, and for reads of a Lease; who and what for the rest. */
export const AUDIT_POLICY = {
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: ['RequestReceived'],
  rules: [
    { level: 'RequestResponse', verbs: ['create', 'update', 'patch', 'delete', 'deletecollection'] },
    { level: 'RequestResponse', verbs: ['get'], resources: [{ group: 'coordination.k8s.io', resources: ['leases'] }] },
    { level: 'Metadata' },
  ],
}
