/** Puts on the cluster what the operator needs, from the shipped manifests, and takes off again what was not there. */
import { setTimeout as sleep } from 'node:timers/promises'
import { parseAllDocuments } from 'yaml'
import type { Api } from '../../src/kube/api.ts'
import type { KubeObject, Resource } from '../../src/kube/objects.ts'
import { LeaderGroups } from '../../src/operator/resources.ts'
import { eventually } from '../controlplane/eventually.ts'
import { must } from '../controlplane/must.ts'
import { projectFile } from './stage.ts'

const SYSTEM = 'leadergroup-system'
const SERVICE_ACCOUNT = 'leadergroup-controller-manager'

const MANIFESTS = [
  'crds/leadergroup.yaml',
  'config/rbac/service_account.yaml',
  'config/rbac/role.yaml',
  'config/rbac/role_binding.yaml',
  'config/rbac/leader_election_role.yaml',
  'config/rbac/leader_election_role_binding.yaml',
]

const PLURALS: Readonly<Record<string, string>> = {
  CustomResourceDefinition: 'customresourcedefinitions',
  Namespace: 'namespaces',
  ServiceAccount: 'serviceaccounts',
  ClusterRole: 'clusterroles',
  ClusterRoleBinding: 'clusterrolebindings',
  Role: 'roles',
  RoleBinding: 'rolebindings',
}

/** A type of which only the place in the API matters here. */
export function resource(apiVersion: string, kind: string, plural: string): Resource<KubeObject> {
  const [version, group = ''] = apiVersion.split('/').toReversed() as [string, string?]
  return { group, version, plural, kind }
}

interface Manifest extends KubeObject {
  readonly apiVersion: string
  readonly kind: string
}

/** Creates what is missing. Resolves to what takes it off again, newest first; what was there before stays. */
export async function install(api: Api): Promise<() => Promise<void>> {
  const system = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: SYSTEM } } as Manifest
  const documents = (await Promise.all(MANIFESTS.map(projectFile))).flatMap((text) => parseAllDocuments(text))
  const made: Manifest[] = []
  for (const manifest of [system, ...documents.map((document) => document.toJS() as Manifest)]) {
    const outcome = await api.create(typeOf(manifest), manifest.metadata.namespace, manifest)
    if (outcome.kind === 'exists') continue
    must(outcome)
    made.unshift(manifest)
  }
  await eventually({ what: 'the API server to serve leadergroups', millis: 30_000 }, async () => {
    const listed = await api.list(LeaderGroups, { limit: 1 })
    return listed.kind === 'ok' ? true : undefined
  })
  return async () => {
    for (const manifest of made) {
      const { name, namespace } = manifest.metadata
      await api.delete(typeOf(manifest), { name, ...(namespace === undefined ? {} : { namespace }) })
    }
  }
}

function typeOf({ apiVersion, kind }: Manifest): Resource<KubeObject> {
  return resource(apiVersion, kind, PLURALS[kind]!)
}

/** A token of the operator's service account: the operator runs with this and nothing more. */
export async function operatorToken(api: Api): Promise<string> {
  const requests = resource('v1', 'TokenRequest', `serviceaccounts/${SERVICE_ACCOUNT}/token`)
  const request = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { expirationSeconds: 86_400 } }
  // The roles reach the API server's authorizer through a watch of its own.
  await sleep(200)
  const { status } = must(await api.create(requests, SYSTEM, request)) as { status?: { token?: string } }
  if (status?.token === undefined) throw new Error('the API server gave no token for the service account')
  return status.token
}
