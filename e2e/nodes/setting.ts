/** How pods elect and traffic is routed: the manifests of one combination. */
export type Elector = 'none' | 'hand' | 'library' | 'elect' | 'sidecar' | 'client-go'
export type Routing = 'Direct' | 'Selector' | 'own Service'

export interface Setting {
  /** `none`: the operator elects (mode Assign); `hand`: there is no group; else it follows (mode Observe). */
  readonly elector: Elector
  readonly routing: Routing
  readonly releaseDeadHolder?: boolean
  /** `Pods`: nobody replaces them, and no kubelet restarts their containers (restart policy Never). */
  readonly kind?: 'Deployment' | 'StatefulSet' | 'Pods'
  /** How long the workload goes on answering after SIGTERM. */
  readonly lingerMillis?: number
  /** client-go's electors empty their Lease at a graceful end. Default: true. */
  readonly releases?: false
  /** Nobody says which container elects. */
  readonly unnamedElector?: true
  /** One that has run to its end before the others start. */
  readonly initContainer?: true
  readonly memoryLimit?: string
  /** Without a Service for the followers. */
  readonly leaderOnly?: true
}

export const GROUP = 'db'
const PORT = 8080

/** Commands of the container that elects, and a word by which its processes are found. */
const ELECTORS: Readonly<Record<Elector, { readonly container: string; readonly word: string }>> = {
  none: { container: 'server', word: '/app/serve.ts' },
  hand: { container: 'server', word: '/app/serve.ts' },
  library: { container: 'server', word: '/app/serve.ts' },
  elect: { container: 'server', word: '/leadergroup.mjs' },
  sidecar: { container: 'elector', word: '/leadergroup.mjs' },
  'client-go': { container: 'elector', word: '/app/client-go' },
}

/** Not the operator's: it would take that off, for there is no group. */
export const HAND_LABEL = `${GROUP}.example.com/role`

export function leaderLabelOf({ elector }: Setting): string {
  return elector === 'hand' ? HAND_LABEL : `${GROUP}.leadergroup.io/role`
}

export function electorOf(setting: Setting): { readonly container: string; readonly word: string } {
  return ELECTORS[setting.elector]
}

const TITLES: Readonly<Partial<Record<Elector, string>>> = { none: 'Assign', hand: 'by hand' }

export function nameOf({ elector, routing, releaseDeadHolder, kind, lingerMillis, leaderOnly }: Setting): string {
  return [
    TITLES[elector] ?? `Observe, ${elector}`,
    ...(releaseDeadHolder ? ['releaseDeadHolder'] : []),
    routing,
    ...(leaderOnly ? ['leader only'] : []),
    ...(kind === 'StatefulSet' ? [kind] : []),
    ...(lingerMillis ? [`lingers ${lingerMillis} ms`] : []),
  ].join(', ')
}

/** Pods are on two nodes, neither of which is the client's: their traffic crosses from one node to another, and a node can be taken away. */
export function manifests(setting: Setting, image: string, clientNode: string): readonly object[] {
  const metadata = { name: GROUP }
  return [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'Role',
      metadata,
      rules: [
        {
          apiGroups: ['coordination.k8s.io'],
          resources: ['leases'],
          verbs: ['get', 'list', 'watch', 'create', 'update'],
        },
      ],
    },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'RoleBinding',
      metadata,
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: GROUP },
      subjects: [{ kind: 'ServiceAccount', name: GROUP }],
    },
    ...(setting.elector === 'hand' ? byHand() : [leaderGroup(setting)]),
    ...(setting.routing === 'own Service' ? [ownService('leader'), ownService('follower')] : []),
    ...workload(setting, image, clientNode),
  ]
}

const REPLICAS = [0, 1, 2]

/** Pods elect among themselves, with a container that is to be named. */
function electsItself({ elector }: Setting): boolean {
  return elector !== 'none' && elector !== 'hand'
}

function workload(setting: Setting, image: string, clientNode: string): readonly object[] {
  const { kind = 'Deployment', elector, unnamedElector } = setting
  const annotations =
    !electsItself(setting) || unnamedElector
      ? {}
      : { annotations: { 'leadergroup.io/elector-container': ELECTORS[elector].container } }
  const metadata = { labels: { app: GROUP }, ...annotations }
  const spec = podSpec(setting, image, clientNode)
  if (kind === 'Pods') {
    return REPLICAS.map((index) => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: `${GROUP}-${index}`, ...metadata },
      spec: { ...spec, restartPolicy: 'Never' },
    }))
  }
  const controller = kind === 'StatefulSet' ? { serviceName: GROUP, podManagementPolicy: 'Parallel' } : {}
  return [
    {
      apiVersion: 'apps/v1',
      kind,
      metadata: { name: GROUP },
      spec: {
        replicas: REPLICAS.length,
        selector: { matchLabels: { app: GROUP } },
        ...controller,
        template: { metadata, spec },
      },
    },
  ]
}

