import { spawn } from 'node:child_process'
import { mkdir, open } from 'node:fs/promises'
import { join } from 'node:path'
import { userCache } from '../controlplane/cache.ts'
import { terminalProgress } from '../controlplane/progress.ts'
import type { Message } from './keep.ts'
import { keptSites } from './kept.ts'
import { meetRequirements } from './requirements.ts'
import { describeCluster, status } from './status.ts'
import { sweepAbandoned } from './sites.ts'

export interface UpOptions {
  readonly install: boolean
  readonly say: (line: string) => void
}

/** Resolves when the cluster runs. It is held by a process of its own, which ends with `down`. */
export async function up({ install, say }: UpOptions): Promise<void> {
  const progress = terminalProgress()
  await meetRequirements(progress)
  await sweepAbandoned()
  if ((await keptSites()).length > 0) {
    say(
      install ? 'It runs already: --install is for one that starts, after `npm run cluster down`.' : 'It runs already.',
    )
    return await status(say)
  }
  await mkdir(userCache(process.env), { recursive: true })
  const logPath = join(userCache(process.env), 'cluster.log')
  const log = await open(logPath, 'w')
  const args = [join(import.meta.dirname, 'main.ts'), 'keep', ...(install ? ['--install'] : [])]
  const keeper = spawn(process.execPath, args, { detached: true, stdio: ['ignore', log.fd, log.fd, 'ipc'] })
  await log.close()
  // Ctrl-C reaches this process alone; the keeper sees that its channel is closed, and clears up.
  const number = await new Promise<number>((resolve, reject) => {
    keeper.once('error', reject)
    keeper.once('exit', (code) => reject(new Error(`it ended (exit code ${code}); its log: ${logPath}`)))
    keeper.on('message', (message: Message) => {
      if (message.kind === 'ready') resolve(message.number)
      else if (message.kind === 'failed') reject(new Error(message.line))
      else progress[message.kind](message.line)
    })
  })
  keeper.removeAllListeners()
  keeper.disconnect()
  keeper.unref()
  await describeCluster(number, say)
}
