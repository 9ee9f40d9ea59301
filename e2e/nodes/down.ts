import { systemClock } from '../../src/clock.ts'
import { eventually } from '../controlplane/eventually.ts'
import { keptSites } from './kept.ts'
import { sites, sweep, sweepAbandoned } from './sites.ts'

const GRACE_MILLIS = 30_000

/** Ends what `up` has started, and sweeps what anything that crashed has left. Clusters of tests that run are left alone. */
export async function down(say: (line: string) => void): Promise<void> {
  const kept = await keptSites()
  for (const { number, pid, alive, site } of kept) {
    if (alive && pid !== undefined) await end(pid, number)
    await sweep(site)
  }
  const swept = await sweepAbandoned()
  const gone = new Set([...kept.map(({ number }) => number), ...swept]).size
  say(gone === 0 ? 'Nothing was running.' : 'It is gone, and nothing of it is left.')
}

async function end(pid: number, number: number): Promise<void> {
  const isGone = async (): Promise<true | undefined> => {
    const now = (await sites()).find((each) => each.number === number)
    return now?.alive ? undefined : true
  }
  process.kill(pid, 'SIGTERM')
  const startedAt = systemClock.now()
  await eventually({ what: `process ${pid} to end`, millis: 2 * GRACE_MILLIS }, async () => {
    const gone = await isGone()
    if (gone) return true
    if (systemClock.now() - startedAt > GRACE_MILLIS) process.kill(pid, 'SIGKILL')
    return undefined
  })
}
