/**
 * The header for a token that was read from `path`.
 *
 * @throws when no request can carry it, which says nothing of the file that it came from
 */
export function bearer(text: string, path: string): string {
  const token = text.trim()
  if (token === '') throw new Error(`${path} is empty`)
  if (!/^[\x21-\x7e]+$/.test(token))
    throw new Error(`${path} holds no token: there are characters in it that no token has`)
  return `Bearer ${token}`
}
