/** The command line as a process of its own that answers and ends. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import type { Output } from './controlplane/controlplane.ts'

const MAIN = join(import.meta.dirname, '..', 'src', 'cmd', 'main.ts')
const WAIT_MILLIS = 30_000

/** Nobody is at its terminal, and it knows no cluster but that of the kubeconfig. */
export function leadergroup(kubeconfig: string, ...args: readonly string[]): Promise<Output> {
  return new Promise((resolve, reject) => {
    const env = { PATH: process.env['PATH'], HOME: '/nonexistent', KUBECONFIG: kubeconfig }
    const child = execFile(
      process.execPath,
      [MAIN, ...args],
      { env, timeout: WAIT_MILLIS, killSignal: 'SIGKILL' },
      (error, stdout, stderr) => {
        if (error && child.exitCode === null) reject(error)
        else resolve({ stdout, stderr, code: child.exitCode })
      },
    )
    child.stdin?.end()
  })
}
