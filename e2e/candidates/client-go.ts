/** The candidate on client-go as a program: from the user's cache, or built into it with Go. */
import { join } from 'node:path'
import { isExecutable, takeTurn, userCache } from '../controlplane/cache.ts'
import { goModule } from '../controlplane/go.ts'
import { moduleDigest } from '../controlplane/module.ts'
import { type Progress, terminalProgress } from '../controlplane/progress.ts'

const MODULE_DIR = join(import.meta.dirname, 'client-go')

/**
 * Resolves to its path. Built once: seconds where the control plane was built with Go, a minute or two where nothing of
 * it was. Rejects with a GoFailure that says why when it cannot be built: GoMissing where there is no Go.
 */
export async function clientGoProgram(
  env: Readonly<Record<string, string | undefined>> = process.env,
  progress: Progress = terminalProgress(),
): Promise<string> {
  const dir = join(userCache(env), 'candidates', `${process.platform}-${process.arch}`)
  const name = `client-go-${await moduleDigest(MODULE_DIR)}`
  const program = join(dir, name)
  if (await isExecutable(program)) return program
  const { signal } = new AbortController()
  await using turn = await takeTurn(dir, progress, signal)
  // Whoever had to wait for another process finds that one's work.
  if (await isExecutable(program)) return program
  progress.say('building the candidate on client-go, once')
  const output = join(turn.scratch.dir, name)
  const go = await goModule(MODULE_DIR, turn, signal)
  let steps = 0
  await go(['build', '-v', '-mod=readonly', '-trimpath', '-ldflags', '-s -w', '-o', output, '.'], () => {
    steps += 1
    progress.update(`Go modules downloaded and packages compiled: ${steps}`)
  })
  return await turn.install(output, name)
}
