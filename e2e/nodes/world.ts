/** The cluster that the scenarios run on: one made for them on this machine, or the user's own. */
import { homedir } from 'node:os'
import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'
import { findCluster } from '../../src/cmd/cluster.ts'
import { systemClock } from '../../src/clock.ts'
import { Api } from '../../src/kube/api.ts'
import { undiciTransport } from '../../src/kube/undici.ts'
import type { Output } from '../controlplane/controlplane.ts'
import type { Progress } from '../controlplane/progress.ts'
import { ended } from '../controlplane/scratch.ts'
import { type NodesCluster, openNodes } from './cluster.ts'
import { OPERATOR_IMAGE, imageBuilder } from './images.ts'
import { WORKLOAD_IMAGE, workloadImage } from './workload-image.ts'

export interface Reach {
  kubectl(args: readonly string[], input?: string): Promise<Output>
}

export interface World extends Reach, AsyncDisposable {
  readonly api: Api
  /** Where nodes can be cut off and powered off; undefined on somebody's own cluster. */
  readonly own: NodesCluster | undefined
  readonly images: Images
}

export interface Images {
  readonly operator: string
  readonly workload: string
  /** Of the operator's, with all its layers; undefined where it was not built here. */
  readonly operatorBytes?: number
}

export async function ownWorld(progress: Progress, signal?: AbortSignal): Promise<World> {
  const own = await openNodes({ progress, ...(signal ? { signal } : {}), fsync: true })
  try {
    progress.say('building images')
    const builder = imageBuilder()
    const operator = await builder.operator()
    const workload = await workloadImage(builder, operator.name)
    for (const { archive } of [operator, workload]) await own.load(archive)
    return {
      api: own.cluster.api,
      own,
      images: { operator: OPERATOR_IMAGE, workload: WORKLOAD_IMAGE, operatorBytes: operator.bytes },
      kubectl: (args, input) => own.cluster.plane.runKubectl(args, input),
      [Symbol.asyncDispose]: () => own[Symbol.asyncDispose](),
    }
  } catch (error) {
    await own[Symbol.asyncDispose]()
    throw error
  }
}

/** Its nodes must have both images, or be able to pull them. */
export async function usersWorld(context: string, images: Images): Promise<World> {
  const { credentials } = await findCluster(
    { context, kubeconfig: undefined },
    { HOME: homedir(), ...process.env },
    systemClock,
  )
  const transport = undiciTransport({ credentials, userAgent: 'leadergroup-e2e' })
  return {
    api: new Api(transport, systemClock),
    own: undefined,
    images,
    async kubectl(args, input) {
      const child = spawn('kubectl', ['--context', context, ...args], { stdio: 'pipe' })
      child.stdin.on('error', () => undefined)
      child.stdin.end(input)
      const [stdout, stderr, { code }] = await Promise.all([text(child.stdout), text(child.stderr), ended(child)])
      return { stdout, stderr, code }
    },
    [Symbol.asyncDispose]: () => transport.close(),
  }
}

/** What kubectl wrote; it must end well. */
export async function succeed(world: Reach, args: readonly string[], input?: string): Promise<string> {
  const { stdout, stderr, code } = await world.kubectl(args, input)
  if (code !== 0) throw new Error(`kubectl ${args.join(' ')} failed (exit code ${code}): ${stderr.trim()}`)
  return stdout
}
