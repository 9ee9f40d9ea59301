import type { Pod } from '../kube/objects.ts'

/** All of `status.podIPs`, or `status.podIP` alone where that is all there is. */
export function addressesOf(status: Pod['status']): readonly string[] {
  const { podIP, podIPs } = status ?? {}
  const addresses = (podIPs ?? []).flatMap(({ ip }) => (ip === undefined ? [] : [ip]))
  return addresses.length > 0 || podIP === undefined ? addresses : [podIP]
}
