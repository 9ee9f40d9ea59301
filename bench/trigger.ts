import type { Api } from '../src/kube/api.ts'
import { groupKeys } from '../src/group/keys.ts'
import { type Pod, Pods } from '../src/kube/objects.ts'
import { isReady } from '../src/operator/observe.ts'
import { must } from '../e2e/controlplane/must.ts'
import { setReady } from '../e2e/pods.ts'
import type { Commit } from './commits.ts'

/** What takes the lead from a pod. */
export interface Trigger {
  readonly name: string
  /** The pod is gone with it: two writes until the next label; else three. */
  readonly gone: boolean
  pull(api: Api, leader: Pod): Promise<void>
  /** The commit that did it. */
  isDone(commit: Commit<Pod>): boolean
}

export const TRIGGERS: readonly Trigger[] = [
  {
    name: 'pod deleted',
    gone: true,
    pull: (api, leader) => deletePod(api, leader, 0),
    isDone: ({ gone }) => gone,
  },
  {
    name: 'pod terminating',
    gone: false,
    pull: (api, leader) => deletePod(api, leader, 30),
    isDone: ({ object }) => object.metadata.deletionTimestamp !== undefined,
  },
  {
    name: 'pod NotReady',
    gone: false,
    pull: async (api, leader) => void (await setReady(api, leader, false)),
    isDone: ({ object }) => !isReady(object),
  },
]

export function triggered(trigger: Trigger, uid: string, commit: Commit<Pod>): boolean {
  return commit.object.metadata.uid === uid && trigger.isDone(commit)
}

export function isLabelled({ gone, object }: Commit<Pod>, group: string): boolean {
  return !gone && object.metadata.labels?.[groupKeys(group).role] === 'leader'
}

export async function deletePod(api: Api, pod: Pod, gracePeriodSeconds: number): Promise<void> {
  const { namespace, name } = pod.metadata
  must(await api.delete(Pods, { namespace: namespace!, name }, { gracePeriodSeconds }))
}
