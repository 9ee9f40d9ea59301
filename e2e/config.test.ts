import assert from 'node:assert/strict'
import { fileURLToPath } from 'node:url'
import { parseAllDocuments } from 'yaml'
import { kubectl, succeed } from './kubectl.ts'

const SYSTEM = 'leadergroup-system'
const OPERATOR = `system:serviceaccount:${SYSTEM}:leadergroup-controller-manager`
/** A user who is bound to the role for the operator's own election, and to nothing else. */
const ELECTOR = 'only-election'

interface Manifest {
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
}

describe('the manifests in config', () => {
  before(async () => {
    const namespace = await succeed(['create', 'namespace', SYSTEM, '--dry-run=client', '-o', 'json'])
    await succeed(['apply'], namespace)
    await succeed(['apply', '-k', directory('rbac')])
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

  it('grant the same in one namespace', async () => {
    const [wide, narrow] = [await build('rbac'), await build('namespaced')]
    assert.deepEqual(
      narrow.map(({ kind, metadata }) => `${metadata.namespace} ${kind} ${metadata.name}`).toSorted(),
      wide.map(({ kind, metadata }) => `${SYSTEM} ${kind.replace('Cluster', '')} ${metadata.name}`).toSorted(),
    )
    assert.deepEqual(rulesByName(narrow), rulesByName(wide))
    assert.ok(narrow.every(({ roleRef }) => roleRef === undefined || roleRef.kind === 'Role'))
    await succeed(['apply', '--dry-run=server', '-k', directory('namespaced')])
  })
})

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

/** kubectl's exit code is 1 for "no", so its answer is read instead. */
async function mayElector(verb: string, name: string): Promise<string> {
  const lease = `leases.coordination.k8s.io${name}`
  const { stdout } = await kubectl(['auth', 'can-i', verb, lease, '-n', SYSTEM, '--as', ELECTOR])
  return stdout.trim().split(' ')[0] ?? ''
}

/** What the operator may do, without what everybody may: ask about itself, and read the API's own documents. */
async function permissions(namespace: string): Promise<Record<string, string>> {
  const text = await succeed(['auth', 'can-i', '--list', '--no-headers', '-n', namespace, '--as', OPERATOR])
  const rows = text.matchAll(/^(\S+) +\[\] +\[\] +\[(.*)\]$/gm)
  const all = [...rows].map(([, resource = '', verbs = '']) => [resource, verbs] as const)
  return Object.fromEntries(all.filter(([resource]) => !resource.startsWith('selfsubject')))
}
