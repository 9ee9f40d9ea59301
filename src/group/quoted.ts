const MOST_CHARACTERS = 64

/** Text that somebody else chose, safe in a sentence: cut, in quotes, and with everything but printable ASCII escaped. */
export function quoted(text: string): string {
  const shown = Array.from(text.slice(0, 2 * MOST_CHARACTERS))
    .slice(0, MOST_CHARACTERS)
    .join('')
  const escaped = shown.replaceAll(/["\\]|[^ -~]/gu, (character) =>
    character === '"' || character === '\\' ? `\\${character}` : `\\u{${character.codePointAt(0)?.toString(16)}}`,
  )
  return `"${escaped}"${shown.length < text.length ? '…' : ''}`
}
