import { join } from 'node:path'
import type { ControlPlane } from './controlplane.ts'
import { eventually } from './eventually.ts'

const CRD_FILE = join(import.meta.dirname, '../../crds/leadergroup.yaml')

/** Applies the shipped CRD, and resolves when the API server serves it. */
export async function installCrd(plane: ControlPlane): Promise<void> {
  await succeed(plane, 'apply', '-f', CRD_FILE)
  await untilEstablished(plane)
  // It is established before its storage is there. kubectl waits and asks again where the server says so (429).
  await succeed(plane, 'get', 'leadergroups', '--all-namespaces')
}

/** Not by `kubectl wait --for=condition`, nor by a path: both fail where the server has written no condition yet. */
export async function untilEstablished(plane: ControlPlane): Promise<void> {
  await eventually({ what: 'the CRD is established', millis: 30_000 }, async () => {
    const { status } = JSON.parse(await succeed(plane, 'get', '-f', CRD_FILE, '-o', 'json')) as CustomResourceDefinition
    const isEstablished = status?.conditions?.some(({ type, status }) => type === 'Established' && status === 'True')
    return isEstablished || undefined
  })
}

interface CustomResourceDefinition {
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] | null }
}

async function succeed(plane: ControlPlane, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await plane.kubectl(...args)
  if (code !== 0) throw new Error(`kubectl ${args.join(' ')} failed (exit code ${code}): ${stderr.trim()}`)
  return stdout
}
