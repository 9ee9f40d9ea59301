import { groupOfKey } from '../../group/keys.ts'
import type { Revision } from '../store.ts'
import { fieldAt, type StoredObject } from '../stored-object.ts'

/** One write, as a reader wants to see it: what it is about, and what changed of that which matters. */
export function toldRevision({ revision, type, resource, object, previous }: Revision): string {
  const { namespace, name, uid } = object.metadata
  const verb = { ADDED: 'creates', MODIFIED: 'writes', DELETED: 'deletes' }[type]
  const what = `${verb} ${resource.kind} ${namespace ?? ''}/${name} (${uid.slice(-4)}) at version ${revision}`
  if (type === 'DELETED') return what
  const before = previous ? facts(previous) : {}
  const changes = Object.entries({ ...goneFrom(before), ...facts(object) }).filter(
    ([key, value]) => before[key] !== value,
  )
  return changes.length === 0
    ? what
    : `${what}: ${changes.map(([key, value]) => `${key}=${value ?? 'gone'}`).join(', ')}`
}

type Facts = Readonly<Record<string, string | undefined>>

function goneFrom(before: Facts): Facts {
  return Object.fromEntries(Object.keys(before).map((key) => [key, undefined]))
}

function facts(object: StoredObject): Facts {
  const { labels = {}, annotations = {}, deletionTimestamp } = object.metadata
  const ours = Object.entries({ ...labels, ...annotations }).filter(
    ([key]) => groupOfKey(key) !== undefined || key.startsWith('leadergroup.io/'),
  )
  return {
    ...Object.fromEntries(ours),
    ...(deletionTimestamp === undefined ? {} : { terminating: 'yes' }),
    ...pick(object, KINDS[object.kind] ?? {}),
  }
}

const KINDS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  Pod: { phase: 'status.phase', conditions: 'status.conditions', containers: 'status.containerStatuses' },
  Lease: {
    holder: 'spec.holderIdentity',
    transitions: 'spec.leaseTransitions',
    duration: 'spec.leaseDurationSeconds',
    renewTime: 'spec.renewTime',
  },
  LeaderGroup: { holder: 'status.holder', uid: 'status.holderUID', term: 'status.term', gate: 'status.gate' },
  Node: { taints: 'spec.taints', conditions: 'status.conditions' },
  EndpointSlice: { endpoints: 'endpoints' },
}

function pick(object: StoredObject, paths: Readonly<Record<string, string>>): Facts {
  const found = Object.entries(paths).map(([key, path]) => [key, fieldAt(object, path)] as const)
  return Object.fromEntries(
    found
      .filter(([, value]) => value !== undefined && value !== null)
      .map(([key, value]) => [key, typeof value === 'string' ? value : JSON.stringify(value)]),
  )
}
