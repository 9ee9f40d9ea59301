/** The groups of processes that limit, count and end what runs on a node, in both versions of the kernel's interface. */
import { mkdir, readFile, readdir, rmdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

const TOP = '/sys/fs/cgroup'

/** One directory with version 2; with version 1 one for each controller. */
export async function hierarchies(): Promise<readonly string[]> {
  const mounts = (await readFile('/proc/self/mounts', 'utf8')).split('\n').map((line) => line.split(' '))
  if (mounts.some(([, at, type]) => at === TOP && type === 'cgroup2')) return [TOP]
  return mounts.flatMap(([, at, type]) => (type === 'cgroup' && at?.startsWith(`${TOP}/`) ? [at] : []))
}

/** Makes the group in each hierarchy, ready to take processes and groups. */
export async function makeGroup(group: string): Promise<void> {
  for (const top of await hierarchies()) {
    await mkdir(join(top, group), { recursive: true })
    if (top === TOP) await passOn(group)
    else if (top.endsWith('cpuset')) await inheritSets(top, group)
  }
}

/** Rejects where no group can be made, with why. */
export async function tryGroup(): Promise<void> {
  const group = `leadergroup-try-${process.pid}`
  try {
    await makeGroup(group)
  } finally {
    for (const top of await hierarchies()) await rmdir(join(top, group)).catch(() => undefined)
  }
}

/** Version 2: a controller works in a group only if each group above passes it on. */
async function passOn(group: string): Promise<void> {
  const controllers = (await readFile(join(TOP, 'cgroup.controllers'), 'utf8')).trim().split(' ')
  const words = controllers.map((controller) => `+${controller}`).join(' ')
  const above = group.split('/').slice(0, -1)
  for (let depth = 0; depth <= above.length; depth += 1) {
    await writeFile(join(TOP, ...above.slice(0, depth), 'cgroup.subtree_control'), words)
  }
}

/** Version 1: a new group has no CPU and no memory, and takes no process until it has. */
async function inheritSets(top: string, group: string): Promise<void> {
  const parts = group.split('/')
  for (const [index] of parts.entries()) {
    for (const set of ['cpuset.cpus', 'cpuset.mems']) {
      const above = await readFile(join(top, ...parts.slice(0, index), set), 'utf8')
      await writeFile(join(top, ...parts.slice(0, index + 1), set), above)
    }
  }
}

/** Lines of a shell that puts itself into the group. */
export async function joinGroup(group: string): Promise<string> {
  return (await hierarchies()).map((top) => `echo $$ >${join(top, group, 'cgroup.procs')}`).join('; ')
}

/** All processes of a group and of the groups in it. */
export async function processesOf(group: string): Promise<readonly number[]> {
  const [top] = await hierarchies()
  const root = join(top!, group)
  const below = await readdir(root, { recursive: true, withFileTypes: true }).catch(ignoreMissing)
  const directories = [root, ...(below ?? []).filter((e) => e.isDirectory()).map((e) => join(e.parentPath, e.name))]
  const pids = new Set<number>()
  for (const directory of directories) {
    const text = (await readFile(join(directory, 'cgroup.procs'), 'utf8').catch(ignoreMissing)) ?? ''
    for (const pid of text.split('\n')) if (pid !== '') pids.add(Number(pid))
  }
  return [...pids]
}

function ignoreMissing(error: NodeJS.ErrnoException): undefined {
  // A group that ends while it is read answers ENODEV.
  if (error.code !== 'ENOENT' && error.code !== 'ENODEV') throw error
}
