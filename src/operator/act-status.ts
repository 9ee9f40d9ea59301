import type { WriteStatus } from '../group/decision.ts'
import type { Acted } from '../loop.ts'
import { DONE, refused, stale, type Errand } from './acted.ts'
import { keyOf } from './cache.ts'
import { LeaderGroups } from './resources.ts'
import { trimGroup } from './trim.ts'

export async function readGroup({ api, cache, namespace, name, signal }: Errand): Promise<Acted> {
  const begunAt = cache.tick()
  const outcome = await api.get(LeaderGroups, { namespace, name }, { signal })
  if (outcome.kind === 'notFound') cache.groupAbsent(namespace, name, begunAt)
  else if (outcome.kind === 'ok') cache.groups.apply(trimGroup(outcome.object), begunAt)
  else return refused(outcome)
  return DONE
}

export async function writeStatus(errand: Errand, { uid, resourceVersion, status }: WriteStatus): Promise<Acted> {
  const { api, cache, clock, namespace, name, signal, took } = errand
  const group = {
    apiVersion: `${LeaderGroups.group}/${LeaderGroups.version}`,
    kind: LeaderGroups.kind,
    metadata: { name, namespace, uid, resourceVersion },
    spec: cache.groups.get(namespace, name)?.object.spec,
    status,
  }
  const begunAt = cache.tick()
  const outcome = await api.replace(LeaderGroups, { namespace, name }, group, { subresource: 'status', signal })
  if (outcome.kind === 'conflict' || outcome.kind === 'notFound') return stale(readGroup(errand))
  if (outcome.kind !== 'ok') return refused(outcome)
  took()
  cache.remember(keyOf(namespace, name), { statusWrittenAt: clock.now() })
  cache.groups.apply(trimGroup(outcome.object), begunAt)
  return DONE
}