function leaderGroup({ elector, routing, releaseDeadHolder, leaderOnly }: Setting): object {
  const ports = [{ name: 'http', port: 80, targetPort: PORT }]
  return {
    apiVersion: 'leadergroup.io/v1alpha1',
    kind: 'LeaderGroup',
    metadata: { name: GROUP },
    spec: {
      selector: { matchLabels: { app: GROUP } },
      ...(elector === 'none' ? {} : { mode: 'Observe', leaseName: GROUP }),
      ...(releaseDeadHolder ? { failover: { releaseDeadHolder } } : {}),
      ...(routing === 'Direct' ? {} : { labelFollowers: true }),
      ...(routing === 'own Service'
        ? {}
        : {
            services: [
              { name: serviceOf('leader'), role: 'Leader', routing, ports },
              ...(leaderOnly ? [] : [{ name: serviceOf('follower'), role: 'Follower', routing, ports }]),
            ],
          }),
    },
  }
}

export function serviceOf(role: 'leader' | 'follower'): string {
  return `${GROUP}-${role}`
}

function ownService(role: 'leader' | 'follower'): object {
  return service(serviceOf(role), { selector: { [`${GROUP}.leadergroup.io/role`]: role } })
}

function service(name: string, spec: { readonly selector?: object } = {}): object {
  const ports = [{ name: 'http', port: 80, targetPort: PORT }]
  return { apiVersion: 'v1', kind: 'Service', metadata: { name }, spec: { ...spec, ports } }
}

/** Where a hand writes; nobody leads yet. */
function byHand(): readonly object[] {
  const name = serviceOf('leader')
  const labels = { 'kubernetes.io/service-name': name, 'endpointslice.kubernetes.io/managed-by': 'hand' }
  return [
    { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name: GROUP } },
    service(name),
    {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name, labels },
      addressType: 'IPv4',
      ports: [{ name: 'http', port: PORT, protocol: 'TCP' }],
      endpoints: [],
    },
  ]
}

function podSpec(
  { elector, lingerMillis = 0, releases, memoryLimit, initContainer }: Setting,
  image: string,
  clientNode: string,
): object {
  const own = (name: string, fieldPath: string): object => ({ name, valueFrom: { fieldRef: { fieldPath } } })
  const env = [
    own('POD_NAME', 'metadata.name'),
    own('POD_UID', 'metadata.uid'),
    own('POD_NAMESPACE', 'metadata.namespace'),
    { name: 'LINGER_MILLIS', value: String(lingerMillis) },
    ...(elector === 'library' ? [{ name: 'ELECT', value: GROUP }] : []),
  ]
  const container = (name: string, command: readonly string[]): object => ({
    name,
    image,
    imagePullPolicy: 'IfNotPresent',
    command,
    env,
    ...(memoryLimit === undefined ? {} : { resources: { limits: { memory: memoryLimit } } }),
    securityContext: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } },
  })
  const elect = ['node', '/leadergroup.mjs', 'elect', '--lease', GROUP, '--', 'node', '/app/serve.ts']
  const clientGo = ['node', '/app/elector.ts', GROUP, ...(releases === false ? [] : ['--release-on-cancel'])]
  const server = container('server', elector === 'elect' ? elect : ['node', '/app/serve.ts'])
  const probe = { httpGet: { path: '/ready', port: PORT }, periodSeconds: 1, failureThreshold: 1 }
  // Followers of `elect` answer nothing: they have no command that runs.
  const probed = elector === 'elect' ? server : { ...server, readinessProbe: probe }
  const containers = elector === 'client-go' ? [probed, container('elector', clientGo)] : [probed]
  const sidecar = {
    ...container('elector', ['node', '/leadergroup.mjs', 'sidecar', '--lease', GROUP]),
    restartPolicy: 'Always',
  }
  return {
    serviceAccountName: GROUP,
    shareProcessNamespace: true,
    terminationGracePeriodSeconds: 10,
    securityContext: { runAsNonRoot: true, runAsUser: 65532, seccompProfile: { type: 'RuntimeDefault' } },
    tolerations: [],
    affinity: {
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: {
          nodeSelectorTerms: [
            { matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'NotIn', values: [clientNode] }] },
          ],
        },
      },
    },
    topologySpreadConstraints: [
      {
        topologyKey: 'kubernetes.io/hostname',
        maxSkew: 1,
        whenUnsatisfiable: 'DoNotSchedule',
        labelSelector: { matchLabels: { app: GROUP } },
      },
    ],
    containers,
    initContainers: [
      ...(initContainer ? [container('init', ['node', '--eval', 'process.exitCode = 0'])] : []),
      ...(elector === 'sidecar' ? [sidecar] : []),
    ],
  }
}

export function clientPod(
  image: string,
  node: string,
  beatMillis: number,
  urls: { readonly leader: string; readonly follower: string | undefined },
): object {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'client' },
    spec: {
      nodeName: node,
      automountServiceAccountToken: false,
      terminationGracePeriodSeconds: 1,
      securityContext: { runAsNonRoot: true, runAsUser: 65532, seccompProfile: { type: 'RuntimeDefault' } },
      containers: [
        {
          name: 'client',
          image,
          imagePullPolicy: 'IfNotPresent',
          command: [
            'node',
            '/app/client.ts',
            String(beatMillis),
            urls.leader,
            ...(urls.follower === undefined ? [] : [urls.follower]),
          ],
          securityContext: {
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            capabilities: { drop: ['ALL'] },
          },
        },
      ],
    },
  }
}
