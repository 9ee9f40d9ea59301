/** What an example runs in a pod to elect, as a process of this machine. */
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Pod } from '../src/kube/objects.ts'
import { type Finished, type Scratch, ended, openScratch } from './controlplane/scratch.ts'

const MAIN = join(import.meta.dirname, '..', 'src', 'cmd', 'main.ts')

interface Container {
  readonly command?: readonly string[]
  readonly args?: readonly string[]
}

export interface Running extends AsyncDisposable {
  /** What it has printed. */
  readonly stdout: string
  /** What is in the file of a sidecar; nothing where there is none. */
  file(): Promise<string>
  /** SIGTERM; resolves when it has ended. */
  stop(): Promise<void>
}

/** With the kubeconfig of the pod's service account. It serves nothing, and its file is elsewhere than in a pod. */
export async function startRunning(pod: Pod, namespace: string, kubeconfig: string): Promise<Running> {
  const scratch = await openScratch()
  const [subcommand, ...args] = commandOf(pod)
  const path = join(scratch.dir, 'deadline')
  const own = subcommand === 'sidecar' ? ['--bind-address=0'] : []
  const moved = args.map((arg) => (arg.startsWith('--file=') ? `--file=${path}` : arg))
  const { name, uid } = pod.metadata
  const child = scratch.spawn(process.execPath, [MAIN, subcommand!, `--namespace=${namespace}`, ...own, ...moved], {
    env: { PATH: process.env['PATH'], HOME: scratch.dir, KUBECONFIG: kubeconfig, POD_NAME: name, POD_UID: uid },
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  let stdout = ''
  child.stdout!.on('data', (chunk) => (stdout += String(chunk)))
  const end = ended(child)
  return {
    get stdout() {
      return stdout
    },
    file: async () => (existsSync(path) ? await readFile(path, 'utf8') : ''),
    stop: () => stop(child.pid!, end),
    [Symbol.asyncDispose]: () => stop(child.pid!, end).then(() => close(scratch)),
  }
}

async function stop(pid: number, end: Promise<Finished>): Promise<void> {
  try {
    process.kill(pid, 'SIGTERM')
  } catch (error) {
    // It has ended.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
  await end
}

const close = (scratch: Scratch): Promise<void> => scratch.close()

/** All after `leadergroup`, which the image of the operator has as its entry point. */
function commandOf({ spec }: Pod): readonly string[] {
  const { initContainers = [], containers = [] } = (spec ?? {}) as {
    initContainers?: readonly Container[]
    containers?: readonly Container[]
  }
  for (const { command = [], args = [] } of [...initContainers, ...containers]) {
    const all = [...command, ...args]
    if (all[0] === 'leadergroup') return all.slice(1)
    if (all[0] === 'sidecar') return all
  }
  throw new Error('no container elects')
}
