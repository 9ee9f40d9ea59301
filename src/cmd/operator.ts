import { collectDefaultMetrics } from 'prom-client'
import { systemClock as clock } from '../clock.ts'
import { Api } from '../kube/api.ts'
import { observedTransport } from '../kube/observed.ts'
import { undiciTransport } from '../kube/undici.ts'
import { identityOf, instanceOf } from '../lock/identity.ts'
import { leaseLock } from '../lock/lease-lock.ts'
import { EventRecorder } from '../operator/events.ts'
import { serveHealth, serveMetrics, type HttpServer } from '../operator/http.ts'
import type { Log } from '../operator/log.ts'
import { Metrics } from '../operator/metrics.ts'
import { GroupOperator, type OperatorElection } from '../operator/operator.ts'
import { findCluster, type Cluster } from './cluster.ts'
import type { OperatorFlags } from './flags.ts'
import { LeaderGroupOperator } from './leader-group-operator.ts'
import { winstonLog } from './log.ts'
import { preflight } from './preflight.ts'

/** Name of the writer in managedFields. */
const FIELD_MANAGER = 'leadergroup'

/** What the process gives to the operator. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly stderr: NodeJS.WriteStream
  readonly version: string
  /** Aborts to ask for a graceful end; the reason says who asked. */
  readonly signal: AbortSignal
}

/** `leadergroup operator`: resolves after a graceful end. */
export async function runOperator(flags: OperatorFlags, { env, stderr, version, signal }: Surroundings): Promise<void> {
  const log = winstonLog(flags.log, clock, stderr)
  const cluster = await findCluster(flags.cluster, env, clock)
  const { server } = cluster.credentials
  log.info('starting', { version, server, source: cluster.source, dryRun: flags.dryRun || undefined })

  const metrics = new Metrics(clock)
  collectDefaultMetrics({ register: metrics.registry })
  const undici = undiciTransport({ credentials: cluster.credentials, userAgent: `leadergroup/${version}` })
  const { host } = new URL(server)
  const transport = observedTransport(undici, clock, ({ method }, result, seconds) =>
    metrics.request({ method, host, status: typeof result === 'number' ? result : undefined, seconds }),
  )
  const api = new Api(transport, clock, { fieldManager: FIELD_MANAGER })
  const instance = instanceOf(env)
  const events = new EventRecorder({ api, clock, log, metrics, instance, dryRun: flags.dryRun })
  const groupOperator = new GroupOperator({
    api,
    clock,
    random: Math.random,
    namespaces: flags.namespaces,
    log,
    metrics,
    events,
    election: electionOf(flags, cluster, api, identityOf(env)),
    dryRun: flags.dryRun,
  })
  const operator = new LeaderGroupOperator(groupOperator, log)

  const servers: HttpServer[] = []
  try {
    if (flags.health) servers.push(await serveHealth(flags.health, () => groupOperator.checks))
    if (flags.metrics) servers.push(await serveMetrics(flags.metrics, metrics))
    await untilStopped(operator, signal, log, async () => {
      const problem = await preflight(api, flags.namespaces, { server, source: cluster.source }, signal)
      if (problem !== undefined) log.warn(problem)
    })
    await events.stop()
  } finally {
    await Promise.all(servers.map((each) => each.close()))
    await undici.close()
  }
}

/** In a dry run nobody is elected: the Lease would be a write, and would keep a real operator from acting. */
function electionOf(flags: OperatorFlags, cluster: Cluster, api: Api, identity: string): OperatorElection | undefined {
  if (!flags.election || flags.dryRun) return undefined
  const { namespace = cluster.namespace, name, ...timing } = flags.election
  const lock = leaseLock(api, { name, namespace, clock, random: Math.random })
  return { name, lock, identity, ...timing }
}

async function untilStopped(
  operator: LeaderGroupOperator,
  signal: AbortSignal,
  log: Log,
  beside: () => Promise<void>,
): Promise<void> {
  const stop = (): void => {
    log.info('stopping', { why: String(signal.reason) })
    operator.stop()
  }
  signal.addEventListener('abort', stop, { once: true })
  if (signal.aborted) stop()
  try {
    await Promise.all([operator.start(), beside()])
  } finally {
    signal.removeEventListener('abort', stop)
  }
}
