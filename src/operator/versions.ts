/** Compares resourceVersions of one resource type, which are decimal integers that only grow (KEP-5504). */
export function isNewer(version: string, than: string): boolean {
  return version.length === than.length ? version > than : version.length > than.length
}
