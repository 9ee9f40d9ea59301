/** A label selector as in `meta/v1`; both parts must hold, and an empty one selects nothing here. */
export interface LabelSelector {
  readonly matchLabels?: Readonly<Record<string, string>>
  readonly matchExpressions?: readonly LabelRequirement[]
}

export interface LabelRequirement {
  readonly key: string
  readonly operator: string
  readonly values?: readonly string[]
}

type Labels = Readonly<Record<string, string>>

/** Kubernetes' own empty selector selects everything; ours nothing, for it can only come from a mistake. */
export function matches(selector: LabelSelector, labels: Labels = {}): boolean {
  const wanted = Object.entries(selector.matchLabels ?? {})
  const requirements = selector.matchExpressions ?? []
  if (wanted.length === 0 && requirements.length === 0) return false
  return (
    wanted.every(([key, value]) => own(labels, key) === value) &&
    requirements.every((requirement) => meets(requirement, own(labels, requirement.key)))
  )
}

function meets(requirement: LabelRequirement, value: string | undefined): boolean {
  const values = requirement.values ?? []
  switch (requirement.operator) {
    case 'In':
      return value !== undefined && values.includes(value)
    case 'NotIn':
      return value === undefined || !values.includes(value)
    case 'Exists':
      return value !== undefined
    case 'DoesNotExist':
      return value === undefined
    default:
      // The CRD admits no other operator; one that a later version adds must not select by accident.
      return false
  }
}

/** Label keys are user input: `__proto__` and `constructor` are not labels that every pod has. */
function own(labels: Labels, key: string): string | undefined {
  return Object.hasOwn(labels, key) ? labels[key] : undefined
}
