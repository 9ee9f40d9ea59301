import { join } from 'node:path'
import type { Attempt, Binary, Component } from './binary.ts'
import { isExecutable } from './cache.ts'

/** The project's own variable comes first: it is the more specific one. The other is that of envtest. */
const VARIABLES = ['LEADERGROUP_ASSETS', 'KUBEBUILDER_ASSETS']

type Env = Readonly<Record<string, string | undefined>>

/** Looks in directories that the user names, and in no other. */
export async function assets(components: readonly Component[], env: Env): Promise<Attempt> {
  const directories = VARIABLES.flatMap((name) => (env[name] ? [{ name, dir: env[name] }] : []))
  if (directories.length === 0) return { found: new Map(), failures: [`neither ${VARIABLES.join(' nor ')} is set`] }
  const found = new Map<Component, Binary>()
  const failures: string[] = []
  for (const component of components) {
    for (const { name, dir } of directories) {
      const command = join(dir, component)
      if (found.has(component)) continue
      if (await isExecutable(command)) found.set(component, { command, prefixArgs: [] })
      else failures.push(`${name}: ${command} is not an executable file`)
    }
  }
  return { found, failures }
}
