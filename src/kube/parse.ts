import type { KubeObject } from './objects.ts'

/*
 * What a stream of objects is believed on. A watch goes on from the version of what came last, and keeps objects by their
 * names: one answer of something before the API server that has neither would be remembered, or end the program.
 */

export function isVersion(value: unknown): value is string {
  return typeof value === 'string' && /^\d+$/.test(value)
}

export function isNamed(value: unknown): value is KubeObject {
  const { metadata } = (value ?? {}) as { metadata?: { name?: unknown } | null }
  return typeof metadata?.name === 'string'
}
