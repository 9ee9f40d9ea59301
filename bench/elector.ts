/**
 * A program that leads with the library, with the flags and the lines of `e2e/candidates`. With `--count` it has so many
 * electors, each on a Lease of its own, and says what they cost.
 */
import { readFileSync, writeSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { type Line, monotonicMillis } from '../e2e/candidates/line.ts'
import { Elector, type KubeConfigLike, type Term } from '../src/exports/index.ts'
import type { Usage } from './crowd.ts'

const USAGE_MILLIS = 1_000

const { values } = parseArgs({
  options: {
    lease: { type: 'string', default: '' },
    namespace: { type: 'string', default: '' },
    id: { type: 'string', default: '' },
    'lease-duration': { type: 'string', default: '15s' },
    'renew-deadline': { type: 'string', default: '10s' },
    'retry-period': { type: 'string', default: '2s' },
    kubeconfig: { type: 'string', default: '' },
    'release-on-cancel': { type: 'boolean', default: true },
    count: { type: 'string', default: '1' },
  },
})

const count = Number(values.count)
const kube = readKubeConfig(values.kubeconfig)
const stop = new AbortController()
process.once('SIGTERM', () => stop.abort())
say('started')
const usage = count > 1 ? setInterval(() => sayUsage(), USAGE_MILLIS) : undefined
await Promise.all(Array.from({ length: count }, (_, index) => lead(count > 1 ? `-${index}` : '')))
clearInterval(usage)

function lead(suffix: string): Promise<void> {
  const elector = new Elector({
    lock: { namespace: values.namespace, name: `${values.lease}${suffix}` },
    kube,
    identity: values.id,
    leaseDurationSeconds: Number.parseFloat(values['lease-duration']),
    renewDeadlineSeconds: Number.parseFloat(values['renew-deadline']),
    retryPeriodSeconds: Number.parseFloat(values['retry-period']),
    onNewLeader: (leader) => say('newLeader', leader),
  })
  return elector.lead(work, { signal: stop.signal })
}

async function work(term: Term): Promise<void> {
  say('leading')
  await new Promise((resolve) => term.signal.addEventListener('abort', resolve, { once: true }))
  say('stopped')
}

/** In one write: the process may be killed at any moment. */
function say(event: Line['event'], leader?: string): void {
  const line = { event, leader, monotonicMillis: monotonicMillis(), wallMillis: Date.now() } satisfies object
  writeSync(1, `${JSON.stringify(line)}\n`)
}

function sayUsage(): void {
  const { user, system } = process.cpuUsage()
  const line: Usage = {
    event: 'usage',
    monotonicMillis: monotonicMillis(),
    cpuSeconds: (user + system) / 1e6,
    residentBytes: process.memoryUsage.rss(),
  }
  writeSync(1, `${JSON.stringify(line)}\n`)
}

/** As `kubeconfigFor` writes it: in JSON, with a token. client-node would be the larger part of what is measured. */
function readKubeConfig(path: string): KubeConfigLike {
  const { clusters, users } = JSON.parse(readFileSync(path, 'utf8')) as {
    clusters: [{ cluster: { server: string; 'certificate-authority-data': string } }]
    users: [{ user: { token: string } }]
  }
  const [{ cluster }] = clusters
  const [{ user }] = users
  const ca = Buffer.from(cluster['certificate-authority-data'], 'base64')
  return {
    getCurrentCluster: () => ({ server: cluster.server }),
    applyToHTTPSOptions: async (options) => {
      Object.assign(options, { ca, headers: { Authorization: `Bearer ${user.token}` } })
    },
  }
}
