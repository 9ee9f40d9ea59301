/** What is sent is looked at by the judge first, when it is sent, and by the server, when it arrives. */
const MOST = 64
const values = new Map<string, unknown>()

/** What the JSON says, parsed once for all who ask within a while: nothing of it may ever be changed. */
export function decoded(text: string): unknown {
  const known = values.get(text)
  if (known !== undefined) return known
  const value: unknown = JSON.parse(text)
  if (values.size >= MOST) values.clear()
  values.set(text, value)
  return value
}
