/**
 * `signal.ts NAME WORD`: sends a signal to the processes of this pod whose command line has the word, and says when, in
 * milliseconds of the wall clock. The pod's containers share their processes, so that a container can be killed without
 * a way into its node.
 */
import { readFileSync, readdirSync } from 'node:fs'

const [name, word] = process.argv.slice(2) as [NodeJS.Signals, string]
const pids = readdirSync('/proc').filter((entry) => /^\d+$/.test(entry) && entry !== String(process.pid))
const chosen = pids
  .map(Number)
  .filter((pid) => pid !== 1 && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(word))
if (chosen.length === 0) throw new Error(`no process has ${word} in its command line`)
const at = performance.timeOrigin + performance.now()
for (const pid of chosen) process.kill(pid, name)
process.stdout.write(String(at))
