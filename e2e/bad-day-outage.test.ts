import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { sleepUntil, systemClock } from '../src/clock.ts'
import { Api } from '../src/kube/api.ts'
import { type KubeObject, Pods, type Resource } from '../src/kube/objects.ts'
import { ApiError } from '../src/kube/outcome.ts'
import { type Cluster, INFORMER_MILLIS, openCluster } from './controlplane/cluster.ts'
import { eventually } from './controlplane/eventually.ts'
import { must } from './controlplane/must.ts'
import { sharedCluster } from './controlplane/shared.ts'
import {
  OPERATOR_NAMESPACE,
  OPERATOR_USER,
  type OperatorProcess,
  SERVICE_ACCOUNT,
  installOperator,
  startOperator,
} from './operator-process.ts'
import { type Scene, isLabelled, openScene, readyOf } from './operator-scene.ts'
import { witnessStore } from './store-history.ts'
import { STORED_AS_JSON } from './store-stream.ts'

/** From the end of an outage: a start of watches and of the operators' election, each after a back-off of some seconds. */
const RECOVERY_MILLIS = 30_000
const PAUSE_MILLIS = 30_000
const LEADER = { name: 'db', role: 'Leader', ports: [{ port: 5432 }] }

const Secrets: Resource<KubeObject> = { group: '', version: 'v1', plural: 'secrets', kind: 'Secret' }
const Quotas: Resource<KubeObject> = { group: '', version: 'v1', plural: 'resourcequotas', kind: 'ResourceQuota' }

