/**
 * What is used of a `KubeConfig` of `@kubernetes/client-node`, which fits as it is. Whoever has one passes it in, so
 * that nobody else needs that package.
 */
export interface KubeConfigLike {
  /** The cluster of the current context; `server` is the URL of its API server. Null: there is none. */
  getCurrentCluster(): { readonly server: string; readonly proxyUrl?: string | undefined } | null
  /** Fills in what `https.request()` needs: certificates, headers, `auth` as `user:password`. */
  applyToHTTPSOptions(options: object): Promise<void>
}
