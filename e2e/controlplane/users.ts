import { randomBytes } from 'node:crypto'

/** Somebody whom the API server knows by a static token. The token file is read once, at its start. */
export interface User {
  readonly name: string
  readonly groups: readonly string[]
  readonly token: string
}

export const ADMIN = 'admin'
export const CONTROLLER_MANAGER = 'system:kube-controller-manager'

/** The admin, who may do everything, and the users whom the default RBAC rules name, with fresh tokens. */
export function users(extra: readonly Omit<User, 'token'>[] = []): User[] {
  return [
    { name: ADMIN, groups: ['system:masters'] },
    { name: CONTROLLER_MANAGER, groups: [] },
    { name: 'system:kube-scheduler', groups: [] },
    { name: 'system:kube-proxy', groups: [] },
    ...extra,
  ].map((user) => ({ ...user, token: randomBytes(24).toString('hex') }))
}

/** The lines of `--token-auth-file`: token,user,uid,"group,group". */
export function tokenFile(all: readonly User[]): string {
  return all.map(({ token, name, groups }) => `${token},${name},${name},"${groups.join(',')}"\n`).join('')
}

/** JSON is YAML: kubectl and every client library read it. */
export function kubeconfig(
  server: string,
  ca: string,
  user: { readonly name: string; readonly token: string },
): string {
  const name = 'leadergroup'
  return JSON.stringify(
    {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name, cluster: { server, 'certificate-authority-data': Buffer.from(ca).toString('base64') } }],
      users: [{ name: user.name, user: { token: user.token } }],
      contexts: [{ name, context: { cluster: name, user: user.name } }],
      'current-context': name,
    },
    undefined,
    2,
  )
}
