import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import type { KubeConfig, User } from '@kubernetes/client-node'
import { parse } from 'yaml'
import { bearer } from '../kube/bearer.ts'

/** Marks a user whose token is in a file. */
const PROVIDER = 'token-file'

/**
 * `tokenFile` of a user, as `kubectl` and client-go know it: a token that somebody renews, such as a pod's own. client-node
 * passes it over, and its own provider for files would use a token that was refused for another minute. `text` is the
 * kubeconfig, `file` where it is. Before `token`, as in client-go.
 */
export function withTokenFiles(users: readonly User[], text: string, file: string): User[] {
  const { users: entries } = (parse(text, { logLevel: 'error' }) ?? {}) as Entries
  const files = new Map((entries ?? []).map(({ name, user }) => [name, user?.tokenFile] as const))
  return users.map((user) => {
    const tokenFile = files.get(user.name)
    if (!tokenFile) return user
    const { token: _, ...rest } = user
    return { ...rest, authProvider: { name: PROVIDER, config: { path: resolve(dirname(file), tokenFile) } } }
  })
}

interface Entries {
  readonly users?: readonly { readonly name: string; readonly user?: { readonly tokenFile?: string } }[] | null
}

/** Reads the file whenever it is asked: how often that is, is for `kube/credentials.ts` to say. */
export function readTokenFiles(config: KubeConfig): void {
  config.addAuthenticator({
    isAuthProvider: ({ authProvider }) => (authProvider as Provider | undefined)?.name === PROVIDER,
    applyAuthentication: async ({ authProvider }, options) => {
      const { path } = (authProvider as Provider).config
      const authorization = bearer(await readFile(path, 'utf8'), `the token file ${path}`)
      options.headers = { ...options.headers, Authorization: authorization }
    },
  })
}

interface Provider {
  readonly name: string
  readonly config: { readonly path: string }
}
