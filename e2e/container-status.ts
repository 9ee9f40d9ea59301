/** What a kubelet shows of a container. Its times have whole seconds, cut off. */

/** Of the tests' pods. It is never pulled: nothing here runs containers. */
export const IMAGE = 'registry.k8s.io/pause:3.10'

export interface End {
  /** Wall time; what a kubelet shows of it is the second that it lies in. */
  readonly wallMillis: number
  /** Default `Error`; a kubelet that does not know how a container ended invents `ContainerStatusUnknown`. */
  readonly reason?: string
  /** Default 137, of a process that was killed. */
  readonly exitCode?: number
}

export interface ContainerStatus {
  readonly name: string
  readonly ready: boolean
  readonly [field: string]: unknown
}

export function runningContainer(name: string, ready: boolean, startedAt: string | undefined): ContainerStatus {
  return { ...common(name, 0), ready, started: true, state: { running: { startedAt } } }
}

/** Shown for the 65 to 110 ms before it is started again, or for good where nobody starts it. */
export function endedContainer(name: string, end: End): ContainerStatus {
  return { ...common(name, 0), ready: false, started: false, state: { terminated: terminated(end) } }
}

/** Runs again: the end is its last state. */
export function restartedContainer(name: string, end: End, restarts = 1): ContainerStatus {
  const startedAt = wholeSecond(end.wallMillis)
  return {
    ...common(name, restarts),
    ready: true,
    started: true,
    state: { running: { startedAt } },
    lastState: { terminated: terminated(end) },
  }
}

/** Waits before it is started once more. */
export function crashLoopingContainer(name: string, end: End, restarts = 1): ContainerStatus {
  return {
    ...common(name, restarts),
    ready: false,
    started: false,
    state: { waiting: { reason: 'CrashLoopBackOff' } },
    lastState: { terminated: terminated(end) },
  }
}

function terminated({ wallMillis, reason = 'Error', exitCode = 137 }: End): object {
  return { exitCode, reason, startedAt: wholeSecond(wallMillis), finishedAt: wholeSecond(wallMillis) }
}

function common(name: string, restartCount: number): Omit<ContainerStatus, 'ready'> & { readonly name: string } {
  return { name, image: IMAGE, imageID: '', restartCount }
}

export function wholeSecond(wallMillis: number): string {
  return new Date(wallMillis).toISOString().replace(/\.\d+Z$/, 'Z')
}
