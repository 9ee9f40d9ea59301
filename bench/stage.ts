/** A control plane of the benchmark's own, with the shipped CRD, RBAC and admission policies, and clients for it. */
import { join } from 'node:path'
import { systemClock } from '../src/clock.ts'
import { Api } from '../src/kube/api.ts'
import { EndpointSlices } from '../src/kube/objects.ts'
import { ApiError } from '../src/kube/outcome.ts'
import { type UndiciTransport, undiciTransport } from '../src/kube/undici.ts'
import type { ControlPlane } from '../e2e/controlplane/controlplane.ts'
import { installCrd } from '../e2e/controlplane/crd.ts'
import { eventually } from '../e2e/controlplane/eventually.ts'
import { must } from '../e2e/controlplane/must.ts'
import type { Progress } from '../e2e/controlplane/progress.ts'
import { openScratch } from '../e2e/controlplane/scratch.ts'
import { Namespaces } from '../e2e/controlplane/cluster.ts'
import { startControlPlane } from '../e2e/controlplane/start.ts'
import { OPERATOR_NAMESPACE, OPERATOR_USER } from '../e2e/operator-process.ts'
import { ensureNode } from '../e2e/pods.ts'
import { Audit, writeAuditPolicy } from './audit.ts'

const SERVICE_ACCOUNT = 'leadergroup-controller-manager'
const CONFIG = join(import.meta.dirname, '../config')

export interface StageOptions {
  /** Fills EndpointSlices; without it nothing but the operator works on what is stored. */
  readonly controllerManager: boolean
  /** The audit log keeps what the writes in it sent. */
  readonly bodies: boolean
  /** Whose requests the audit log keeps. Default: the operator's */
  readonly users?: readonly string[]
  readonly progress: Progress
  readonly signal: AbortSignal
}

export interface Stage extends AsyncDisposable {
  readonly plane: ControlPlane
  /** As a user who may do everything. */
  readonly api: Api
  /** The same, on connections that nothing else uses. */
  readonly observer: Api
  readonly audit: Audit
  /** Of the operator: its service account's token and nothing else. */
  readonly kubeconfig: string
  readonly progress: Progress
  readonly signal: AbortSignal
}

export async function openStage(options: StageOptions): Promise<Stage> {
  const { controllerManager, bodies, users = [OPERATOR_USER], progress, signal } = options
  await using stack = new AsyncDisposableStack()
  const { dir } = stack.use(await openScratch())
  const policy = join(dir, 'audit-policy.json')
  await writeAuditPolicy(policy, users, bodies)
  progress.say(`starting a control plane (fsync on, ${controllerManager ? 'with' : 'without'} the controller manager)`)
  const plane = await startControlPlane({
    fsync: true,
    auditLog: true,
    controllerManager,
    // One file, in MB: what reads it does not follow it through rotations.
    extraApiServerArgs: [`--audit-policy-file=${policy}`, '--audit-log-maxsize=100000'],
    progress,
    signal,
  })
  stack.use(plane)
  const [api, observer] = [client(plane, stack, plane.adminToken), client(plane, stack, plane.adminToken)]
  await installCrd(plane)
  await createNamespace(api, OPERATOR_NAMESPACE)
  for (const part of ['rbac', 'policy']) {
    const { code, stderr } = await plane.kubectl('apply', '-k', join(CONFIG, part))
    if (code !== 0) throw new Error(`kubectl apply -k config/${part}: ${stderr}`)
  }
  const token = await plane.serviceAccountToken(OPERATOR_NAMESPACE, SERVICE_ACCOUNT)
  const kubeconfig = await plane.kubeconfigFor(SERVICE_ACCOUNT, token)
  await untilPoliciesBind(client(plane, stack, token))
  await ensureNode(api, 'node-1')
  const audit = new Audit(plane.auditLogPath!)
  const open = stack.move()
  const close = (): Promise<void> => open.disposeAsync()
  return { plane, api, observer, audit, kubeconfig, progress, signal, [Symbol.asyncDispose]: close }
}

/** The API server takes a while to notice them: until then it refuses the operator nothing, and costs it nothing. */
async function untilPoliciesBind(operator: Api): Promise<void> {
  const foreign = {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: 'foreign' },
    addressType: 'IPv4',
    endpoints: [],
  }
  await eventually({ what: 'the admission policies', millis: PATIENT_MILLIS }, async () => {
    const refusal = await operator
      .create(EndpointSlices, OPERATOR_NAMESPACE, foreign, { dryRun: true })
      .catch((error: unknown) => error)
    return refusal instanceof ApiError && refusal.message.includes('leadergroup-endpoint-slices') ? true : undefined
  })
}

export async function createNamespace(api: Api, name: string): Promise<void> {
  const outcome = await api.create(Namespaces, undefined, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } })
  if (outcome.kind !== 'exists') must(outcome)
}

/** A burst may keep a request waiting for long: its own deadline would turn load into an error. */
const PATIENT_MILLIS = 60_000

function client(plane: ControlPlane, stack: AsyncDisposableStack, token: string): Api {
  const access = { tls: { ca: plane.ca }, headers: { authorization: `Bearer ${token}` } }
  const transport: UndiciTransport = undiciTransport({
    credentials: { server: plane.server, load: () => Promise.resolve(access) },
    userAgent: 'leadergroup-bench',
  })
  stack.defer(() => transport.close())
  return new Api(transport, systemClock, { timeoutMillis: PATIENT_MILLIS, fieldManager: 'bench' })
}
