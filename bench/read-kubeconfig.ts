import { readFileSync } from 'node:fs'
import type { KubeConfigLike } from '../src/exports/index.ts'

/** As `kubeconfigFor` writes it: in JSON, with a token. client-node would be the larger part of what is measured. */
export function readKubeConfig(path: string): KubeConfigLike {
  const { clusters, users } = JSON.parse(readFileSync(path, 'utf8')) as {
    clusters: [{ cluster: { server: string; 'certificate-authority-data': string } }]
    users: [{ user: { token: string } }]
  }
  const [{ cluster }] = clusters
  const [{ user }] = users
  const ca = Buffer.from(cluster['certificate-authority-data'], 'base64')
  return {
    getCurrentCluster: () => ({ server: cluster.server }),
    applyToHTTPSOptions: async (options) => {
      Object.assign(options, { ca, headers: { Authorization: `Bearer ${user.token}` } })
    },
  }
}
