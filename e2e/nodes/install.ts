/** The operator as an administrator installs it: its image on every node, `kubectl apply -k`, and two ready replicas. */
import { join } from 'node:path'
import type { Progress } from '../controlplane/progress.ts'
import type { NodesCluster } from './cluster.ts'
import { imageBuilder } from './images.ts'

const DEFAULT = join(import.meta.dirname, '../../config/default')
const NAMESPACE = 'leadergroup-system'
const DEPLOYMENT = 'deployment/leadergroup-controller-manager'
const READY_SECONDS = 120

export async function installOperator(cluster: NodesCluster, progress: Progress): Promise<void> {
  progress.say('building the image of the operator')
  const { archive } = await imageBuilder().operator()
  await cluster.load(archive)
  await kubectl(cluster, 'apply', '-k', DEFAULT)
  await kubectl(cluster, '-n', NAMESPACE, 'rollout', 'status', DEPLOYMENT, `--timeout=${READY_SECONDS}s`)
  progress.say('the operator runs')
}

async function kubectl({ cluster: { plane } }: NodesCluster, ...args: string[]): Promise<void> {
  const { code, stderr } = await plane.kubectl(...args)
  if (code !== 0) throw new Error(`kubectl ${args.join(' ')} failed (exit code ${code}): ${stderr.trim()}`)
}
