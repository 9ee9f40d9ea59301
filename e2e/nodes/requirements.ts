/** What a machine must have to hold nodes. */
import { constants } from 'node:fs'
import { access, readFile } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import type { Progress } from '../controlplane/progress.ts'
import { hierarchies, tryGroup } from './cgroup.ts'
import { run } from './run.ts'

/** Programs, and the packages of Debian that they come from. */
const PROGRAMS: Readonly<Record<string, string>> = {
  containerd: 'containerd',
  ctr: 'containerd',
  runc: 'runc',
  nft: 'nftables',
  ip: 'iproute2',
  conntrack: 'conntrack',
  openssl: 'openssl',
  buildah: 'buildah',
  busybox: 'busybox-static',
  nsenter: 'util-linux',
  unshare: 'util-linux',
}

const CNI_DIRECTORIES = ['/usr/lib/cni', '/opt/cni/bin']

export interface Missing {
  /** What no package can provide: in words. */
  readonly obstacles: readonly string[]
  /** What packages of Debian would provide. */
  readonly packages: readonly string[]
}

export async function missing(): Promise<Missing> {
  if (process.platform !== 'linux') return { obstacles: [`Linux (this is ${process.platform})`], packages: [] }
  const obstacles: string[] = []
  if (process.getuid?.() !== 0) obstacles.push('root, which namespaces, mounts and control groups need')
  if ((await hierarchies()).length === 0) obstacles.push('control groups below /sys/fs/cgroup')
  // A container may be root, and may do none of this.
  if (obstacles.length === 0) {
    await tryGroup().catch((error: Error) => obstacles.push(`control groups that can be divided (${error.message})`))
    if (await onPath('unshare')) {
      const mount = ['--mount', '--net', '--uts', 'mount', '-t', 'tmpfs', 'tmpfs', '/run']
      await run('unshare', mount).catch(() => obstacles.push('permission to make namespaces and mounts'))
    }
  }
  if (!(await readFile('/proc/filesystems', 'utf8')).includes('\toverlay')) obstacles.push('overlayfs in the kernel')
  const packages = new Set<string>()
  for (const [program, name] of Object.entries(PROGRAMS)) if (!(await onPath(program))) packages.add(name)
  if ((await cniPlugins()) === undefined) packages.add('containernetworking-plugins')
  return { obstacles, packages: [...packages].toSorted() }
}

/** Where the programs are that give pods their network. */
export async function cniPlugins(): Promise<string | undefined> {
  for (const dir of CNI_DIRECTORIES) if (await isExecutable(join(dir, 'ptp'))) return dir
  return undefined
}

export class Unmet extends Error {
  override readonly name = 'Unmet'
}

/** Why nodes cannot run here, even with packages that could be installed; undefined: they can. */
export async function unmet(): Promise<string | undefined> {
  const { obstacles, packages } = await missing()
  const installable = packages.length === 0 || (await onPath('apt-get'))
  if (obstacles.length === 0 && installable) return undefined
  const programs = packages.length > 0 ? [`the programs of Debian's packages ${packages.join(', ')}`] : []
  return `nodes cannot run here: missing ${[...obstacles, ...programs].join('; ')}`
}

/** Installs what is missing where that is possible, else rejects with {@link Unmet}, which says all of it. */
export async function meetRequirements(progress: Progress): Promise<void> {
  const reason = await unmet()
  if (reason !== undefined) throw new Unmet(reason)
  const { packages } = await missing()
  if (packages.length === 0) return
  progress.say(`installing packages: ${packages.join(' ')}`)
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const install = ['install', '--yes', '--no-install-recommends', ...packages]
  // Lists that are too old, or not there, are the usual reason.
  await run('apt-get', install, { env, millis: 600_000 }).catch(async () => {
    await run('apt-get', ['update'], { env, millis: 300_000 })
    await run('apt-get', install, { env, millis: 600_000 })
  })
}

/** Installs what is missing; resolves to what is still missing then, in words, or undefined: nodes can run. */
export async function lacking(progress: Progress): Promise<string | undefined> {
  try {
    await meetRequirements(progress)
    return undefined
  } catch (error) {
    return error instanceof Unmet ? error.message : `nodes cannot run here: ${(error as Error).message}`
  }
}

async function onPath(program: string): Promise<boolean> {
  for (const dir of (process.env['PATH'] ?? '').split(delimiter))
    if (await isExecutable(join(dir, program))) return true
  return false
}

async function isExecutable(file: string): Promise<boolean> {
  return await access(file, constants.X_OK).then(
    () => true,
    () => false,
  )
}
