/**
 * Names and addresses of one cluster with nodes. All that it makes on the machine bears its number, so that several can
 * stand side by side and each can be swept away by its number alone.
 */
import { join } from 'node:path'

/** On a disk: a tmpfs would hold all images in memory. */
export const SITES_DIR = '/var/tmp/leadergroup-nodes'

/** Pods of all nodes. Each cluster has them in network namespaces of its own, so all clusters use the same. */
export const POD_CIDR = '10.244.0.0/16'

export interface Site {
  readonly number: number
  readonly dir: string
  /** Below each hierarchy of cgroups. */
  readonly cgroup: string
  /** The namespace with the bridge that joins nodes and host. */
  readonly switchNamespace: string
  /** The host's own end: the one thing that is made outside of the namespaces. */
  readonly hostLink: string
  /** Of the host, which is also that of the API server. */
  readonly address: string
  readonly nodes: readonly NodeSite[]
}

export interface NodeSite {
  readonly name: string
  readonly dir: string
  readonly cgroup: string
  readonly namespace: string
  /** Its port on the bridge. */
  readonly switchPort: string
  readonly address: string
  readonly podCidr: string
}

export const NODE_COUNT = 3

export function siteOf(number: number): Site {
  const prefix = `leadergroup${number}`
  const dir = join(SITES_DIR, String(number))
  // 198.18.0.0/15 is set apart for tests of networks (RFC 2544): nobody routes it.
  const subnet = `198.18.${number}`
  const nodes = Array.from({ length: NODE_COUNT }, (_, index): NodeSite => {
    const name = `node-${index + 1}`
    return {
      name,
      dir: join(dir, name),
      cgroup: join(prefix, name),
      namespace: `${prefix}-${name}`,
      switchPort: name,
      address: `${subnet}.${11 + index}`,
      podCidr: `10.244.${index + 1}.0/24`,
    }
  })
  return {
    number,
    dir,
    cgroup: prefix,
    switchNamespace: `${prefix}-switch`,
    // 15 characters are the most that an interface's name can have.
    hostLink: prefix,
    address: `${subnet}.1`,
    nodes,
  }
}
