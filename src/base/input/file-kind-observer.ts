import { type FileKind, KIND_HEAD_SIZE, KIND_NAMES, KIND_TAIL_SIZE, kindOfFile } from './file-kind.ts';

/** Kinds that may hold code and text which is not looked into. */
const CLOSED: readonly FileKind[] = ['zip', 'disk-image', 'gzip', 'bzip2', 'xz', 'tar', 'cpio', '7z', 'rar', 'pbzx'];

/** Sees the bytes of one file pass and tells what it is: an image says so at its end, and a script can carry anything behind its text. */
export class FileKindObserver {
  #head = Buffer.alloc(0);
  #tail = Buffer.alloc(0);
  #isScript = false;
  #carries = false;

  update(chunk: Buffer): void {
    if (this.#head.length < KIND_HEAD_SIZE) {
      this.#head = Buffer.concat([this.#head, chunk.subarray(0, KIND_HEAD_SIZE - this.#head.length)]);
      this.#isScript = this.#head.toString('latin1', 0, 2) === '#!';
    }
    if (this.#isScript && !this.#carries) this.#carries = chunk.includes(0);
    this.#tail =
      chunk.length >= KIND_TAIL_SIZE
        ? Buffer.from(chunk.subarray(-KIND_TAIL_SIZE))
        : Buffer.concat([this.#tail, chunk]).subarray(-KIND_TAIL_SIZE);
  }

  get kind(): FileKind {
    return kindOfFile(this.#head, this.#tail);
  }

  /** In words, what the file may hold that nobody looks into; undefined for all other files. */
  get closed(): string | undefined {
    if (this.#carries) return 'a script that carries data behind its text';
    const { kind } = this;
    return CLOSED.includes(kind) ? KIND_NAMES[kind] : undefined;
  }
}
