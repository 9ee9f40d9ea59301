import type { LeaderGroupSelector } from '../../group/leadergroup.ts'
import type { Pod } from '../../kube/objects.ts'

/** Whether a group selects a pod of these labels. An empty selector selects nothing. */
export function isMatched(
  { matchLabels = {}, matchExpressions = [] }: LeaderGroupSelector,
  labels: Readonly<Record<string, string>> = {},
): boolean {
  const wanted = Object.entries(matchLabels)
  if (wanted.length + matchExpressions.length === 0) return false
  const has = new Map(Object.entries(labels))
  return (
    wanted.every(([key, value]) => has.get(key) === value) &&
    matchExpressions.every(({ key, operator, values = [] }) => {
      const value = has.get(key)
      switch (operator) {
        case 'In':
          return value !== undefined && values.includes(value)
        case 'NotIn':
          return value === undefined || !values.includes(value)
        case 'Exists':
          return value !== undefined
        case 'DoesNotExist':
          return value === undefined
      }
    })
  )
}

const INELIGIBLE = 'leadergroup.io/ineligible'

/** A pod that a group may choose as its leader, if it selects it (design §4.2). */
export function couldLead(pod: Pod): boolean {
  const isReady = (pod.status?.conditions ?? []).some(({ type, status }) => type === 'Ready' && status === 'True')
  return isReady && couldLeadIfReady(pod)
}

export function couldLeadIfReady({ metadata, status }: Pod): boolean {
  return (
    metadata.deletionTimestamp === undefined &&
    metadata.annotations?.[INELIGIBLE] !== 'true' &&
    status?.phase === 'Running'
  )
}
