import { MACHO_HEAD_SIZE, type MachoSlices, machoSlices } from '../macho/first-bytes.ts';
import { Cksum } from './cksum.ts';

/** One architecture as a Bom record lists it. */
export interface BomArchitecture {
  readonly cpuType: number;
  readonly cpuSubtype: number;
  /** Bytes of the slice. */
  readonly size: number;
  /** POSIX cksum of the slice. */
  readonly cksum: number;
}

/** What a Bom record says about the contents of a file. */
export interface FileFacts {
  /** Bytes. */
  readonly size: number;
  /** POSIX cksum of all bytes. */
  readonly cksum: number;
  /** Absent unless the file is Mach-O. */
  readonly macho?: { readonly fat: boolean; readonly architectures: readonly BomArchitecture[] };
}

/**
 * Gathers the facts of one file from the pieces of its only reading.
 *
 * @example
 * const gatherer = new FactGatherer(5);
 * gatherer.update(Buffer.from('hello'));
 * gatherer.finish() // { size: 5, cksum: 3287646509 }
 */
export class FactGatherer {
  readonly #whole = new Cksum();
  readonly #size: number;
  #seen = 0;
  /** The first bytes, kept until there are enough to tell what the file is. */
  #head: Buffer[] = [];
  #macho: MachoSlices | undefined;
  #slices: Cksum[] = [];

  /** @param size bytes the file will have */
  constructor(size: number) {
    this.#size = size;
  }

  /** Bytes that came so far. */
  get seen(): number {
    return this.#seen;
  }

  update(chunk: Buffer): void {
    this.#whole.update(chunk);
    const start = this.#seen;
    this.#seen += chunk.length;
    if (this.#macho) {
      this.#feedSlices(chunk, start);
      return;
    }
    const isEnough = this.#seen >= MACHO_HEAD_SIZE || this.#seen === this.#size;
    // The caller may use the chunk's memory again, so early short pieces are copied.
    this.#head.push(isEnough ? chunk : Buffer.from(chunk));
    if (isEnough) this.#recognise();
  }

  /** Returns the facts of all that came. */
  finish(): FileFacts {
    if (!this.#macho) this.#recognise();
    const { kind, slices } = this.#macho as MachoSlices;
    const facts = { size: this.#seen, cksum: this.#whole.digest() };
    if (kind === 'none') return facts;
    const architectures = slices.map(({ cpuType, cpuSubtype, size }, index) => {
      const own = this.#slices[index];
      return { cpuType, cpuSubtype, size, cksum: own ? own.digest() : facts.cksum };
    });
    return { ...facts, macho: { fat: kind === 'fat', architectures } };
  }

  #recognise(): void {
    const head = this.#head.length === 1 ? (this.#head[0] as Buffer) : Buffer.concat(this.#head);
    this.#macho = machoSlices(head.subarray(0, MACHO_HEAD_SIZE), this.#size);
    // A thin file is its own only slice: the checksum of the whole serves.
    if (this.#macho.kind === 'fat') this.#slices = this.#macho.slices.map(() => new Cksum());
    this.#head = [];
    this.#feedSlices(head, 0);
  }

  #feedSlices(chunk: Buffer, start: number): void {
    for (const [index, sum] of this.#slices.entries()) {
      const { offset, size } = (this.#macho as MachoSlices).slices[index] as MachoSlices['slices'][number];
      const from = Math.max(offset - start, 0);
      const to = Math.min(offset + size - start, chunk.length);
      if (from < to) sum.update(chunk.subarray(from, to));
    }
  }
}
