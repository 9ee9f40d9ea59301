import { join } from 'node:path'
import type { ControlPlane } from './controlplane.ts'

const CRD_FILE = join(import.meta.dirname, '../../crds/leadergroup.yaml')

/** Applies the shipped CRD, and resolves when the API server serves it. */
export async function installCrd(plane: ControlPlane): Promise<void> {
  await succeed(plane, 'apply', '-f', CRD_FILE)
  await succeed(plane, 'wait', '--for=condition=Established', '--timeout=30s', '-f', CRD_FILE)
  // It is established before its storage is there. kubectl waits and asks again where the server says so (429).
  await succeed(plane, 'get', 'leadergroups', '--all-namespaces')
}

async function succeed(plane: ControlPlane, ...args: string[]): Promise<void> {
  const { code, stderr } = await plane.kubectl(...args)
  if (code !== 0) throw new Error(`kubectl ${args.join(' ')} failed (exit code ${code}): ${stderr.trim()}`)
}
