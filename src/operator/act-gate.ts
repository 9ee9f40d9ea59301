import type { AdvanceGate } from '../group/decision.ts'
import { formatIdentity, formatMark, transitionsOf } from '../group/gate/gate.ts'
import { GATE_ANNOTATION, MODE_ANNOTATION } from '../group/keys.ts'
import type { LeaderGroup } from '../group/leadergroup.ts'
import { Leases, type Lease } from '../kube/objects.ts'
import type { Acted } from '../loop.ts'
import { DONE, refused, STALE, stale, type Errand } from './acted.ts'
import { groupOf, leaseOf, readLease } from './act-lease.ts'
import { readGroup } from './act-status.ts'
import { keyOf } from './cache.ts'
import { LeaderGroups } from './resources.ts'
import { trimLease } from './trim.ts'
import { modeOf, leaseNameOf } from '../group/spec.ts'

/** A term of mode Assign ends by the operator's decision, not by time, and the Lease says so. */
const ENDLESS_SECONDS = 2 ** 31 - 1

export async function createGate(errand: Errand): Promise<Acted> {
  const { api, cache, namespace, signal, took } = errand
  const group = groupOf(errand)
  if (!group) return STALE
  const begunAt = cache.tick()
  const outcome = await api.create(Leases, namespace, emptyGate(group), { signal })
  if (outcome.kind === 'exists') return readLease(errand)
  // The namespace is gone; that the group is, too, is on its way.
  if (outcome.kind === 'notFound') return stale(readLease(errand))
  if (outcome.kind !== 'ok') return refused(outcome)
  took()
  // One that a term was held under before was deleted.
  if ((group.status?.term ?? 0) > 0) rememberTakenBack(errand)
  cache.leases.apply(trimLease(outcome.object), begunAt)
  return DONE
}

export async function deleteGate(
  errand: Errand,
  { uid, resourceVersion }: { readonly uid: string; readonly resourceVersion: string },
): Promise<Acted> {
  const { api, namespace, signal, took } = errand
  const lease = leaseOf(errand)
  if (lease?.metadata.uid !== uid) return STALE
  const key = { namespace, name: lease.metadata.name }
  const outcome = await api.delete(Leases, key, { preconditions: { uid, resourceVersion }, signal })
  if (outcome.kind === 'conflict') return stale(readLease(errand))
  if (outcome.kind !== 'ok' && outcome.kind !== 'notFound') return refused(outcome)
  took()
  // A finalizer may keep it: that it is gone, only a read tells.
  const read = await readLease(errand)
  if (read.kind !== 'done' || leaseOf(errand)?.metadata.uid !== uid) return read
  const message = `Lease ${namespace}/${key.name} is deleted, but its finalizers keep it: remove them`
  return { kind: 'failed', error: new Error(message) }
}

export function readGate(errand: Errand): Promise<Acted> {
  const group = groupOf(errand)
  return group && modeOf(group) === 'Observe' ? readGroup(errand) : readLease(errand)
}

export async function advanceGate(errand: Errand, action: AdvanceGate): Promise<Acted> {
  const { api, cache, namespace, signal, took } = errand
  const lease = leaseOf(errand)
  if (lease?.metadata.resourceVersion !== action.resourceVersion) return STALE
  const begunAt = cache.tick()
  const target = { namespace, name: lease.metadata.name }
  const outcome = await api.replace(Leases, target, advanced(lease, action), { signal })
  if (outcome.kind === 'conflict' || outcome.kind === 'notFound') return stale(readLease(errand))
  if (outcome.kind !== 'ok') return refused(outcome)
  took()
  if (action.takesBack) rememberTakenBack(errand)
  cache.leases.apply(trimLease(outcome.object), begunAt)
  return DONE
}

function rememberTakenBack({ cache, clock, namespace, name }: Errand): void {
  const key = keyOf(namespace, name)
  const { takenBackAt } = cache.observe(key).memory
  cache.remember(key, { takenBackAt: [...takenBackAt.slice(-9), clock.now()] })
}

/** A gate is born empty: it names nobody until every pod has been stamped under it. */
function emptyGate(group: LeaderGroup): object {
  const { name, uid } = group.metadata
  return {
    apiVersion: `${Leases.group}/${Leases.version}`,
    kind: Leases.kind,
    metadata: {
      name: leaseNameOf(group),
      labels: { 'app.kubernetes.io/managed-by': 'leadergroup' },
      annotations: {
        [MODE_ANNOTATION]: 'Assign',
        [GATE_ANNOTATION]: formatMark({ holder: undefined, gateUID: undefined, term: 0 }),
      },
      ownerReferences: [
        { apiVersion: `${LeaderGroups.group}/${LeaderGroups.version}`, kind: LeaderGroups.kind, name, uid },
      ],
    },
    spec: { holderIdentity: '', leaseDurationSeconds: ENDLESS_SECONDS, leaseTransitions: 0 },
  }
}

/** The Lease as read, UID and version included (a PUT to a deleted Lease would else create it), with the next holder. */
function advanced(lease: Lease, { holder, term, acquireTime }: AdvanceGate): Lease {
  const mark = formatMark({ holder, gateUID: lease.metadata.uid, term })
  const annotations = { ...lease.metadata.annotations, [GATE_ANNOTATION]: mark }
  return {
    ...lease,
    metadata: { ...lease.metadata, annotations },
    spec: {
      ...lease.spec,
      holderIdentity: formatIdentity(holder),
      leaseDurationSeconds: ENDLESS_SECONDS,
      leaseTransitions: transitionsOf(term),
      acquireTime,
      renewTime: acquireTime,
    },
  }
}
