import type { Api } from '../kube/api.ts'
import { ApiError } from '../kube/outcome.ts'
import { LeaderGroups } from '../operator/resources.ts'

/**
 * Asks the API server one question before the work begins, so that what a person must put right is said in their words:
 * no server at that address, no CRD, no permission. Undefined: all is well, or `signal` aborted. Nothing of it ends the operator, which
 * begins to work as soon as it can.
 */
export async function preflight(
  api: Api,
  namespaces: readonly string[],
  where: { readonly server: string; readonly source: string },
  signal: AbortSignal,
): Promise<string | undefined> {
  const place = `the API server ${where.server} (from ${where.source})`
  const [namespace] = namespaces
  try {
    const outcome = await api.list(LeaderGroups, {
      ...(namespace === undefined ? {} : { namespace }),
      limit: 1,
      signal,
    })
    if (outcome.kind === 'ok') return undefined
    if (outcome.kind === 'notFound') {
      return `${place} knows no LeaderGroups: install the CRD with kubectl apply -f crds/leadergroup.yaml`
    }
    return `${place} answers: ${outcome.message}`
  } catch (error) {
    if (signal.aborted) return undefined
    if (!(error instanceof ApiError)) throw error
    if (error.status === 401) return `${place} does not accept these credentials: ${error.message}`
    if (error.status === 403) return `${error.message}. Give the operator its role: kubectl apply -k config/rbac`
    if (error.status !== undefined) return `${place} answers: ${error.message}`
    return `${place} cannot be reached: ${error.message}. Is it the right one? Choose with --kubeconfig or --context`
  }
}
