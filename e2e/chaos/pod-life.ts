/** What a kubelet and a controller do for the pods of a run, however the API server is. */
import { systemClock } from '../../src/clock.ts'
import type { Api } from '../../src/kube/api.ts'
import { type Pod, Pods } from '../../src/kube/objects.ts'
import { endedContainer, restartedContainer } from '../container-status.ts'
import { patchStatus, podManifest, runningStatus, showContainers, succeededStatus } from '../pods.ts'
import { persist, settled } from './persist.ts'

const CONTAINER = 'main'
const NODE = 'node-1'

export interface Birth {
  readonly namespace: string
  readonly name: string
  readonly app: string
}

/** Another pod than `than`, of whatever name; running and ready. */
export async function bear(
  api: Api,
  { namespace, name, app }: Birth,
  signal: AbortSignal,
  than?: string,
): Promise<Pod> {
  const born = await persist(signal, async () => {
    const found = await api.get(Pods, { namespace, name })
    if (found.kind === 'ok') return found.object.metadata.uid === than ? undefined : found.object
    // What it says is not asked: the create may have taken effect without an answer, so that it is read anyway.
    await api.create(Pods, namespace, podManifest({ namespace, name, labels: { app }, node: NODE }))
    return undefined
  })
  return persist(signal, async () => {
    const shown = await settled(patchStatus(api, born, runningStatus(born, { ready: true })))
    return shown && (shown.kind === 'ok' ? shown.object : born)
  })
}

/** Not there any more, after this. */
export async function remove(api: Api, pod: Pod, signal: AbortSignal, gracePeriodSeconds?: number): Promise<void> {
  const { namespace = '', name, uid } = pod.metadata
  const grace = gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }
  await persist(signal, () => settled(api.delete(Pods, { namespace, name }, { ...grace, preconditions: { uid } })))
}

/** The containers have ended, on SIGTERM, and the kubelet lets the pod go. */
export async function finish(api: Api, pod: Pod, signal: AbortSignal): Promise<void> {
  await persist(signal, () => settled(patchStatus(api, pod, succeededStatus(pod))))
  await remove(api, pod, signal, 0)
}

export async function showReady(api: Api, pod: Pod, ready: boolean, signal: AbortSignal): Promise<void> {
  await persist(signal, () => settled(patchStatus(api, pod, runningStatus(pod, { ready }))))
}

/** Nothing of it runs any more. `wallMillis`: when it was seen to be gone. */
export async function showEnded(api: Api, pod: Pod, wallMillis: number, signal: AbortSignal): Promise<void> {
  await show(api, pod, signal, () => endedContainer(CONTAINER, { wallMillis }))
}

export async function showRestarted(
  api: Api,
  pod: Pod,
  wallMillis: number,
  restarts: number,
  signal: AbortSignal,
): Promise<void> {
  await show(api, pod, signal, () => restartedContainer(CONTAINER, { wallMillis }, restarts))
}

async function show(
  api: Api,
  pod: Pod,
  signal: AbortSignal,
  container: () => ReturnType<typeof endedContainer>,
): Promise<void> {
  const { namespace = '', name, uid } = pod.metadata
  await persist(signal, async () => {
    const found = await settled(api.get(Pods, { namespace, name }))
    if (!found) return undefined
    // Somebody has deleted it: nothing is left to show.
    if (found.kind !== 'ok' || found.object.metadata.uid !== uid) return true
    await showContainers(api, pod, container())
    return true
  })
}

export function wallNow(): number {
  return systemClock.wallNow()
}
