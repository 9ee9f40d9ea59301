import type { ObservedService } from './observed-service.ts'
import type { ServicePatch } from './routing-action.ts'
import { GROUP_LABEL, isReservedKey, METADATA_ANNOTATION } from './routing-keys.ts'
import type { ServiceWish } from './service-wish.ts'

/*
 * Labels and annotations of a Service are shared: cloud providers, other controllers and people write theirs. So the
 * wished ones are merged in, and an annotation remembers which they were: a key that is no longer wished comes off only
 * if it is named there. (Server-side apply would remember it too, but would need a second kind of write.)
 */

type Metadata = Readonly<Record<string, string>>

interface Remembered {
  readonly labels: readonly string[]
  readonly annotations: readonly string[]
}

export function labelsOf(wish: ServiceWish, group: string): Metadata {
  return Object.fromEntries([...Object.entries(wished(wish.metadata?.labels)), [GROUP_LABEL, group]])
}

export function annotationsOf(wish: ServiceWish): Metadata {
  const annotations = wished(wish.metadata?.annotations)
  const labels = Object.keys(wished(wish.metadata?.labels)).toSorted()
  const keys = { labels, annotations: Object.keys(annotations).toSorted() }
  const memory = keys.labels.length + keys.annotations.length > 0 ? [[METADATA_ANNOTATION, formatKeys(keys)]] : []
  return Object.fromEntries([...Object.entries(annotations), ...memory])
}

export function metadataPatch(wish: ServiceWish, group: string, service: ObservedService): ServicePatch['metadata'] {
  const before = remembered(service.annotations[METADATA_ANNOTATION])
  const labels = mapPatch(service.labels, labelsOf(wish, group), before.labels)
  const annotations = mapPatch(service.annotations, annotationsOf(wish), [...before.annotations, METADATA_ANNOTATION])
  if (!labels && !annotations) return undefined
  return { ...(labels ? { labels } : {}), ...(annotations ? { annotations } : {}) }
}

/** Keys may be called anything (`constructor`), hence no plain look-ups and assignments. */
function mapPatch(
  before: Metadata,
  after: Metadata,
  ours: readonly string[],
): Readonly<Record<string, string | null>> | undefined {
  const removed = ours.filter((key) => Object.hasOwn(before, key) && !Object.hasOwn(after, key))
  const set = Object.entries(after).filter(([key, value]) => !Object.hasOwn(before, key) || before[key] !== value)
  if (removed.length + set.length === 0) return undefined
  return Object.fromEntries([...removed.map((key) => [key, null] as const), ...set])
}

function wished(keys: Metadata = {}): Metadata {
  return Object.fromEntries(Object.entries(keys).filter(([key]) => !isReservedKey(key)))
}

/** `labels=app,team annotations=example.com/owner` */
function formatKeys({ labels, annotations }: Remembered): string {
  return `labels=${labels.join()} annotations=${annotations.join()}`
}

/** What cannot be read was not written by us: then nothing is known to be ours, and nothing comes off. */
function remembered(text = ''): Remembered {
  const [, labels, annotations] = /^labels=(\S*) annotations=(\S*)$/.exec(text) ?? []
  return { labels: keysIn(labels), annotations: keysIn(annotations) }
}

function keysIn(list = ''): readonly string[] {
  return list.split(',').filter((key) => key !== '' && !isReservedKey(key))
}
