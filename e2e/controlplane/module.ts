/** The Go modules that are built here; two of them link components of Kubernetes, each module into one program. */
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Component, NODE_COMPONENTS } from './binary.ts'

export const MODULE_DIR = join(import.meta.dirname, 'components')
const NODE_MODULE_DIR = join(import.meta.dirname, '../nodes/components')
export const MODULE_FILES = ['go.mod', 'go.sum', 'main.go'] as const

/** Where a component is linked. Most tests need no node, so what a node runs is a program of its own. */
export function moduleOf(component: Component): string {
  return (NODE_COMPONENTS as readonly string[]).includes(component) ? NODE_MODULE_DIR : MODULE_DIR
}

/** Names what is built from a module: a build of other sources is another file in the cache. */
export async function moduleDigest(dir: string = MODULE_DIR): Promise<string> {
  const hash = createHash('sha256')
  for (const file of MODULE_FILES) hash.update(await readFile(join(dir, file)))
  return hash.digest('hex').slice(0, 12)
}

/** The versions that `go.mod` requires, without the `v`. */
export async function moduleVersions(): Promise<{ kubernetes: string; etcd: string }> {
  const goMod = await readFile(join(MODULE_DIR, 'go.mod'), 'utf8')
  const required = (path: string): string => {
    const version = new RegExp(`^\\s*${path} v(\\S+)`, 'm').exec(goMod)?.[1]
    if (version === undefined) throw new Error(`${MODULE_DIR}/go.mod does not require ${path}`)
    return version
  }
  return { kubernetes: required('k8s.io/kubernetes'), etcd: required('go.etcd.io/etcd/server/v3') }
}
