/** `config/default` and `config/namespaced` as an administrator applies them, and the operator that they describe. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { parseAllDocuments } from 'yaml'
import { BUNDLE_FILE, buildBundle } from '../scripts/build.ts'
import { INSTALL_FILE, buildInstall } from '../scripts/build-install.ts'
import { eventually } from './controlplane/eventually.ts'
import { controlPlane, leaderGroupCrd } from './controlplane/shared.ts'
import { fail, succeed } from './kubectl.ts'
import { type Deployment, deploymentIn, startManagerPod } from './manager-pod.ts'
import { type Scene, openScene } from './operator-scene.ts'

const SYSTEM = 'leadergroup-system'
const DEFAULT = directory('default')

interface Listed {
  readonly kind: string
  readonly metadata: { readonly name: string; readonly resourceVersion: string; readonly generation?: number }
}

interface AuditEvent {
  readonly verb: string
  readonly requestURI: string
  readonly user: { readonly username: string }
  readonly responseStatus?: { readonly code?: number; readonly message?: string }
}

describe('what is shipped:', () => {
  before(() => buildBundle())

  describe('the bundle', () => {
    it('says its version', async () => {
      const { version } = JSON.parse(await readFile(join(import.meta.dirname, '../package.json'), 'utf8')) as {
        version: string
      }
      assert.equal(await run('--version'), `${version}\n`)
    })

    it('explains the operator', async () => {
      assert.match(await run('operator', '--help'), /--leader-election-namespace/)
    })

    it('is small', async () => {
      const { length } = await readFile(BUNDLE_FILE)
      assert.ok(length < 1_400_000, `${length} bytes: has client-node or undici come back in whole?`)
    })
  })

  describe('the installation', () => {
    before(async () => {
      await leaderGroupCrd()
      await buildInstall()
      await succeed(['apply', '-k', DEFAULT])
    })
    after(async () => {
      // No node would ever run its pods. The rest is what other tests install as well.
      await succeed(['delete', 'deployment,poddisruptionbudget,service', '--all', '-n', SYSTEM])
    })

    it('is also one file, with the same objects', async () => {
      assert.equal(await readFile(INSTALL_FILE, 'utf8'), await succeed(['kustomize', DEFAULT]))
    })

    it('changes nothing when it is applied again', async () => {
      const before = await versions()
      await succeed(['apply', '-k', DEFAULT])
      assert.deepEqual(await versions(), before)
    })

    it('has two replicas that cannot both be drained', async () => {
      await eventually({ what: 'the pods of both replicas', millis: 30_000 }, async () => {
        const { items } = JSON.parse(await succeed(['get', 'pods', '-n', SYSTEM, '-o', 'json'])) as { items: object[] }
        return items.length === 2 ? true : undefined
      })
      await eventually({ what: 'the PodDisruptionBudget to count them', millis: 30_000 }, async () => {
        const { status } = JSON.parse(
          await succeed(['get', 'poddisruptionbudget', 'leadergroup-controller-manager', '-n', SYSTEM, '-o', 'json']),
        ) as { status?: { expectedPods?: number; desiredHealthy?: number } }
        return status?.expectedPods === 2 && status.desiredHealthy === 1 ? true : undefined
      })
    })

    it('keeps to the Pod Security Standard that its namespace enforces', async () => {
      const { template } = deploymentIn(await succeed(['kustomize', DEFAULT])).spec
      const pod = { apiVersion: 'v1', kind: 'Pod', ...template, metadata: { ...template.metadata, name: 'manager' } }
      const create = ['create', '--dry-run=server', '-n', SYSTEM]
      await succeed(create, JSON.stringify(pod))
      // The namespace does enforce it.
      const bare = { ...pod, spec: { containers: [{ name: 'main', image: 'leadergroup/operator' }] } }
      await fail(create, /violates PodSecurity "restricted:latest"/, JSON.stringify(bare))
    })

    it('ranks the requests of a failover above those of any service account', async () => {
      const { items } = JSON.parse(await succeed(['get', 'flowschemas', '-o', 'json'])) as {
        items: {
          metadata: { name: string }
          spec: { matchingPrecedence: number; priorityLevelConfiguration: { name: string } }
          status?: { conditions?: { type: string; status: string }[] }
        }[]
      }
      const byName = new Map(items.map((item) => [item.metadata.name, item]))
      const any = byName.get('service-accounts')!
      for (const name of ['leadergroup-election', 'leadergroup-failover']) {
        const { spec, status } = byName.get(name)!
        assert.ok(spec.matchingPrecedence < any.spec.matchingPrecedence, name)
        assert.equal(status?.conditions?.find(({ type }) => type === 'Dangling')?.status, 'False', name)
      }
    })

    it('runs: a leader is elected, dies and is replaced, and nothing was refused', async () => {
      await using scene = await openScene('installed')
      await elects(deploymentIn(await succeed(['kustomize', DEFAULT])), scene)
    })

    it('runs in one namespace with rights there alone', async () => {
      await using scene = await openScene('namespaced')
      const { namespace } = scene
      const overlay = await mkdtemp(join((await controlPlane()).dir, 'overlay-'))
      const resources = [relative(overlay, directory('namespaced'))]
      await writeFile(join(overlay, 'kustomization.yaml'), JSON.stringify({ namespace, resources }))
      const manifests = await succeed(['kustomize', overlay])
      const kinds = parseAllDocuments(manifests).map((document) => (document.toJS() as Listed).kind)
      assert.deepEqual(
        kinds.filter((kind) => kind.startsWith('Cluster')),
        [],
      )
      await succeed(['apply', '-k', overlay])
      try {
        await elects(deploymentIn(manifests), scene)
      } finally {
        await succeed(['delete', '-k', overlay])
      }
    })
  })
})

/** With the Deployment's own arguments, environment and service account, and nothing more. */
async function elects(deployment: Deployment, scene: Scene): Promise<void> {
  const user = `system:serviceaccount:${deployment.metadata.namespace}:${deployment.spec.template.spec.serviceAccountName}`
  const { length: before } = await requests(user)
  await using manager = await startManagerPod(deployment)
  try {
    const first = await scene.createLed()
    await scene.deletePod(first.metadata.name, 0)
    await scene.untilLed('db-1')
    await scene.check(2)
  } catch (error) {
    throw new Error(`the manager's log:\n${await manager.log()}`, { cause: error })
  }
  const asked = (await requests(user)).slice(before)
  assert.ok(
    asked.some(({ verb }) => verb === 'patch'),
    `${user} has patched no pod`,
  )
  // By RBAC or by policy: both say 403.
  const refused = asked.filter(({ responseStatus }) => responseStatus?.code === 403)
  const words = refused.map(
    ({ verb, requestURI, responseStatus }) => `${verb} ${requestURI}: ${responseStatus?.message}`,
  )
  assert.deepEqual(words, [])
  assert.equal(await manager.stop(), 0)
}

/** What this user asked of the API server so far. */
async function requests(user: string): Promise<readonly AuditEvent[]> {
  const { auditLogPath } = await controlPlane()
  const lines = (await readFile(auditLogPath!, 'utf8')).split('\n')
  return (
    lines
      // The last line may be half written.
      .filter((line) => line.endsWith('}') && line.includes(JSON.stringify(user)))
      .map((line) => JSON.parse(line) as AuditEvent)
      .filter(({ user: { username } }) => username === user)
  )
}

/** What `kubectl apply` could change: generation where there is one, since a controller writes into the status. */
async function versions(): Promise<readonly string[]> {
  const { items } = JSON.parse(await succeed(['get', '-k', DEFAULT, '-o', 'json'])) as { items: Listed[] }
  return items.map(
    ({ kind, metadata: { name, generation, resourceVersion } }) => `${kind} ${name} ${generation ?? resourceVersion}`,
  )
}

function directory(name: string): string {
  return fileURLToPath(new URL(`../config/${name}`, import.meta.url))
}

async function run(...args: string[]): Promise<string> {
  const node = join(import.meta.dirname, '../node_modules/.bin/node')
  return (await promisify(execFile)(node, [BUNDLE_FILE, ...args], { timeout: 30_000 })).stdout
}
