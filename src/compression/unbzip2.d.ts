/** What is used of unbzip2-stream: its decoder of one block, without the stream around it, which keeps a number for every byte. */
declare module 'unbzip2-stream/lib/bzip2.js' {
  /** Returns so many bits as a number; `null` goes on to the next byte. */
  type BitReader = ((bits: number | null) => number) & { readonly bytesRead: number };
  const decoder: {
    /** Reads the header of a stream; returns the size of its blocks in units of 100,000 bytes. */
    header(bits: BitReader): number;
    /** Reads one block, gives its bytes to `emit` and returns the checksum so far; null at the end of the stream. */
    decompress(
      bits: BitReader,
      emit: (byte: number) => void,
      buffer: Int32Array,
      bufferSize: number,
      streamChecksum: number,
    ): number | null;
  };
  export default decoder;
}
declare module 'unbzip2-stream/lib/bit_iterator.js' {
  /** Returns a reader of bits over the buffers that `next` gives. */
  export default function bitIterator(next: () => Buffer): ((bits: number | null) => number) & {
    readonly bytesRead: number;
  };
}
