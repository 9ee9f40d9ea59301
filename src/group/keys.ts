/**
 * What a pod carries for a group, all under the group's own prefix, so that groups that share pods cannot touch each
 * other's keys. The keys are not configurable: a free key would let an author of groups set any label on any pod.
 */
export interface GroupKeys {
  /** Label `<group>.leadergroup.io/role`: `leader` on the pod that leads, `follower` on others where wanted. */
  readonly role: string
  /** Annotation `<group>.leadergroup.io/term`: the leader's term, the fencing number of mode Assign. */
  readonly term: string
  /** Annotation `<group>.leadergroup.io/sealed`: the stamp, see `gate/gate.ts`. */
  readonly sealed: string
}

export const LEADER_ROLE = 'leader'
/** With `labelFollowers`: on the selected pods that do not lead. */
export const FOLLOWER_ROLE = 'follower'

/** On a pod: `"true"` keeps it from being chosen, by any group. */
export const INELIGIBLE_ANNOTATION = 'leadergroup.io/ineligible'
/** On a pod: the name of the container whose process elects, for mode Observe; without it each of them may. */
export const ELECTOR_CONTAINER_ANNOTATION = 'leadergroup.io/elector-container'
/** On a Lease: `Assign` says that the operator owns it and that no elector may contend for it. */
export const MODE_ANNOTATION = 'leadergroup.io/mode'
/** On a Lease of mode Assign: the mark, see `gate/gate.ts`. */
export const GATE_ANNOTATION = 'leadergroup.io/gate'

const SUFFIX = '.leadergroup.io/'

export function groupKeys(group: string): GroupKeys {
  return { role: `${group}${SUFFIX}role`, term: `${group}${SUFFIX}term`, sealed: `${group}${SUFFIX}sealed` }
}

/** The group that a label or annotation key belongs to, or undefined when it is no group's. */
export function groupOfKey(key: string): string | undefined {
  const at = key.indexOf(SUFFIX)
  if (at <= 0) return undefined
  const name = key.slice(at + SUFFIX.length)
  return name === 'role' || name === 'term' || name === 'sealed' ? key.slice(0, at) : undefined
}
