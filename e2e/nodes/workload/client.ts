/**
 * A steady client: at each beat a request to the leader on a new connection, and one on a connection that is kept open;
 * at every fifth one to a follower. Standard output has a line for each: its kind, when it began and ended in milliseconds of the wall clock, and which pod
 * answered, or `!` and why none did.
 */
import { Agent, get } from 'node:http'

type Kind = 'new' | 'kept' | 'follower'

const [beat, leader, follower] = [Number(process.argv[2]), process.argv[3]!, process.argv[4]]
const FOLLOWER_BEATS = 5
const PATIENCE_MILLIS = 1_000
const FLUSH_MILLIS = 100

let lines: string[] = []
let isKeptBusy = false
const kept = new Agent({ keepAlive: true, maxSockets: 1 })

function ask(kind: Kind, url: string, agent: Agent | false, done: () => void = () => undefined): void {
  const startedAt = now()
  let said = false
  const say = (what: string): void => {
    if (said) return
    said = true
    lines.push(`${kind} ${startedAt.toFixed(1)} ${now().toFixed(1)} ${what}\n`)
    done()
  }
  const request = get(url, { agent, timeout: PATIENCE_MILLIS }, (response) => {
    let body = ''
    response.setEncoding('utf8')
    response.on('data', (chunk: string) => (body += chunk))
    response.on('end', () => say(body))
    response.on('error', () => say('!cut'))
  })
  // Also for a connection that is never made.
  const limit = setTimeout(() => request.destroy(new Error('timeout')), PATIENCE_MILLIS)
  request.on('close', () => clearTimeout(limit))
  request.on('error', (error: NodeJS.ErrnoException) => say(`!${error.code ?? error.message}`))
}

function now(): number {
  return performance.timeOrigin + performance.now()
}

let beats = 0
setInterval(() => {
  ask('new', leader, false)
  if (follower && (beats += 1) % FOLLOWER_BEATS === 0) ask('follower', follower, false)
  if (isKeptBusy) return
  isKeptBusy = true
  ask('kept', leader, kept, () => (isKeptBusy = false))
}, beat)
setInterval(() => {
  if (lines.length > 0) process.stdout.write(lines.join(''))
  lines = []
}, FLUSH_MILLIS)
process.on('SIGTERM', () => process.exit(0))
