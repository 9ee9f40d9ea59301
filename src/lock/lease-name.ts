/** A Lease by its name, on the cluster of the elector's options. */
export interface LeaseName {
  /** A DNS subdomain of at most 253 characters. */
  readonly name: string
  /** @default that of the pod that this runs in */
  readonly namespace?: string
  /** Labels of a Lease that is created. Those of one that exists are its own. */
  readonly labels?: Readonly<Record<string, string>>
}

const LABEL = '[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?'
const NAMESPACE = new RegExp(`^${LABEL}$`)
const SUBDOMAIN = /^(?=.{1,253}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/
const LABEL_NAME = /^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/

/** What the API server would refuse, and with it every write of the elector. */
export function leaseNameViolations({ name, namespace, labels, ...unknown }: LeaseName): readonly string[] {
  const violations = Object.keys(unknown).map((key) => `lock.${key} is no option`)
  if (!isText(name, SUBDOMAIN)) {
    violations.push(`lock.name must be a DNS subdomain such as "db" or "db.example": it is ${JSON.stringify(name)}`)
  }
  if (namespace !== undefined && !isText(namespace, NAMESPACE)) {
    violations.push(`lock.namespace must be a DNS label such as "default": it is ${JSON.stringify(namespace)}`)
  }
  if (labels !== undefined) violations.push(...labelViolations(labels))
  return violations
}

function labelViolations(labels: unknown): readonly string[] {
  if (typeof labels !== 'object' || labels === null) {
    return [`lock.labels must be an object of label values: it is ${JSON.stringify(labels)}`]
  }
  return Object.entries(labels)
    .filter(([key, value]) => !isLabelKey(key) || (value !== '' && !isText(value, LABEL_NAME)))
    .map(([key, value]) => `lock.labels must be Kubernetes labels: ${JSON.stringify({ [key]: value })} is none`)
}

function isLabelKey(key: string): boolean {
  const slash = key.indexOf('/')
  return LABEL_NAME.test(key.slice(slash + 1)) && (slash < 0 || SUBDOMAIN.test(key.slice(0, slash)))
}

const isText = (value: unknown, form: RegExp): boolean => typeof value === 'string' && form.test(value)
