import type { Api, Key } from '../../src/kube/api.ts'
import { type Lease, Leases } from '../../src/kube/objects.ts'
import { eventually } from '../controlplane/eventually.ts'
import { must } from '../controlplane/must.ts'

/**
 * Resolves when the holder has just renewed, so that nothing of it is under way for most of a retry period. A client-go
 * program that is told to stop while its renewal is under way releases the version before, which conflicts, and does
 * not try again; and what a killed one had sent arrives after its death.
 */
export async function untilRenewed(api: Api, key: Key): Promise<void> {
  const version = async (): Promise<string> => must(await api.get<Lease>(Leases, key)).metadata.resourceVersion
  const before = await version()
  await eventually({ what: `a renewal of Lease ${key.name}`, intervalMillis: 5 }, async () =>
    (await version()) === before ? undefined : true,
  )
}
