const NEWLINE = 0x0a

/** No object that etcd stores comes near this (its limit is 1.5 MiB by default), so it is no frame but a fault. */
const MAX_FRAME_BYTES = 16 * 2 ** 20

/** A frame grew beyond its limit before its newline came. */
export class FrameTooLong extends Error {
  override readonly name = 'FrameTooLong'
}

/**
 * Splits a stream of newline-delimited JSON into its lines, however the chunks were cut. What follows the last newline
 * is dropped: the stream broke off within it, and only a whole frame may be believed. Empty lines are skipped.
 */
export async function* frames(
  chunks: AsyncIterable<Uint8Array>,
  maxBytes = MAX_FRAME_BYTES,
): AsyncGenerator<string, void> {
  // Bytes are joined before they are decoded: a chunk may end within a character.
  let begun: Uint8Array[] = []
  let begunBytes = 0
  for await (const chunk of chunks) {
    let start = 0
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      checkLength(begunBytes + end - start, maxBytes)
      const frame = decode(begun, chunk.subarray(start, end))
      begun = []
      begunBytes = 0
      start = end + 1
      if (frame !== '') yield frame
    }
    if (start === chunk.length) continue
    begun.push(chunk.subarray(start))
    begunBytes += chunk.length - start
    checkLength(begunBytes, maxBytes)
  }
}

function decode(begun: readonly Uint8Array[], last: Uint8Array): string {
  const bytes = begun.length === 0 ? last : Buffer.concat([...begun, last])
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
}

function checkLength(bytes: number, maxBytes: number): void {
  if (bytes > maxBytes) throw new FrameTooLong(`a frame of more than ${maxBytes} bytes`)
}
