/** A reader of bytes that others made. */
export interface Reader {
  readonly name: string;
  /** Honest inputs, small ones, which are changed. */
  readonly seeds: () => Promise<readonly Buffer[]>;
  /** Reads an input whole; throws PipelineError and nothing else, or returns: a text, where a reader refuses little, that says what it found. */
  readonly read: (data: Buffer) => Promise<unknown> | unknown;
}

/** Reads a stream to its end. */
export async function drain(chunks: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of chunks);
}

/** Yields bytes in pieces of uneven size, so that edges of pieces fall everywhere. */
export async function* inPieces(data: Buffer): AsyncGenerator<Buffer> {
  for (let at = 0, size = 7; at < data.length; at += size, size = ((size * 5) % 1021) + 1)
    yield data.subarray(at, at + size);
}

/** Collects a stream. */
export async function whole(chunks: AsyncIterable<Buffer>): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const chunk of chunks) parts.push(Buffer.from(chunk));
  return Buffer.concat(parts);
}