describe('a bad day: the API server', function () {
  this.timeout(180_000)
  let cluster: Cluster
  let operator: OperatorProcess
  let scene: Scene
  let expiry: Promise<void>

  before(async () => {
    // It waits most of the time, as the pause does: so the two wait beside each other.
    expiry = expireTokens(await sharedCluster())
    expiry.catch(() => undefined)
    // Its servers are killed and paused: nobody else's tests may run on it.
    cluster = await openCluster({ extraApiServerArgs: STORED_AS_JSON })
    operator = await startOperator({ cluster })
  })
  after(async () => {
    await Promise.allSettled([expiry])
    await operator.end()
    await cluster[Symbol.asyncDispose]()
  })
  beforeEach(async () => {
    scene = await openScene('outage', { cluster, witness: witnessStore })
    await scene.createLed(['db-0', 'db-1'])
  })
  afterEach(async function () {
    await scene[Symbol.asyncDispose]()
    if (this.currentTest?.state === 'failed') console.error(await operator.logTail())
  })

  for (const [when, millis] of [
    ['at the beginning', 0],
    ['in the middle', 12],
    ['at the end', 30],
  ] as const) {
    it(`is killed ${when} of a failover, and started again`, async () => {
      const { apiserver } = cluster.plane.processes
      await scene.setReady('db-0', false)
      await sleep(millis)
      await apiserver.kill()
      await apiserver.start()
      await scene.untilLed('db-1', 'db', RECOVERY_MILLIS)
      await scene.check(2)
    })
  }

  it('is paused for 30 s in a failover: it is carried out when it answers again', async () => {
    const { apiserver } = cluster.plane.processes
    await scene.setReady('db-0', false)
    apiserver.pause()
    try {
      await sleep(PAUSE_MILLIS)
    } finally {
      apiserver.resume()
    }
    await scene.untilLed('db-1', 'db', RECOVERY_MILLIS)
    // And the next one is as quick as ever.
    await scene.setReady('db-0', true)
    await scene.untilStatus('two eligible pods', ({ eligible }) => eligible === 2)
    await scene.setReady('db-1', false)
    await scene.untilLed('db-0')
    await scene.check(3)
  })

  it('forbids to write pods: the condition says so and what to do, and it goes on when it may again', async () => {
    await withoutPods(async () => {
      await scene.setReady('db-0', false)
      const { message } = await scene.untilCondition('False', 'Forbidden')
      assert.match(message, /cannot patch resource "pods".*Give the operator its role back: config\/rbac/)
      assert.ok(isLabelled(await scene.pod('db-0')))
    })
    await scene.untilLed('db-1', 'db', RECOVERY_MILLIS)
    await scene.untilCondition('True', 'LeaderElected')
    await scene.check(2)
  })

  it('forbids everything: the log says so, the leader stays, and it goes on when it may again', async () => {
    const name = 'leadergroup-manager-rolebinding'
    const binding = await kubectl('get', 'clusterrolebinding', name, '-o', 'json')
    await kubectl('delete', 'clusterrolebinding', name)
    await untilMay('no')
    await scene.setReady('db-0', false)
    await untilLogged(operator, /forbidden/)
    assert.ok(isLabelled(await scene.pod('db-0')))
    const { roleRef, subjects } = JSON.parse(binding) as Record<string, object>
    const again = { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRoleBinding', metadata: { name } }
    await cluster.plane.apply(JSON.stringify({ ...again, roleRef, subjects }))
    await scene.untilLed('db-1', 'db', RECOVERY_MILLIS)
    await scene.check(2)
  })

  it('refuses a slice for good, by somebody’s quota: a leader is labelled all the same, and routed when it may', async () => {
    const { api, namespace } = scene
    const hard = { 'count/endpointslices.discovery.k8s.io': '0' }
    must(await api.create(Quotas, namespace, { metadata: { name: 'none' }, spec: { hard } }))
    await eventually({ what: 'a quota that is in force', millis: INFORMER_MILLIS }, async () => {
      const quota = must(await api.get(Quotas, { namespace, name: 'none' })) as { status?: { hard?: object } }
      return quota.status?.hard ? true : undefined
    })
    await scene.createGroup('web', { services: [{ ...LEADER, name: 'web' }] })
    await scene.createPod('web-0', { app: 'web' })
    await scene.createPod('web-1', { app: 'web' })
    await scene.untilLed('web-0', 'web')
    assert.match(
      await scene.untilServicesReady('False', 'Forbidden', 'web'),
      /exceeded quota: none.*That is a quota or an admission policy/,
    )
    await scene.setReady('web-0', false)
    await scene.untilLed('web-1', 'web')
    assert.equal(readyOf(await scene.group('web'))?.status, 'True')
    must(await api.delete(Quotas, { namespace, name: 'none' }))
    await eventually({ what: 'web-1 behind the Service', millis: RECOVERY_MILLIS }, async () =>
      (await scene.podsBehind('web')).join() === 'web-1' ? true : undefined,
    )
    await scene.untilServicesReady('True', 'Routed', 'web')
    await scene.check(2, 'web')
  })

  it('does not accept the operator’s token any more: it goes on with the next one that its file holds', () => expiry)

  async function kubectl(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await cluster.plane.kubectl(...args)
    assert.equal(code, 0, stderr)
    return stdout
  }

  /** The verbs of pods are taken from the operator's role for as long as `act` takes. */
  async function withoutPods(act: () => Promise<void>): Promise<void> {
    const role = JSON.parse(await kubectl('get', 'clusterrole', 'leadergroup-manager-role', '-o', 'json')) as Role
    const { name } = role.metadata
    const write = (rules: Role['rules']): Promise<string> =>
      cluster.plane.apply(JSON.stringify({ ...role, metadata: { name }, rules }), '--server-side', '--force-conflicts')
    const fewer = role.rules.map((rule) =>
      rule.resources.includes('pods') ? { ...rule, verbs: ['get', 'list', 'watch'] } : rule,
    )
    await write(fewer)
    try {
      await untilMay('no')
      await act()
    } finally {
      await write(role.rules)
    }
    await untilMay('yes')
  }

  async function untilMay(answer: 'yes' | 'no'): Promise<void> {
    await eventually({ what: `the operator may patch pods: ${answer}` }, async () => {
      const { stdout } = await cluster.plane.kubectl('auth', 'can-i', 'patch', 'pods', '-A', `--as=${OPERATOR_USER}`)
      return stdout.trim() === answer ? true : undefined
    })
  }
})

interface Role {
  readonly metadata: { readonly name: string }
  readonly rules: readonly { readonly resources: readonly string[]; readonly verbs: readonly string[] }[]
}

/**
 * A token that is bound to a Secret is refused once that is gone, as one that has expired; the API server remembers a
 * token that it accepted for 10 s.
 */
async function expireTokens(cluster: Cluster): Promise<void> {
  await installOperator(cluster)
  await using scene = await openScene('tokens', { cluster })
  const file = join(cluster.plane.dir, `${scene.namespace}.token`)
  const renew = async (secret: string): Promise<string> => {
    must(await cluster.api.create(Secrets, OPERATOR_NAMESPACE, { metadata: { name: secret } }))
    const token = await cluster.plane.serviceAccountToken(OPERATOR_NAMESPACE, SERVICE_ACCOUNT, secret)
    await writeFile(file, token, { mode: 0o600 })
    return token
  }
  const expire = async (secret: string, token: string): Promise<void> => {
    must(await cluster.api.delete(Secrets, { namespace: OPERATOR_NAMESPACE, name: secret }))
    await untilRefused(cluster, scene.namespace, token)
  }
  const [first, second, third] = ['first', 'second', 'third'].map((name) => `${scene.namespace}-${name}`)
  let token = await renew(first!)
  const args = ['--no-leader-elect', '--namespace', scene.namespace]
  const kubeconfig = await withTokenFile(cluster, file)
  await using operator = await startOperator({ name: 'expiring', args, kubeconfig })
  await scene.createLed()

  await expire(first!, token)
  await scene.setReady('db-0', false)
  await untilLogged(operator, /Unauthorized/)
  assert.ok(isLabelled(await scene.pod('db-0')), 'the leader stays')
  token = await renew(second!)
  await scene.untilLed('db-1', 'db', RECOVERY_MILLIS)

  // Renewed before it expires, as by a kubelet: nobody notices.
  await scene.setReady('db-0', true)
  await scene.untilStatus('two eligible pods', ({ eligible }) => eligible === 2)
  const before = (await operator.log()).length
  await renew(third!)
  await expire(second!, token)
  await scene.setReady('db-1', false)
  await scene.untilLed('db-0')
  const since = (await operator.log()).slice(before)
  assert.deepEqual(
    since.filter(({ level }) => level !== 'info'),
    [],
  )
  await scene.check(3)
}

async function withTokenFile({ plane }: Cluster, tokenFile: string): Promise<string> {
  const path = await plane.kubeconfigFor(SERVICE_ACCOUNT, 'none')
  const config = JSON.parse(await readFile(path, 'utf8')) as object
  await writeFile(path, JSON.stringify({ ...config, users: [{ name: SERVICE_ACCOUNT, user: { tokenFile } }] }))
  return path
}

async function untilRefused(cluster: Cluster, namespace: string, token: string): Promise<void> {
  const transport = cluster.transport(token, 'leadergroup-e2e-expiring')
  const api = new Api(transport, systemClock)
  try {
    await eventually({ what: 'the end of a token', millis: RECOVERY_MILLIS, intervalMillis: 500 }, async () => {
      try {
        await api.list(Pods, { namespace, limit: 1 })
        return undefined
      } catch (error) {
        if (error instanceof ApiError && error.status === 401) return true
        throw error
      }
    })
  } finally {
    await transport.close()
  }
}

async function untilLogged(operator: OperatorProcess, pattern: RegExp): Promise<void> {
  await eventually({ what: `a line like ${pattern} in the log`, millis: RECOVERY_MILLIS }, async () =>
    pattern.test(await operator.logTail(5)) ? true : undefined,
  )
}

function sleep(millis: number): Promise<void> {
  return sleepUntil(systemClock, systemClock.now() + millis, new AbortController().signal)
}
