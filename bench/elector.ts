/**
 * A program that leads with the library, with the flags and the lines of `e2e/candidates`. With `--count` it has so many
 * electors, each on a Lease of its own, and says what they cost.
 */
import { parseArgs } from 'node:util'
import { Elector, type Term } from '../src/exports/index.ts'
import { readKubeConfig } from './read-kubeconfig.ts'
import { say, sayUsage } from './say.ts'

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
