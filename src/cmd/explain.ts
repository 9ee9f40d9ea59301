import { stringify } from 'yaml'
import type { Clock } from '../clock.ts'
import { microTime } from '../election/micro-time.ts'
import { explain } from '../group/explain/explain.ts'
import type { Api } from '../kube/api.ts'
import { ApiError } from '../kube/outcome.ts'
import { listAll } from '../operator/list-all.ts'
import { LeaderGroups } from '../operator/resources.ts'
import { snapshot } from '../operator/snapshot.ts'
import { explainData, explainText } from './explain-text.ts'
import { likeliest } from './likeliest.ts'
import type { ExplainFlags } from './question-flags.ts'

/**
 * `leadergroup explain`: resolves to what is to be printed. It reads and writes nothing.
 *
 * @throws Error when there is no such group, with where to look; ApiError
 */
export async function explainGroup(
  api: Api,
  clock: Clock,
  { namespace, name, output }: Pick<ExplainFlags, 'name' | 'output'> & { readonly namespace: string },
  signal: AbortSignal,
): Promise<string> {
  const seen = await snapshot(api, clock, { namespace, name }, signal)
  if (!seen) throw new Error(await missing(api, namespace, name, signal))
  const wallMillis = clock.wallNow()
  const now = { monotonic: clock.now(), wall: microTime(wallMillis) }
  const explanation = explain(seen.observation, seen.group, now, seen.around)
  switch (output) {
    case 'text':
      return explainText(seen.group, explanation, wallMillis)
    case 'json':
      return `${JSON.stringify(explainData(seen.group, explanation), undefined, 2)}\n`
    case 'yaml':
      return stringify(explainData(seen.group, explanation), { lineWidth: 0, aliasDuplicateObjects: false })
  }
}

async function missing(api: Api, namespace: string, name: string, signal: AbortSignal): Promise<string> {
  const none = `there is no LeaderGroup ${name} in namespace ${namespace}`
  const here = await namesOf(api, namespace, signal)
  if (here === 'no CRD') return 'the cluster knows no LeaderGroups: install the CRD with kubectl apply -k config/crd'
  const everywhere = await namesOf(api, undefined, signal)
  const elsewhere = typeof everywhere === 'string' ? [] : everywhere.filter((group) => group.name === name)
  const hints = [
    ...(elsewhere.length > 0 ? [`One of this name is in ${elsewhere.map((group) => group.namespace).join(', ')}`] : []),
    ...(here === 'forbidden' ? [] : [namesThere(name, here)]),
    'Choose the namespace with -n',
  ]
  return `${none}. ${hints.join('. ')}`
}

function namesThere(meant: string, groups: Names): string {
  if (groups.length === 0) return 'That namespace has none'
  const names = groups.map((group) => group.name)
  return `That namespace has ${likeliest(meant, names).join(', ')}`
}

type Names = readonly { readonly namespace: string; readonly name: string }[]

/** Who may not list is helped without the list. */
async function namesOf(
  api: Api,
  namespace: string | undefined,
  signal: AbortSignal,
): Promise<Names | 'no CRD' | 'forbidden'> {
  try {
    const groups = await listAll(api, LeaderGroups, namespace, signal)
    return groups?.map(({ metadata }) => ({ namespace: metadata.namespace ?? '', name: metadata.name })) ?? 'no CRD'
  } catch (error) {
    if (error instanceof ApiError && error.status === 403) return 'forbidden'
    throw error
  }
}
