/** The Go modules that are built here; this directory's own links all components into one program. */
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

export const MODULE_DIR = join(import.meta.dirname, 'components')
export const MODULE_FILES = ['go.mod', 'go.sum', 'main.go'] as const

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
