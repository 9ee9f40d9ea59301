/**
 * `<user cache>/leadergroup/kube/<version>-<os>-<arch>/`: single programs as downloaded, and `components-<digest>`,
 * the one built from the Go module with that digest of its sources. Files enter by rename only, so whatever has its
 * final name is whole.
 */
import { constants } from 'node:fs'
import { access, chmod, mkdir, rename, rm, stat, utimes } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { sleepUntil, systemClock } from '../../src/clock.ts'
import type { Attempt, Binary, Component, Release } from './binary.ts'
import { moduleDigest, moduleOf } from './module.ts'
import type { Progress } from './progress.ts'
import { type Scratch, openScratch } from './scratch.ts'

/** Whose turn it is shows a sign of life this often; a machine that lost its power leaves a turn that shows none. */
const HEARTBEAT_MILLIS = 5_000
const ABANDONED_MILLIS = 60_000
const WAIT_MILLIS = 500

type Env = Readonly<Record<string, string | undefined>>

export function cacheDir({ version, os, arch }: Release, env: Env): string {
  return join(userCache(env), 'kube', `${version}-${os}-${arch}`)
}

/** Where this project keeps what takes long to make. */
export function userCache(env: Env): string {
  // The XDG specification: a relative path is invalid and to be ignored.
  const base = env['XDG_CACHE_HOME']?.startsWith('/') ? env['XDG_CACHE_HOME'] : join(homedir(), '.cache')
  return join(base, 'leadergroup')
}

export async function cached(dir: string, components: readonly Component[]): Promise<Attempt> {
  const found = new Map<Component, Binary>()
  const failures: string[] = []
  for (const component of components) {
    const linked = join(dir, `components-${await moduleDigest(moduleOf(component))}`)
    const single = join(dir, component)
    if (await isExecutable(single)) found.set(component, { command: single, prefixArgs: [] })
    else if (await isExecutable(linked)) found.set(component, { command: linked, prefixArgs: [component] })
    else failures.push(`${dir} has no ${component}`)
  }
  return { found, failures }
}

export async function isExecutable(file: string): Promise<boolean> {
  try {
    await access(file, constants.X_OK)
    return (await stat(file)).isFile()
  } catch (error) {
    if (isErrno(error, 'ENOENT') || isErrno(error, 'EACCES') || isErrno(error, 'ENOTDIR')) return false
    throw error
  }
}

/** The right to fill a cache directory, held by one process at a time: two builds at once would only be slower. */
export class Turn {
  readonly dir: string
  /** On the cache's own file system, so that a finished file can be renamed into it; gone when this process is. */
  readonly scratch: Scratch
  /** Another process had the turn before: what is wanted may be there now. */
  readonly waited: boolean
  readonly #heartbeat: NodeJS.Timeout

  constructor(dir: string, scratch: Scratch, waited: boolean) {
    this.dir = dir
    this.scratch = scratch
    this.waited = waited
    this.#heartbeat = setInterval(() => void beat(scratch.dir), HEARTBEAT_MILLIS).unref()
  }

  /** Moves a finished file of the scratch directory to its place. */
  async install(file: string, name: string): Promise<string> {
    const target = join(this.dir, name)
    await chmod(file, 0o755)
    await rename(file, target)
    return target
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#heartbeat)
    await this.scratch.close()
  }
}

/** Waits as long as another process fills the cache. Rejects with the signal's reason when that aborts. */
export async function takeTurn(dir: string, progress: Progress, signal: AbortSignal): Promise<Turn> {
  try {
    await mkdir(dir, { recursive: true })
  } catch (cause) {
    throw new Error(`the cache directory ${dir} cannot be made; name a place for it in XDG_CACHE_HOME`, { cause })
  }
  const work = join(dir, 'filling')
  for (let waited = false; ; waited = true) {
    try {
      return new Turn(dir, await openScratch({ dir: work }), waited)
    } catch (error) {
      if (!isErrno(error, 'EEXIST')) throw error
    }
    if (!waited) progress.say(`another process is filling ${dir}, waiting for it`)
    await removeAbandoned(work)
    await sleepUntil(systemClock, systemClock.now() + WAIT_MILLIS, signal)
  }
}

async function beat(dir: string): Promise<void> {
  const now = new Date()
  await utimes(dir, now, now).catch(ignoreMissing)
}

async function removeAbandoned(work: string): Promise<void> {
  const info = await stat(work).catch(ignoreMissing)
  if (info && systemClock.wallNow() - info.mtimeMs > ABANDONED_MILLIS) await rm(work, { recursive: true, force: true })
}

function ignoreMissing(error: unknown): undefined {
  if (!isErrno(error, 'ENOENT')) throw error
}

function isErrno(error: unknown, code: string): boolean {
  return error instanceof Error && (error as NodeJS.ErrnoException).code === code
}
