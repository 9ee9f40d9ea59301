/** A block of TypeScript in a document, and the lines that it prints according to the block of text after it. */
export interface Example {
  /** Of the line where its code begins. */
  readonly line: number
  readonly code: string
  readonly prints: readonly string[]
}

export function examplesOf(document: string): readonly Example[] {
  const blocks = document.matchAll(/^```ts\n([^]*?)^```\n(?:\nprints\n\n```text\n([^]*?)^```\n)?/gm)
  return [...blocks].map(({ index, 1: code = '', 2: printed = '' }) => ({
    line: document.slice(0, index).split('\n').length + 1,
    code,
    prints: printed.split('\n').filter((line) => line !== ''),
  }))
}
