/** What is written down of a cluster that `up` has started. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Site, siteOf } from './site.ts'
import { type Taken, sites } from './sites.ts'

export interface Kept {
  readonly kubeconfig: string
  readonly kubectl: string
  readonly server: string
  /** The operator came with it. */
  readonly installed: boolean
  readonly containerd: readonly { readonly node: string; readonly socket: string }[]
}

export function keptFile(site: Site): string {
  return join(site.dir, 'kept.json')
}

/** Those that were started by `up`; the others belong to tests that run, and end with them. */
export async function keptSites(): Promise<readonly (Taken & { readonly site: Site; readonly kept: Kept })[]> {
  const all = await Promise.all(
    (await sites()).map(async (taken) => {
      const site = siteOf(taken.number)
      const text = await readFile(keptFile(site), 'utf8').catch(ignoreMissing)
      return text === undefined ? [] : [{ ...taken, site, kept: JSON.parse(text) as Kept }]
    }),
  )
  return all.flat()
}

function ignoreMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error
}
