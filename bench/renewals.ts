/**
 * The floor of a crowd that leads: as many Leases, renewed as often, by nothing but undici. It takes the flags of
 * `bench/elector.ts`, and says the same of itself.
 */
import { parseArgs } from 'node:util'
import { setTimeout as sleep } from 'node:timers/promises'
import { Pool, buildConnector } from 'undici'
import type { Lease } from '../src/kube/objects.ts'
import { readKubeConfig } from './read-kubeconfig.ts'
import { say, sayUsage } from './say.ts'

const RETRY_PERIOD_MILLIS = 2_000
/** As the library has for Leases. */
const CONNECTIONS = 32

const { values } = parseArgs({
  strict: false,
  options: {
    lease: { type: 'string', default: '' },
    namespace: { type: 'string', default: '' },
    id: { type: 'string', default: '' },
    kubeconfig: { type: 'string', default: '' },
    count: { type: 'string', default: '1' },
  },
})
const count = Number(values.count)
const kube = readKubeConfig(String(values.kubeconfig))
const access: { ca?: Buffer; headers?: Record<string, string> } = {}
await kube.applyToHTTPSOptions(access)
const { ca, headers } = access
const pool = new Pool(kube.getCurrentCluster()!.server, {
  allowH2: false,
  connections: CONNECTIONS,
  connect: buildConnector(ca ? { ca } : {}),
})
const leases = `/apis/coordination.k8s.io/v1/namespaces/${String(values.namespace)}/leases`

setInterval(sayUsage, 1_000)
for (let index = 0; index < count; index++) void renew(`${String(values.lease)}-${index}`)

async function renew(name: string): Promise<void> {
  // Spread over a period, as electors are that began one after the other.
  await sleep(Math.random() * RETRY_PERIOD_MILLIS)
  let lease = await send('POST', leases, { metadata: { name }, spec: specNow() })
  say('leading')
  for (;;) {
    await sleep(RETRY_PERIOD_MILLIS)
    lease = await send('PUT', `${leases}/${name}`, { ...lease, spec: { ...lease.spec, ...specNow() } })
  }
}

async function send(method: 'POST' | 'PUT', path: string, lease: object): Promise<Lease> {
  const body = JSON.stringify({ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', ...lease })
  const sent = { ...headers, accept: 'application/json', 'content-type': 'application/json' }
  const response = await pool.request({ method, path, headers: sent, body })
  const text = await response.body.text()
  if (response.statusCode >= 300) throw new Error(`${method} ${path}: ${response.statusCode} ${text}`)
  return JSON.parse(text) as Lease
}

function specNow(): Lease['spec'] {
  const now = new Date().toISOString().replace('Z', '000Z')
  return {
    holderIdentity: String(values.id),
    leaseDurationSeconds: 15,
    acquireTime: now,
    renewTime: now,
    leaseTransitions: 0,
  }
}
