/**
 * Only for tests: a Lease and pods as mode Observe looks at them, so that a row names nothing but what it is about. By
 * default db-0 has run since tick 10 and 12:00:00, and its record changed under our eyes at tick 20, at 100 s on the
 * monotonic clock.
 */
import {
  electingContainers,
  shownContainers,
  standstillOf,
  type ContainerEnd,
  type ObservedContainer,
} from './containers.ts'
import type { FollowedPod } from './follow.ts'
import type { FollowedLease, RecordSight } from './silence.ts'

export const at = (time: string): string => `2026-01-01T${time}Z`

export type LeaseChange = Partial<Omit<FollowedLease, 'sight'>> & { readonly sight?: Partial<RecordSight> }

export function lease(
  holderIdentity: string | null | undefined,
  { sight, ...change }: LeaseChange = {},
): FollowedLease {
  return {
    name: 'db',
    uid: 'lease-1',
    resourceVersion: '200',
    seenAt: 20,
    ...(holderIdentity === undefined ? {} : { holderIdentity }),
    leaseDurationSeconds: 15,
    acquireTime: at('12:05:00.000000'),
    renewTime: at('12:10:10.500000'),
    leaseTransitions: 3,
    readMillis: undefined,
    ...change,
    sight: { seenAt: 20, sinceMillis: 100_000, changed: true, ...sight },
  }
}

export function pod(name: string, change: Partial<FollowedPod> = {}): FollowedPod {
  return {
    name,
    uid: `uid-of-${name}`,
    selected: true,
    deleted: false,
    hostNetwork: false,
    phase: 'Running',
    podIPs: [],
    podIPsSeenAt: 10,
    firstSeenAt: 10,
    appeared: false,
    creationTime: at('11:59:58'),
    startTime: at('12:00:00'),
    electing: [running('app')],
    standstill: undefined,
    outOfService: undefined,
    ...change,
  }
}

export function running(name: string, end?: ContainerEnd): ObservedContainer {
  return { name, state: 'running', end }
}

export function ended(name: string, end: ContainerEnd): ObservedContainer {
  return { name, state: 'ended', end }
}

/** An end at 12:10:`second`, seen at a tick under our eyes. */
export function end(second: number, seenAt: number, witnessed = true): ContainerEnd {
  return { finishedAt: NOON_10 + second, seenAt, witnessed }
}

/** 2026-01-01T12:10:00Z */
export const NOON_10 = 1_767_269_400

type PodVersion = Parameters<typeof shownContainers>[0]
export type KnownContainers = Pick<FollowedPod, 'electing' | 'standstill'>

/** What is known of a pod's containers once this version of it has arrived, too. */
export function watchedAt(
  tick: number,
  before: KnownContainers | undefined,
  version: PodVersion,
  elector?: string,
): KnownContainers {
  const electing = electingContainers(before?.electing, shownContainers(version, elector), tick)
  return { electing, standstill: standstillOf(before, electing, tick) }
}

/** The same after these versions, which arrived at ticks 10, 11, and so on. */
export function watched(versions: readonly PodVersion[]): KnownContainers {
  const known = versions.reduce<KnownContainers | undefined>(
    (before, version, index) => watchedAt(10 + index, before, version),
    undefined,
  )
  return known ?? { electing: [], standstill: undefined }
}
