/** Which numbers of clusters are taken on this machine, by whom, and how one is left. */
import { mkdir, readFile, readdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { systemClock } from '../../src/clock.ts'
import { type Scratch, openScratch } from '../controlplane/scratch.ts'
import { run } from './run.ts'
import { SITES_DIR, type Site, siteOf } from './site.ts'

const SWEEP = join(import.meta.dirname, 'sweep.sh')
/** As many as one byte of an address, and three digits of an interface's name, allow. */
const NUMBERS = 250
/** Between making its directory and saying who it is, a process needs milliseconds. */
const NAMELESS_MILLIS = 60_000

interface Owner {
  readonly pid: number
  /** In the machine's ticks since its boot: tells a process from a later one with the same number. */
  readonly startedAt: string
}

/** Takes the first free number. The guard of its directory sweeps when this process is gone, however it ended. */
export async function claimSite(): Promise<{ readonly site: Site; readonly scratch: Scratch }> {
  await sweepAbandoned()
  await mkdir(SITES_DIR, { recursive: true, mode: 0o755 })
  for (let number = 0; number < NUMBERS; number += 1) {
    const site = siteOf(number)
    try {
      const scratch = await openScratch({ dir: site.dir, afterwards: ['sh', SWEEP, String(number), site.dir] })
      await writeFile(join(site.dir, 'owner.json'), JSON.stringify(await ownerOf(process.pid)))
      return { site, scratch }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
  }
  throw new Error(`all ${NUMBERS} clusters that fit on one machine are there: ${SITES_DIR}`)
}

/** Sweeps what is left of clusters whose process is gone; resolves to their numbers. */
export async function sweepAbandoned(): Promise<readonly number[]> {
  const swept: number[] = []
  for (const { number, alive } of await sites()) {
    if (alive) continue
    await sweep(siteOf(number))
    swept.push(number)
  }
  return swept
}

export async function sweep(site: Site): Promise<void> {
  await run('sh', [SWEEP, String(site.number), site.dir])
}

export interface Taken {
  readonly number: number
  readonly alive: boolean
  readonly pid: number | undefined
}

export async function sites(): Promise<readonly Taken[]> {
  const entries = (await readdir(SITES_DIR).catch(ignoreMissing)) ?? []
  const numbers = entries.map(Number).filter((number) => Number.isInteger(number))
  return await Promise.all(numbers.toSorted((a, b) => a - b).map(taken))
}

async function taken(number: number): Promise<Taken> {
  const { dir } = siteOf(number)
  const text = await readFile(join(dir, 'owner.json'), 'utf8').catch(ignoreMissing)
  if (!text) {
    const made = (await stat(dir).catch(ignoreMissing))?.mtimeMs ?? 0
    return { number, alive: systemClock.wallNow() - made < NAMELESS_MILLIS, pid: undefined }
  }
  const owner = JSON.parse(text) as Owner
  const now = await ownerOf(owner.pid).catch(ignoreMissing)
  return { number, alive: now?.startedAt === owner.startedAt, pid: owner.pid }
}

async function ownerOf(pid: number): Promise<Owner> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8')
  // The name, in parentheses, may hold anything; the 22nd field is the 20th after it.
  const startedAt = text.slice(text.lastIndexOf(')') + 2).split(' ')[19]!
  return { pid, startedAt }
}

function ignoreMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error
}
