/**
 * A candidate on this project's own elector, with the flags and the lines of the one on client-go. A program of its own:
 * a crash is one only if nothing of the process lives on.
 */
import { writeSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { findCluster } from '../../src/cmd/cluster.ts'
import { parseDuration } from '../../src/cmd/duration.ts'
import { sleepUntil, systemClock } from '../../src/clock.ts'
import { Api } from '../../src/kube/api.ts'
import { undiciTransport } from '../../src/kube/undici.ts'
import { abortOf } from '../../src/lock/abort-of.ts'
import { Elector } from '../../src/lock/elector.ts'
import { leaseLock } from '../../src/lock/lease-lock.ts'
import type { Term } from '../../src/lock/term.ts'
import { type Line, monotonicMillis } from './line.ts'

const { values } = parseArgs({
  options: {
    lease: { type: 'string' },
    namespace: { type: 'string', default: 'default' },
    id: { type: 'string' },
    'lease-duration': { type: 'string', default: '15s' },
    'renew-deadline': { type: 'string', default: '10s' },
    'retry-period': { type: 'string', default: '2s' },
    kubeconfig: { type: 'string' },
    'release-on-cancel': { type: 'boolean', default: false },
    /** It says so as often as this that it acts as the leader. */
    'act-every': { type: 'string' },
  },
})

const clock = systemClock
const cluster = await findCluster({ kubeconfig: values.kubeconfig, context: undefined }, process.env, clock)
const transport = undiciTransport({ credentials: cluster.credentials, userAgent: 'leadergroup-candidate' })
const { lease: name = '', namespace, id: identity = '' } = values
const elector = new Elector({
  lock: leaseLock(new Api(transport, clock), { name, namespace, clock, random: Math.random }),
  identity,
  leaseDurationSeconds: seconds('lease-duration'),
  renewDeadlineSeconds: seconds('renew-deadline'),
  retryPeriodSeconds: seconds('retry-period'),
  onNewLeader: (leader) => say('newLeader', leader),
})

const stop = new AbortController()
let isWorking = false
process.once('SIGTERM', () => {
  if (values['release-on-cancel']) return stop.abort(new Error('SIGTERM'))
  if (isWorking) say('stopped')
  process.exit(0)
})
say('started')
await elector.lead(work, { signal: stop.signal })
await transport.close()

/** Until the term ends; only then is the Lease released. */
async function work(term: Term): Promise<void> {
  isWorking = true
  say('leading')
  const over = abortOf(term.signal)
  if (values['act-every'] !== undefined) await act(term, seconds('act-every') * 1000)
  await over
  say('stopped')
  isWorking = false
}

async function act(term: Term, everyMillis: number): Promise<void> {
  while (!term.signal.aborted) {
    // Before it asks: what is true when it asks was true then.
    const at = monotonicMillis()
    if (term.isCurrent()) say('acts', String(term.token), at)
    const next = sleepUntil(clock, clock.now() + everyMillis, term.signal)
    // The end of the term ends the wait as well.
    await next.catch(() => undefined)
  }
}

/** In one write: the process may be killed at any moment. */
function say(event: Line['event'], leader?: string, at = monotonicMillis()): void {
  const line = { event, leader, monotonicMillis: at, wallMillis: clock.wallNow() } satisfies object
  writeSync(1, `${JSON.stringify(line)}\n`)
}

function seconds(flag: 'lease-duration' | 'renew-deadline' | 'retry-period' | 'act-every'): number {
  const given = parseDuration(values[flag] ?? '')
  if (given === undefined) throw new TypeError(`--${flag} ${values[flag]} is no duration`)
  return given
}
