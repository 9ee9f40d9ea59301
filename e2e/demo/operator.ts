/** The real operator as a process of its own, with the shipped permissions and nothing more. */
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { eventually } from '../controlplane/eventually.ts'
import { openScratch } from '../controlplane/scratch.ts'
import { kubeconfig } from '../controlplane/users.ts'
import { operatorToken } from './install.ts'
import type { Stage } from './stage.ts'

const MAIN = join(import.meta.dirname, '../../src/cmd/main.ts')

export interface RunningOperator {
  stop(): Promise<void>
}

/** `say` gets each line that the operator logs. Resolves when it has acquired its Lease. */
export async function startOperator(
  stage: Stage,
  namespace: string,
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<RunningOperator> {
  const scratch = await openScratch()
  const config = join(scratch.dir, 'kubeconfig')
  const token = await operatorToken(stage.api)
  await writeFile(config, kubeconfig(stage.server, stage.ca ?? '', { name: 'operator', token }), { mode: 0o600 })
  const flags = ['--kubeconfig', config, '--namespace', namespace, '--leader-election-namespace', namespace]
  const quiet = ['--health-probe-bind-address', '0', '--metrics-bind-address', '0']
  const child = scratch.spawn(process.execPath, [MAIN, 'operator', ...flags, ...quiet], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let acts = false
  createInterface({ input: child.stderr! }).on('line', (line) => {
    acts ||= line.includes('this replica acts')
    say(line)
  })
  try {
    await eventually({ what: 'the operator to acquire its Lease', millis: 30_000, signal }, () => {
      if (child.exitCode !== null) throw new Error(`the operator has ended with exit code ${child.exitCode}`)
      return Promise.resolve(acts ? true : undefined)
    })
  } catch (error) {
    await scratch.close()
    throw error
  }
  return {
    async stop() {
      await ended(child)
      await scratch.close()
    },
  }
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exit = once(child, 'exit', { signal: AbortSignal.timeout(10_000) })
  child.kill('SIGTERM')
  // It releases its Lease first. One that hangs is killed with the scratch directory.
  await exit.catch(() => undefined)
}
