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

/**
 * `go.mod` of the same module for another release of Kubernetes, before `go mod tidy` has found out what that one requires.
 * Kubernetes releases its staging modules as v0.MINOR.PATCH, and replaces them by paths of its own: whoever requires it
 * must name them.
 */
export function moduleFor(goMod: string, from: string, to: string): string {
  const staging = (version: string): string => `v0.${version.split('.').slice(1).join('.')}`
  return goMod
    .split('\n')
    .filter((line) => !line.includes('// indirect') && !line.includes('go.etcd.io/'))
    .join('\n')
    .replaceAll(`v${from}`, `v${to}`)
    .replaceAll(staging(from), staging(to))
}
