import type { Context } from 'mocha'
import { GoMissing } from '../controlplane/go.ts'
import { clientGoProgram } from './client-go.ts'

/** A first build without any warm cache, on a slow machine. */
const BUILD_MILLIS = 600_000

/** Call it first in the `before` hook of a suite with candidates on client-go: skips the suite where there is no Go. */
export async function needsClientGo(context: Context): Promise<void> {
  context.timeout(BUILD_MILLIS)
  try {
    await clientGoProgram()
  } catch (error) {
    if (!(error instanceof GoMissing)) throw error
    console.log(`    skipped: candidates on client-go are built with Go, and ${error.message} (https://go.dev/dl)`)
    context.skip()
  }
}
