import { processesOf } from './cgroup.ts'
import { readFile } from 'node:fs/promises'
import type { PodFacts } from './scene.ts'
import type { World } from './world.ts'

/** SIGKILL to all processes of a pod, as the kernel would send it: nothing is asked, nothing is told. */
export async function killPod({ own }: World, { uid, node }: PodFacts): Promise<void> {
  if (!own) throw new Error('only pods on nodes of our own can be killed from outside')
  const { cgroup } = own.node(node).site
  for (const pid of await processesOf(cgroup)) {
    const groups = await readFile(`/proc/${pid}/cgroup`, 'utf8').catch(() => '')
    if (groups.includes(uid)) process.kill(pid, 'SIGKILL')
  }
}
