/**
 * A directory and the processes at work in it, both of which end with this process however it ends: by return, by an
 * exception, by Ctrl-C, by SIGKILL.
 *
 * A small shell, the guard, holds the read end of a pipe whose only write end is ours. When we are gone it reads the
 * end of the file, kills every process group listed in `pids/` and removes the directory. So no signal handler is
 * needed here, and none that is forgotten can leave a server behind.
 *
 * The race between "we die" and "a process has just been forked" is closed by two files. A process writes its pid
 * and then looks for `closed`; the guard writes `closed` and then reads the pids. Whatever the order, one of the two
 * sees the other.
 */
import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, unlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Writable } from 'node:stream'
import { finished } from 'node:stream/promises'

/** `exec` keeps the pid, so that the pid in the file, the child's pid and its process group are one number. */
const LAUNCH = 'echo $$ >"$1/pids/$2" && [ ! -e "$1/closed" ] || exit 125; shift 2; exec "$@"'

const GUARD = `
trap '' INT TERM HUP
while read -r _; do :; done
[ -d "$1" ] || exit 0
: >"$1/closed"
killed=
for file in "$1"/pids/*; do
  pid=$(cat "$file" 2>/dev/null) && [ -n "$pid" ] && kill -s KILL -- "-$pid" 2>/dev/null && killed="$killed $pid"
done
rm -rf "$1/pids"
dir=$1 keep=$2
shift 2
if [ $# -gt 0 ]; then
  # They are there until somebody has asked for their exit codes.
  tries=50
  for pid in $killed; do
    while kill -s 0 -- "-$pid" 2>/dev/null && [ "$tries" -gt 0 ]; do tries=$((tries - 1)); sleep 0.1; done
  done
  "$@" </dev/null
fi
[ "$keep" = keep ] && exit 0
tries=50
until rm -rf "$dir" 2>/dev/null; do
  tries=$((tries - 1)); [ "$tries" -gt 0 ] || exit 1
  sleep 0.1
done`

export interface SpawnOptions {
  readonly cwd?: string
  readonly env?: NodeJS.ProcessEnv
  readonly stdio?: StdioOptions
}

export interface ScratchOptions {
  /** The directory to make; it must not exist. Default: a fresh one under the system's temporary directory. */
  readonly dir?: string
  /** Leaves the directory when all is over. Processes end all the same. */
  readonly keep?: boolean
  /** What the guard runs when all processes have ended, for what they may have left outside of the directory. */
  readonly afterwards?: readonly string[]
}

export class Scratch {
  readonly dir: string
  readonly #keep: boolean
  readonly #guard: ChildProcess
  #spawned = 0

  constructor(dir: string, keep: boolean, afterwards: readonly string[] = []) {
    this.dir = dir
    this.#keep = keep
    // A session of its own: a terminal's Ctrl-C must not reach the guard before its work is done.
    this.#guard = spawn('sh', ['-c', GUARD, 'guard', dir, keep ? 'keep' : 'remove', ...afterwards], {
      cwd: '/',
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    })
    this.#guard.unref()
    const pipe = this.#guard.stdin as Writable & { unref(): void }
    pipe.unref()
    // Write errors cannot happen (nothing is ever written) but a guard killed by hand closes the pipe under us.
    pipe.on('error', () => pipe.destroy())
  }

  /**
   * Starts a process in a process group of its own, out of reach of a terminal's Ctrl-C: who started it decides
   * when it ends. Signals for the whole group go to `-child.pid`.
   */
  spawn(command: string, args: readonly string[], options: SpawnOptions = {}): ChildProcess {
    const id = String((this.#spawned += 1))
    const child = spawn('sh', ['-c', LAUNCH, 'launch', this.dir, id, command, ...args], {
      ...options,
      detached: true,
    })
    // A pid file that outlives its process could name a stranger's process later.
    child.once('exit', () => void unlink(join(this.dir, 'pids', id)).catch(ignoreMissing))
    return child
  }

  /** Kills what still runs, removes the directory unless it is to be kept, and waits until both are done. */
  async close(): Promise<void> {
    const guard = this.#guard
    if (guard.exitCode === null && guard.signalCode === null) {
      guard.ref()
      const exited = once(guard, 'exit')
      guard.stdin?.end()
      await exited
    }
    // The guard did this already, unless somebody killed it.
    if (!this.#keep) await rm(this.dir, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 })
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

/** Makes the directory and its guard. Rejects with the file system's error (`EEXIST` when `dir` is there already). */
export async function openScratch({ dir, keep = false, afterwards }: ScratchOptions = {}): Promise<Scratch> {
  const path = dir ?? (await mkdtemp(join(tmpdir(), 'leadergroup-')))
  if (dir !== undefined) await mkdir(dir, { mode: 0o700 })
  await mkdir(join(path, 'pids'))
  return new Scratch(path, keep, afterwards)
}

export interface Finished {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** Resolves when the process has ended and all its output has been read; rejects when it could not be started. */
export async function ended(child: ChildProcess): Promise<Finished> {
  const streams = [child.stdout, child.stderr].filter((stream) => stream !== null)
  const [[code, signal]] = await Promise.all([
    once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>,
    ...streams.map((stream) => finished(stream, { cleanup: true })),
  ])
  return { code, signal }
}

function ignoreMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error
}
