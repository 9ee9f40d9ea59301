/** Lines about a group `db`, its pods and its gate. */
import { GROUP_UID, LEASE_UID, type Line, type Made, NAMESPACE, OPERATOR, stranger, write } from './story-fixtures.ts'

const KEY = 'db.leadergroup.io'

export interface PodChange {
  readonly uid?: string
  readonly role?: string | null
  readonly term?: number | string | null
  readonly sealed?: string | null
  readonly ready?: boolean
  readonly labels?: Readonly<Record<string, string>>
  readonly metadata?: object
}

/** A pod is created, or changed in what is named; by default by the operator. */
export function podWrite(name: string, change: PodChange = {}): Line {
  return write('pods', name, (before) => {
    const { uid = before?.metadata.uid ?? `${name}-uid`, role, term, sealed } = change
    const same = before?.metadata.uid === uid ? before : undefined
    const ready = change.ready ?? (same ? isReady(same) : true)
    return {
      metadata: {
        ...same?.metadata,
        name,
        namespace: NAMESPACE,
        uid,
        resourceVersion: '',
        labels: keys(same?.metadata.labels ?? { app: 'db', ...change.labels }, { [`${KEY}/role`]: role }),
        annotations: keys(same?.metadata.annotations, { [`${KEY}/term`]: term, [`${KEY}/sealed`]: sealed }),
        ...change.metadata,
      },
      status: { phase: 'Running', conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }] },
    }
  })
}

function isReady({ status }: Made): boolean {
  return JSON.stringify(status).includes('"Ready","status":"True"')
}

function keys(
  before: Readonly<Record<string, string>> = {},
  change: Readonly<Record<string, string | number | null | undefined>>,
): Readonly<Record<string, string>> {
  const all = new Map<string, string>(Object.entries(before))
  for (const [key, value] of Object.entries(change)) {
    if (value === null) all.delete(key)
    else if (value !== undefined) all.set(key, String(value))
  }
  return Object.fromEntries(all)
}

/** Somebody creates a pod that is ready. */
export function pod(name: string, change: PodChange = {}): Line {
  return stranger(podWrite(name, change))
}

export function ready(name: string, isReady: boolean): Line {
  return stranger(podWrite(name, { ready: isReady }))
}

export function label(name: string, term: number, change: PodChange = {}): Line {
  return podWrite(name, { role: 'leader', term, ...change })
}

export function seal(name: string, term: number, gateUID = LEASE_UID): Line {
  return podWrite(name, { role: null, term: null, sealed: `${gateUID}/${term}` })
}

export function gone(resource: string, name: string): Line {
  return stranger(write(resource, name, () => undefined))
}

export interface LeaseChange {
  readonly uid?: string
  readonly mark?: string
  readonly transitions?: number
  readonly holder?: string
  readonly groupUID?: string
}

/** The operator names a holder in the group's Lease; without one, the Lease is born. */
export function lease(holder: string | undefined, term: number, change: LeaseChange = {}): Line {
  return write('leases', 'db', () => {
    const { uid = LEASE_UID, groupUID = GROUP_UID, transitions = term } = change
    const identity = holder && `${holder}_${holder}-uid`
    const mark = change.mark ?? (identity ? `${identity}/${uid}/${term}` : `-/-/${term}`)
    return {
      metadata: {
        name: 'db',
        namespace: NAMESPACE,
        uid,
        resourceVersion: '',
        annotations: { 'leadergroup.io/mode': 'Assign', 'leadergroup.io/gate': mark },
        ownerReferences: [{ apiVersion: 'leadergroup.io/v1alpha1', kind: 'LeaderGroup', name: 'db', uid: groupUID }],
      },
      spec: { holderIdentity: change.holder ?? identity ?? '', leaseTransitions: transitions },
    }
  })
}

export interface GroupChange {
  readonly uid?: string
  readonly spec?: object
  readonly metadata?: object
}

/** Somebody creates the group, or changes its spec. */
export function group(change: GroupChange = {}): Line {
  const { uid = GROUP_UID, spec = {}, metadata = {} } = change
  return stranger(
    write('leadergroups', 'db', (before) => ({
      ...(before?.metadata.uid === uid ? before : {}),
      metadata: { name: 'db', namespace: NAMESPACE, uid, resourceVersion: '', generation: 1, ...metadata },
      spec: { selector: { matchLabels: { app: 'db' } }, ...spec },
    })),
  )
}

/** Somebody creates another group, `web`, which selects the same pods. */
export function web(): Line {
  return stranger(
    write('leadergroups', 'web', () => ({
      metadata: { name: 'web', namespace: NAMESPACE, uid: 'web-uid', resourceVersion: '' },
      spec: { selector: { matchLabels: { app: 'db' } } },
    })),
  )
}

/** The operator writes status. */
export function status(holder: string | undefined, term: number, change: object = {}): Line {
  const named = holder === undefined ? {} : { holder, holderUID: `${holder}-uid` }
  return write('leadergroups', 'db', (before) => ({
    ...before!,
    status: { ...named, term, observedGeneration: 1, ...change },
  }))
}

/** Mode Observe: the operator writes the gate. */
export function gate(holder: string | undefined, term: number, change: object = {}): Line {
  const mark = `${holder === undefined ? '-' : `${holder}_${holder}-uid`}/${GROUP_UID}/${term}`
  return status(holder, term, { gate: mark, ...change })
}

/** The operator asks to label a pod as it is. */
export function asks(name: string, term: number, process = OPERATOR): Line {
  return ({ at, find }) => {
    const { uid, resourceVersion } = find('pods', name)!.metadata
    const keys = { labels: { [`${KEY}/role`]: 'leader' }, annotations: { [`${KEY}/term`]: String(term) } }
    return {
      kind: 'asked',
      at,
      process,
      request: at,
      verb: 'patch',
      resource: 'pods',
      namespace: NAMESPACE,
      name,
      uid,
      version: Number(resourceVersion),
      body: { metadata: { uid, resourceVersion, ...keys } },
    }
  }
}

/** A group in mode Assign whose pod `a` leads in term 2, and `b` could. */
export const LED: readonly Line[] = [
  group(),
  pod('a'),
  pod('b'),
  lease(undefined, 0),
  seal('a', 0),
  seal('b', 0),
  lease('a', 2),
  label('a', 2),
  status('a', 2),
]

/** The same in mode Observe. */
export const FOLLOWED: readonly Line[] = [
  group({ spec: { mode: 'Observe', leaseName: 'lock' } }),
  pod('a'),
  pod('b'),
  status(undefined, 1, { gate: '-/-/1' }),
  seal('a', 1, GROUP_UID),
  seal('b', 1, GROUP_UID),
  gate(undefined, 1),
  gate('a', 2),
  label('a', 2),
]
