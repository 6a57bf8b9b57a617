import { createHash } from 'node:crypto';

/** Longer encodings are read anew each time: what is kept must stay small. */
const LONGEST = 64 * 1024;

interface Entry<Value> {
  readonly bytes: Buffer;
  readonly value: Value;
}

/**
 * What was made of the encodings seen last. Several checks of a package read the same signatures and certificates.
 *
 * @example
 * const keys = new Recent<KeyObject>(64);
 * keys.of(der, (own) => createPublicKey({ key: own, format: 'der', type: 'spki' }));
 */
export class Recent<Value> {
  readonly #entries = new Map<string, Entry<Value>>();
  readonly #most: number;

  /** @param most how many are kept */
  constructor(most: number) {
    this.#most = most;
  }

  /**
   * Returns what `make` made of these bytes, now or lately; what it throws is not kept.
   *
   * @param make is given a copy that is its own, so that a caller who changes `bytes` changes nothing that is kept
   */
  of(bytes: Buffer, make: (own: Buffer) => Value): Value {
    if (bytes.length > LONGEST) return make(bytes);
    const digest = createHash('sha1').update(bytes).digest('hex');
    const known = this.#entries.get(digest);
    // Compared, not believed: whoever wrote into what was handed out must not change what others read.
    if (known?.bytes.equals(bytes)) return known.value;
    const own = Buffer.from(bytes);
    const value = make(own);
    const [oldest] = this.#entries.keys();
    if (oldest !== undefined && this.#entries.size >= this.#most) this.#entries.delete(oldest);
    this.#entries.set(digest, { bytes: own, value });
    return value;
  }
}
