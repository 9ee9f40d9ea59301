/** Programs that answer and end. */
import { execFile } from 'node:child_process'

export interface RunOptions {
  readonly input?: string
  readonly env?: NodeJS.ProcessEnv
  readonly cwd?: string
  readonly millis?: number
  readonly signal?: AbortSignal
}

const WAIT_MILLIS = 120_000
const OUTPUT_BYTES = 256 * 2 ** 20

/** What it wrote to its standard output. Rejects with what it said when it fails. */
export function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  const { input, env = process.env, cwd, millis = WAIT_MILLIS, signal } = options
  return new Promise((resolve, reject) => {
    const child = execFile(
      command,
      args,
      { env, cwd, timeout: millis, killSignal: 'SIGKILL', maxBuffer: OUTPUT_BYTES, signal },
      (error, stdout, stderr) => {
        if (!error) resolve(stdout)
        else reject(new Error(`${command} ${args.join(' ')}: ${stderr.trim() || error.message}`, { cause: error }))
      },
    )
    // It may end without reading its input; what it then says is the error that matters.
    child.stdin?.on('error', () => undefined)
    child.stdin?.end(input)
  })
}

/** Commands of which each must succeed. */
export async function script(lines: readonly string[], options: RunOptions = {}): Promise<void> {
  await run('sh', ['-eu'], { ...options, input: lines.join('\n') })
}
