import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { parseAllDocuments } from 'yaml'
import { eventually } from './controlplane/eventually.ts'
import { leaderGroupCrd } from './controlplane/shared.ts'
import { kubectl, succeed } from './kubectl.ts'

const SYSTEM = 'leadergroup-system'
const OPERATOR = `system:serviceaccount:${SYSTEM}:leadergroup-controller-manager`
/** A user who is bound to the role for the operator's own election, and to nothing else. */
const ELECTOR = 'only-election'

interface Manifest {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: { readonly name: string; readonly namespace?: string }
  readonly rules?: unknown
  readonly roleRef?: { readonly kind: string }
}

/** All that the operator may do in a namespace that it serves: whoever adds to it must say so here, and why there. */
const PERMISSIONS: Readonly<Record<string, string>> = {
  pods: 'get list watch patch',
  'leases.coordination.k8s.io': 'get list watch create update delete',
  'events.events.k8s.io': 'create patch',
  'leadergroups.leadergroup.io': 'get list watch',
  'leadergroups.leadergroup.io/status': 'patch update',
  'leadergroups.leadergroup.io/finalizers': 'update',
  // Those of spec.services, and their slices; the last of the three is OpenShift's.
  services: 'get list watch create patch update delete',
  'endpointslices.discovery.k8s.io': 'get list watch create update delete',
  'endpointslices.discovery.k8s.io/restricted': 'create',
  // Proof of death: a node that is out of service.
  nodes: 'get list watch',
}

/** Roles for people: what each of Kubernetes' own roles may do with groups when ours has been added to it. */
const PEOPLE: Readonly<Record<string, Readonly<Record<string, 'yes' | 'no'>>>> = {
  view: { 'get leadergroups': 'yes', 'create leadergroups': 'no', 'patch leadergroups --subresource=status': 'no' },
  edit: { 'get leadergroups': 'yes', 'create leadergroups': 'yes', 'patch leadergroups --subresource=status': 'no' },
  admin: { 'get leadergroups': 'yes', 'create leadergroups': 'yes', 'patch leadergroups --subresource=status': 'yes' },
}

