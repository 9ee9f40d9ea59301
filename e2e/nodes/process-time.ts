import { readFile } from 'node:fs/promises'
import { systemClock } from '../../src/clock.ts'

/** USER_HZ, which is 100 on every architecture that Linux runs Node on. */
const TICKS_PER_SECOND = 100

/** When a process was started, in milliseconds of the wall clock, to 10 ms; undefined when it is gone. */
export async function startedAt(pid: number): Promise<number | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined)
  if (stat === undefined) return undefined
  const ticks = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19])
  const uptime = Number((await readFile('/proc/uptime', 'utf8')).split(' ')[0])
  return systemClock.wallNow() - (uptime - ticks / TICKS_PER_SECOND) * 1_000
}
