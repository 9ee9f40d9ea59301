import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { systemClock } from '../src/clock.ts'
import { describeApiContract, type ContractSetting } from '../src/kube/contract.ts'
import { undiciTransport } from '../src/kube/undici.ts'
import type { ControlPlane } from './controlplane/controlplane.ts'
import { untilEstablished } from './controlplane/crd.ts'
import { startControlPlane } from './controlplane/start.ts'

const NAMESPACE = 'contract'
const CRD_FILE = new URL('../crds/leadergroup.yaml', import.meta.url)

describeApiContract('a real control plane', async () => {
  const controlPlane = await startControlPlane()
  try {
    return await open(controlPlane)
  } catch (error) {
    await controlPlane.stop()
    throw error
  }
})

async function open(controlPlane: ControlPlane): Promise<ContractSetting> {
  await controlPlane.apply(await readFile(CRD_FILE, 'utf8'))
  await untilEstablished(controlPlane)
  await must(controlPlane, 'create', 'namespace', NAMESPACE)
  // Without this account no pod is admitted.
  await must(controlPlane, 'wait', '--for=create', '--timeout=30s', '-n', NAMESPACE, 'serviceaccount/default')
  const access = {
    tls: { ca: controlPlane.ca },
    headers: { authorization: `Bearer ${controlPlane.adminToken}` },
  }
  const transport = undiciTransport({
    credentials: { server: controlPlane.server, load: () => Promise.resolve(access) },
    userAgent: 'leadergroup-contract',
  })
  return {
    transport,
    clock: systemClock,
    namespace: NAMESPACE,
    advance: (millis) => sleep(millis),
    compact: () => compact(controlPlane),
    async tearDown() {
      await transport.close()
      await controlPlane.stop()
    },
  }
}

/** Through etcd itself: the API server forgets by time only, five minutes at the least. */
async function compact(controlPlane: ControlPlane): Promise<void> {
  const list = await must(controlPlane, 'get', '--raw', `/api/v1/namespaces/${NAMESPACE}/pods`)
  const { metadata } = JSON.parse(list) as { metadata: { resourceVersion: string } }
  const body = JSON.stringify({ revision: metadata.resourceVersion, physical: true })
  const response = await fetch(`${controlPlane.etcdUrl}/v3/kv/compaction`, { method: 'POST', body })
  const said = await response.text()
  if (!response.ok) throw new Error(`etcd did not compact: ${response.status} ${said}`)
}

async function must(controlPlane: ControlPlane, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await controlPlane.kubectl(...args)
  if (code !== 0) throw new Error(`kubectl ${args.join(' ')} failed (exit code ${code}): ${stderr.trim()}`)
  return stdout
}
