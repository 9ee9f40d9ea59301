/** The two electors that are compared: this library's, and client-go's. */
import { join } from 'node:path'
import { build } from 'esbuild'
import { candidateAccount, candidateUser } from '../e2e/candidates/account.ts'
import type { Timing } from '../e2e/candidates/flags.ts'
import { commandOf, missingFor } from '../e2e/candidates/programs.ts'
import { type Stage, createNamespace } from './stage.ts'

/** The defaults of both. */
export const TIMING: Timing = { leaseDurationSeconds: 15, renewDeadlineSeconds: 10, retryPeriodSeconds: 2 }

const NODE = join(import.meta.dirname, '../node_modules/.bin/node')

const KINDS = ['leadergroup', 'client-go'] as const

/** One elector, in a namespace of its own. */
export interface Side {
  readonly kind: (typeof KINDS)[number]
  readonly namespace: string
  /** Of a service account that may elect there, and nothing else. */
  readonly kubeconfig: string
  /** Of a candidate, without its flags. */
  readonly command: readonly string[]
}

/** Whose requests are looked at. */
export const SIDE_USERS: readonly string[] = KINDS.map((kind) => candidateUser(namespaceOf(kind)))

/** This library first. Without Go it is alone. */
export async function openSides(stage: Stage): Promise<readonly Side[]> {
  const sides: Side[] = []
  for (const kind of KINDS) {
    const missing = await missingFor(kind)
    if (missing !== undefined) {
      stage.progress.say(`without ${kind}: ${missing}`)
      continue
    }
    sides.push(await openSide(stage, kind))
  }
  return sides
}

export async function openSide(stage: Stage, kind: Side['kind']): Promise<Side> {
  const namespace = namespaceOf(kind)
  await createNamespace(stage.api, namespace)
  const command = kind === 'leadergroup' ? await bundled('elector') : await commandOf(kind)
  return { kind, namespace, command, kubeconfig: await candidateAccount(stage, namespace) }
}

function namespaceOf(kind: Side['kind']): string {
  return `electors-${kind}`
}

/** As a program that uses the package: JavaScript, with undici as it is. */
export async function bundled(program: string): Promise<readonly string[]> {
  const outfile = join(import.meta.dirname, `../dist/bench/${program}.js`)
  await build({
    entryPoints: [join(import.meta.dirname, `${program}.ts`)],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    logLevel: 'warning',
  })
  return [NODE, outfile]
}
