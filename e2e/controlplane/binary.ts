/** The programs of a control plane that are needed here; all of them are linked by the Go module in `components/`. */
export const COMPONENTS = ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kubectl'] as const

/** What a cluster with nodes needs besides; linked by the Go module in `e2e/nodes/components/`. */
export const NODE_COMPONENTS = ['kubelet', 'kube-proxy', 'kube-scheduler'] as const

export type Component = (typeof COMPONENTS)[number] | (typeof NODE_COMPONENTS)[number]

/** How to start a program: `command`, then `prefixArgs`, then the program's own arguments. */
export interface Binary {
  readonly command: string
  readonly prefixArgs: readonly string[]
}

/** What one way of getting programs came to: which it found, and in one line each why others are missing. */
export interface Attempt {
  readonly found: ReadonlyMap<Component, Binary>
  readonly failures: readonly string[]
}

/** A build of Kubernetes in the words of its release site and of Go: `1.36.3`, `linux`, `amd64`. */
export interface Release {
  readonly version: string
  readonly os: string
  readonly arch: string
}
