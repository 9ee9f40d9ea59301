import type { Clock } from '../clock.ts'
import type { Api } from '../kube/api.ts'
import { Remains, type Remnant } from '../operator/remains.ts'
import { messageChain } from './log.ts'
import { UsageError } from './usage-error.ts'

/** The person at the other end. */
export interface Dialog {
  readonly print: (line: string) => void
  /** Absent: nobody can be asked. */
  readonly confirm?: (question: string) => Promise<boolean>
}

export interface CleanupOrder {
  /** Undefined: all. */
  readonly namespace: string | undefined
  readonly dryRun: boolean
  readonly yes: boolean
}

/**
 * `leadergroup cleanup`: takes off what an operator left that was removed before its groups were. What one thing refuses
 * does not keep the others from being removed.
 *
 * @throws Error when something could not be removed; UsageError when it may not go on; ApiError
 */
export async function cleanUp(
  api: Api,
  clock: Clock,
  { namespace, dryRun, yes }: CleanupOrder,
  { print, confirm }: Dialog,
  signal: AbortSignal,
): Promise<void> {
  if (!dryRun && !yes && !confirm) {
    throw new UsageError('nobody to ask here: pass --yes to remove what is found, or --dry-run to see it')
  }
  const remains = new Remains(api, clock)
  const found = await remains.find(namespace, signal)
  const place = namespace === undefined ? 'in any namespace' : `in namespace ${namespace}`
  if (found.length === 0) return print(`Nothing is left ${place} of groups that no longer exist.`)
  print(`Left ${place} of groups that no longer exist:`)
  for (const remnant of found) print(`  ${inWords(remnant)}`)
  if (dryRun) return print('Dry run: nothing was changed.')
  if (!yes && !(await confirm?.('Where an operator runs, these go by themselves. Remove them now?'))) {
    return print('Nothing was changed.')
  }
  await removeAll(remains, found, print, signal)
}

async function removeAll(
  remains: Remains,
  found: readonly Remnant[],
  print: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const failures: string[] = []
  for (const remnant of found) {
    try {
      for (const line of await remains.remove(remnant, signal)) print(line)
    } catch (error) {
      signal.throwIfAborted()
      failures.push(`${inWords(remnant)}: ${messageChain(error)}`)
    }
  }
  if (failures.length > 0) throw new Error(`could not be removed: ${failures.join('; ')}`)
}

function inWords(remnant: Remnant): string {
  if (remnant.kind !== 'traces') {
    const { kind, namespace, name, group } = remnant
    return `${kind} ${namespace}/${name} ${group ? `of LeaderGroup ${group.name}` : 'without an owner'}`
  }
  const { namespace, group, pods, slices } = remnant
  const keys = `keys of group ${namespace}/${group} on ${pods.length === 1 ? 'pod' : 'pods'} ${pods.join(', ')}`
  const routes = `${slices.length === 1 ? 'EndpointSlice' : 'EndpointSlices'} ${slices.join(', ')}`
  if (slices.length === 0) return keys
  return pods.length === 0 ? `${routes} of group ${namespace}/${group}` : `${keys}, and its ${routes}`
}
