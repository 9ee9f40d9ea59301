import type { Clock } from '../clock.ts'
import type { KubeConfigLike } from '../kube/kube-config-like.ts'
import type { ApiConnection, Surroundings } from '../lock/surroundings.ts'

interface Shared {
  readonly kube: KubeConfigLike | undefined
  readonly clock: Clock
  readonly connection: Promise<ApiConnection>
  users: number
}

/**
 * Lets all electors of a process use the same connections to the same cluster: a thousand of them need a few
 * for all their renewals, and one for their watch. They close with the last elector that uses them.
 */
export function share(connect: Surroundings['connect']): Surroundings['connect'] {
  const open = new Set<Shared>()

  function enter(kube: KubeConfigLike | undefined, clock: Clock): Shared {
    const found = [...open].find((each) => each.kube === kube && each.clock === clock)
    const shared = found ?? { kube, clock, connection: connect(kube, clock), users: 0 }
    open.add(shared)
    shared.users++
    return shared
  }

  async function leave(shared: Shared): Promise<void> {
    shared.users--
    if (shared.users > 0) return
    open.delete(shared)
    await (await shared.connection).close()
  }

  return async (kube, clock) => {
    const shared = enter(kube, clock)
    try {
      const { api } = await shared.connection
      let left: Promise<void> | undefined
      return { api, close: () => (left ??= leave(shared)) }
    } catch (error) {
      // Nothing was opened, and whoever comes next shall try again.
      open.delete(shared)
      throw error
    }
  }
}
