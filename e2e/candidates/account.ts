import type { Api } from '../../src/kube/api.ts'
import { type KubeObject, type Resource } from '../../src/kube/objects.ts'
import { ServiceAccounts } from '../controlplane/cluster.ts'
import type { ControlPlane } from '../controlplane/controlplane.ts'
import { must } from '../controlplane/must.ts'

export const CANDIDATE = 'candidate'
const RBAC = { group: 'rbac.authorization.k8s.io', version: 'v1' }
const Roles: Resource<KubeObject> = { ...RBAC, plural: 'roles', kind: 'Role' }
const RoleBindings: Resource<KubeObject> = { ...RBAC, plural: 'rolebindings', kind: 'RoleBinding' }

/** What accounts are made on. */
interface Server {
  readonly api: Api
  readonly plane: ControlPlane
}

/** Who the API server takes the candidates of a namespace for. */
export const candidateUser = (namespace: string): string => `system:serviceaccount:${namespace}:${CANDIDATE}`

/** A service account that may elect in this namespace and nothing else. Resolves to a kubeconfig with its token. */
export async function candidateAccount(server: Server, namespace: string): Promise<string> {
  return server.plane.kubeconfigFor(CANDIDATE, await candidateToken(server, namespace))
}

/** The same; resolves to the token alone. */
export async function candidateToken({ api, plane }: Server, namespace: string): Promise<string> {
  const metadata = { name: CANDIDATE }
  must(await api.create(ServiceAccounts, namespace, { apiVersion: 'v1', kind: 'ServiceAccount', metadata }))
  must(
    await api.create(Roles, namespace, {
      apiVersion: `${RBAC.group}/${RBAC.version}`,
      kind: 'Role',
      metadata,
      rules: [
        {
          apiGroups: ['coordination.k8s.io'],
          resources: ['leases'],
          // Patch: as kubert and older versions of fabric8 write.
          verbs: ['get', 'list', 'watch', 'create', 'update', 'patch'],
        },
      ],
    }),
  )
  must(
    await api.create(RoleBindings, namespace, {
      apiVersion: `${RBAC.group}/${RBAC.version}`,
      kind: 'RoleBinding',
      metadata,
      roleRef: { apiGroup: RBAC.group, kind: 'Role', name: CANDIDATE },
      subjects: [{ kind: 'ServiceAccount', name: CANDIDATE, namespace }],
    }),
  )
  return plane.serviceAccountToken(namespace, CANDIDATE)
}
