/** The cluster that the demo plays on: its own, made for it, or the user's. */
import { spawn } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { findCluster } from '../../src/cmd/cluster.ts'
import { systemClock } from '../../src/clock.ts'
import { Api } from '../../src/kube/api.ts'
import { undiciTransport } from '../../src/kube/undici.ts'
import type { KubeObject, Resource } from '../../src/kube/objects.ts'
import { Nodes } from '../pods.ts'
import { must } from '../controlplane/must.ts'
import { resolveBinaries } from '../controlplane/binaries.ts'
import type { Progress } from '../controlplane/progress.ts'
import { startControlPlane } from '../controlplane/start.ts'

export interface Stage {
  readonly api: Api
  readonly server: string
  /** Certificates to trust, PEM; undefined: the system's. */
  readonly ca: string | undefined
  /** Pods run on nodes of their own; else the demo plays the kubelet. */
  readonly hasNodes: boolean
  /** What a person types instead of `kubectl` to get at it. */
  readonly kubectlCommand: string
  /** The output of kubectl; undefined where there is none. */
  kubectl(args: readonly string[]): Promise<string | undefined>
  close(): Promise<void>
}

export async function ownStage(progress: Progress, signal: AbortSignal): Promise<Stage> {
  const plane = await startControlPlane({ progress, signal, fsync: true })
  const access = { tls: { ca: plane.ca }, headers: { authorization: `Bearer ${plane.adminToken}` } }
  const credentials = { server: plane.server, load: () => Promise.resolve(access) }
  const transport = undiciTransport({ credentials, userAgent: 'leadergroup-demo' })
  const kubectlCommand = join(plane.dir, 'kubectl')
  await writeFile(kubectlCommand, await kubectlScript(plane.kubeconfigPath), { mode: 0o700 })
  return {
    api: new Api(transport, systemClock),
    server: plane.server,
    ca: plane.ca,
    hasNodes: false,
    kubectlCommand,
    kubectl: async (args) => (await plane.kubectl(...args)).stdout,
    async close() {
      await transport.close()
      await plane.stop()
    },
  }
}

/** The kubectl of the control plane, for a person who may have none, on the demo's cluster. */
async function kubectlScript(kubeconfigPath: string): Promise<string> {
  const { kubectl } = await resolveBinaries({ components: ['kubectl'] })
  const words = [kubectl.command, ...kubectl.prefixArgs, '--kubeconfig', kubeconfigPath]
  return `#!/bin/sh\nexec ${words.map((word) => `'${word}'`).join(' ')} "$@"\n`
}

export interface UserCluster {
  readonly context: string
  readonly kubeconfig: string | undefined
}

export async function usersStage({ context, kubeconfig }: UserCluster): Promise<Stage> {
  const { credentials } = await findCluster({ context, kubeconfig }, { HOME: homedir(), ...process.env }, systemClock)
  const transport = undiciTransport({ credentials, userAgent: 'leadergroup-demo' })
  const api = new Api(transport, systemClock)
  const { ca } = (await credentials.load()).tls
  const flags = ['--context', context, ...(kubeconfig === undefined ? [] : ['--kubeconfig', kubeconfig])]
  return {
    api,
    server: credentials.server,
    ca: ca?.toString(),
    hasNodes: await hasKubelet(api),
    kubectlCommand: ['kubectl', ...flags].join(' '),
    kubectl: (args) => run('kubectl', [...flags, ...args]),
    close: () => transport.close(),
  }
}

/** A node that nobody plays says which kubelet it runs. */
async function hasKubelet(api: Api): Promise<boolean> {
  const nodes: Resource<
    KubeObject & { readonly status?: { readonly nodeInfo?: { readonly kubeletVersion?: string } } }
  > = Nodes
  return must(await api.list(nodes)).items.some(({ status }) => status?.nodeInfo?.kubeletVersion)
}

/** Standard output of a command; undefined when there is no such command. */
async function run(command: string, args: readonly string[]): Promise<string | undefined> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const started = new Promise<boolean>((resolve) => {
    child.once('spawn', () => resolve(true))
    child.once('error', () => resolve(false))
  })
  return (await started) ? text(child.stdout) : undefined
}

/** A file of the project, by its path from the top. */
export function projectFile(path: string): Promise<string> {
  return readFile(join(import.meta.dirname, '../..', path), 'utf8')
}
