/** Versions of one lock, or of the objects of one resource type, are decimal integers that only grow (KEP-5504). */
export function isNewer(version: string, than: string): boolean {
  return version.length === than.length ? version > than : version.length > than.length
}
