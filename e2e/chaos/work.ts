/** The command of `leadergroup elect` in a run: what must be done by one at a time. It does not hurry to end when it is asked. */
import { writeSync } from 'node:fs'
import { monotonicMillis } from '../candidates/line.ts'

const EVERY_MILLIS = 40

const term = process.env['LEADERGROUP_TERM']
// The time is taken before the act: that it was allowed then is what is claimed.
setInterval(() => {
  const line = { event: 'acts', term, pid: process.pid, monotonicMillis: monotonicMillis() }
  writeSync(1, `${JSON.stringify(line)}\n`)
}, EVERY_MILLIS)
process.once('SIGTERM', () => setTimeout(() => process.exit(0), 300))