describe('the manifests in config', () => {
  before(async () => {
    await leaderGroupCrd()
    for (const part of ['namespace', 'rbac']) await succeed(['apply', '-k', directory(part)])
  })

  it('allow the operator these verbs and no others', async () => {
    assert.deepEqual(await permissions('any-namespace'), PERMISSIONS)
  })

  it('allow it its own Lease by a role of its own, and no other Lease', async () => {
    const binding = ['create', 'rolebinding', 'only-election', '-n', SYSTEM, '--role=leadergroup-leader-election-role']
    const yaml = await succeed([...binding, `--user=${ELECTOR}`, '--dry-run=client', '-o', 'yaml'])
    await succeed(['apply'], yaml)
    for (const verb of ['get', 'list', 'watch', 'update']) {
      assert.equal(await mayElector(verb, '/leadergroup-operator'), 'yes', verb)
      assert.equal(await mayElector(verb, '/another'), 'no', verb)
    }
    assert.equal(await mayElector('create', ''), 'yes')
    assert.equal(await mayElector('delete', '/leadergroup-operator'), 'no')
    await succeed(['delete', '-n', SYSTEM, 'rolebinding', 'only-election'])
  })

  for (const [role, answers] of Object.entries(PEOPLE)) {
    it(`let whoever has the role ${role} in a namespace use groups there`, async () => {
      const user = `a-${role}er`
      await succeed(['create', 'rolebinding', user, '-n', SYSTEM, `--clusterrole=${role}`, `--user=${user}`])
      try {
        for (const [question, answer] of Object.entries(answers)) {
          // The controller manager adds our rules to Kubernetes' role in its own time.
          await eventually({ what: `${user} may ${question}: ${answer}` }, async () =>
            (await may(question.split(' '), user)) === answer ? true : undefined,
          )
        }
      } finally {
        await succeed(['delete', 'rolebinding', user, '-n', SYSTEM])
      }
    })
  }

  it('grant the operator the same in one namespace', async () => {
    const [wide, narrow] = [await build('rbac'), await build('namespaced')]
    const forOperator = wide.filter(({ metadata }) => !/-(viewer|editor|admin)-role$/.test(metadata.name))
    const rbac = narrow.filter(({ apiVersion, kind }) => apiVersion.startsWith('rbac') || kind === 'ServiceAccount')
    assert.deepEqual(
      rbac.map(({ kind, metadata }) => `${metadata.namespace} ${kind} ${metadata.name}`).toSorted(),
      forOperator.map(({ kind, metadata }) => `${SYSTEM} ${kind.replace('Cluster', '')} ${metadata.name}`).toSorted(),
    )
    assert.deepEqual(rulesByName(rbac), rulesByName(forOperator))
    assert.ok(narrow.every(({ roleRef }) => roleRef === undefined || roleRef.kind === 'Role'))
  })

  for (const part of ['default', 'namespaced', 'network-policy']) {
    it(`are accepted by the API server: ${part}`, async () => {
      await succeed(['apply', '--dry-run=server', '-k', directory(part)])
    })
  }

  it('name the version of the package', async () => {
    const { version } = JSON.parse(await readFile(new URL('../package.json', import.meta.url), 'utf8')) as {
      version: string
    }
    for (const part of ['default', 'namespaced']) {
      const images = [...(await succeed(['kustomize', directory(part)])).matchAll(/image: (.*)/g)]
      assert.deepEqual(
        images.map(([, image]) => image),
        [`leadergroup/operator:${version}`],
      )
    }
  })

  it('have a ServiceMonitor that finds the metrics', async () => {
    const [monitor] = (await build('prometheus')) as [ServiceMonitor]
    const service = (await build('manager')).find(({ kind }) => kind === 'Service') as MetricsService
    const { labels } = service.metadata
    assert.deepEqual({ ...labels, ...monitor.spec.selector.matchLabels }, labels)
    const ports = service.spec.ports.map(({ name }) => name)
    assert.ok(monitor.spec.endpoints.every(({ port }) => ports.includes(port)))
  })
})

interface ServiceMonitor extends Manifest {
  readonly spec: {
    readonly selector: { readonly matchLabels: Readonly<Record<string, string>> }
    readonly endpoints: readonly { readonly port: string }[]
  }
}

interface MetricsService extends Manifest {
  readonly metadata: Manifest['metadata'] & { readonly labels: Readonly<Record<string, string>> }
  readonly spec: { readonly ports: readonly { readonly name: string }[] }
}

function directory(name: string): string {
  return fileURLToPath(new URL(`../config/${name}`, import.meta.url))
}

async function build(name: string): Promise<readonly Manifest[]> {
  const manifests = await succeed(['kustomize', directory(name)])
  return parseAllDocuments(manifests).map((document) => document.toJS() as Manifest)
}

function rulesByName(manifests: readonly Manifest[]): ReadonlyMap<string, unknown> {
  return new Map(manifests.map(({ metadata, rules }) => [metadata.name, rules]))
}

function mayElector(verb: string, name: string): Promise<string> {
  return may([verb, `leases.coordination.k8s.io${name}`], ELECTOR)
}

/** kubectl's exit code is 1 for "no", so its answer is read instead. */
async function may(question: readonly string[], user: string): Promise<string> {
  const { stdout } = await kubectl(['auth', 'can-i', ...question, '-n', SYSTEM, '--as', user])
  return stdout.trim().split(' ')[0] ?? ''
}

/** What the operator may do, without what everybody may: ask about itself, and read the API's own documents. */
async function permissions(namespace: string): Promise<Record<string, string>> {
  const text = await succeed(['auth', 'can-i', '--list', '--no-headers', '-n', namespace, '--as', OPERATOR])
  const rows = text.matchAll(/^(\S+) +\[\] +\[\] +\[(.*)\]$/gm)
  const all = [...rows].map(([, resource = '', verbs = '']) => [resource, verbs] as const)
  return Object.fromEntries(all.filter(([resource]) => !resource.startsWith('selfsubject')))
}
