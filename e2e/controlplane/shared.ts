/** The one control plane of a mocha run: started when the first test asks for it, stopped by `e2e/hooks.ts`. */
import type { Api } from '../../src/kube/api.ts'
import { type Cluster, openCluster } from './cluster.ts'
import type { ControlPlane } from './controlplane.ts'

// A test file cannot be given anything by another, so what they share is kept here. A failed start stays failed:
// it would only fail once more for every test.
let shared: Promise<Cluster> | undefined

export function sharedCluster(): Promise<Cluster> {
  return (shared ??= openCluster({ auditLog: true }))
}

export async function controlPlane(): Promise<ControlPlane> {
  return (await sharedCluster()).plane
}

export async function adminApi(): Promise<Api> {
  return (await sharedCluster()).api
}

export async function leaderGroupCrd(): Promise<void> {
  await (await sharedCluster()).installCrd()
}

export async function createNamespace(prefix?: string): Promise<string> {
  return (await sharedCluster()).createNamespace(prefix)
}

export async function stopControlPlane(): Promise<void> {
  const running = shared
  shared = undefined
  if (!running) return
  // A start that failed was reported to every test, and has left nothing behind.
  const cluster = await running.catch(() => undefined)
  await cluster?.[Symbol.asyncDispose]()
}
