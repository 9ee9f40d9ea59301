/** The one control plane of a mocha run: started when the first test asks for it, stopped by `e2e/hooks.ts`. */
import { randomBytes } from 'node:crypto'
import { systemClock } from '../../src/clock.ts'
import { Api } from '../../src/kube/api.ts'
import type { KubeObject, Resource } from '../../src/kube/objects.ts'
import { type UndiciTransport, undiciTransport } from '../../src/kube/undici.ts'
import type { ControlPlane } from './controlplane.ts'
import { installCrd } from './crd.ts'
import { eventually } from './eventually.ts'
import { must } from './must.ts'
import { startControlPlane } from './start.ts'

export const Namespaces: Resource<KubeObject> = { group: '', version: 'v1', plural: 'namespaces', kind: 'Namespace' }
export const ServiceAccounts: Resource<KubeObject> = {
  group: '',
  version: 'v1',
  plural: 'serviceaccounts',
  kind: 'ServiceAccount',
}

interface Shared {
  readonly plane: ControlPlane
  readonly transport: UndiciTransport
  readonly api: Api
  crd?: Promise<void>
}

// A test file cannot be given anything by another, so what they share is kept here. A failed start stays failed:
// it would only fail once more for every test.
let shared: Promise<Shared> | undefined

export async function controlPlane(): Promise<ControlPlane> {
  return (await start()).plane
}

/** As a user who may do everything. Closed together with the control plane. */
export async function adminApi(): Promise<Api> {
  return (await start()).api
}

/** The LeaderGroup resource, installed once for all tests. */
export async function leaderGroupCrd(): Promise<void> {
  const it = await start()
  await (it.crd ??= installCrd(it.plane))
}

/** A namespace of its own for a test, with the service account that its pods need. Resolves to its name. */
export async function createNamespace(prefix = 'test'): Promise<string> {
  const api = await adminApi()
  const name = `${prefix}-${randomBytes(4).toString('hex')}`
  must(await api.create(Namespaces, undefined, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } }))
  await eventually({ what: `the default service account of namespace ${name}` }, async () => {
    const found = await api.get(ServiceAccounts, { namespace: name, name: 'default' })
    return found.kind === 'ok' ? true : undefined
  })
  return name
}

export async function stopControlPlane(): Promise<void> {
  const running = shared
  shared = undefined
  if (!running) return
  // A start that failed was reported to every test, and has left nothing behind.
  const it = await running.catch(() => undefined)
  await it?.transport.close()
  await it?.plane.stop()
}

function start(): Promise<Shared> {
  return (shared ??= startShared())
}

async function startShared(): Promise<Shared> {
  const plane = await startControlPlane({ auditLog: true })
  const access = { tls: { ca: plane.ca }, headers: { authorization: `Bearer ${plane.adminToken}` } }
  const transport = undiciTransport({
    credentials: { server: plane.server, load: () => Promise.resolve(access) },
    userAgent: 'leadergroup-e2e',
  })
  return { plane, transport, api: new Api(transport, systemClock, { fieldManager: 'e2e' }) }
}
