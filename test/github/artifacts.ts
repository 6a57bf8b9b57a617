import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { sha256 } from '../support/file-digest.ts';

interface Artifact {
  readonly id: string;
  readonly name: string;
  readonly run: number;
  readonly attempt: number;
  readonly path: string;
}

/** A run and which time it is tried. */
export interface Attempt {
  readonly run: number;
  readonly attempt: number;
}

/**
 * Keeps files between jobs and attempts, as the service does: a name is taken once an attempt, and a run's list shows only the
 * newest artifact of each name, so that an id can vanish from it after a re-run.
 */
export class Artifacts {
  readonly #kept: Artifact[] = [];
  readonly #expired = new Set<string>();
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Keeps a copy of a file; its id never comes again, and no job can change what another kept. */
  keep({ run, attempt }: Attempt, name: string, path: string): string {
    if (name === '') throw new Error('an artifact without a name');
    if (this.#kept.some((one) => one.run === run && one.attempt === attempt && one.name === name))
      throw new Error(`409 Conflict: an artifact with this name already exists on the workflow run: ${name}`);
    const id = String(1000 + this.#kept.length);
    const copy = join(this.#folder, id, basename(path));
    mkdirSync(join(this.#folder, id), { recursive: true });
    cpSync(path, copy);
    this.#kept.push({ id, name, run, attempt, path: copy });
    return id;
  }

  /** Copies an artifact of this run into a folder. */
  fetch({ run }: Attempt, id: string, folder: string): void {
    const latest = new Map(this.#kept.filter((one) => one.run === run).map((one) => [one.name, one]));
    const artifact = [...latest.values()].find((one) => one.id === id);
    if (!artifact || this.#expired.has(id))
      throw new Error(`Unable to download artifact(s): no artifact with the id ${JSON.stringify(id)} in this run`);
    cpSync(artifact.path, join(folder, basename(artifact.path)));
  }

  /** Returns the SHA-256 of what an artifact holds that can still be fetched; undefined for every other word. */
  digestOf(id: string): string | undefined {
    const artifact = this.#kept.find((one) => one.id === id);
    return artifact && !this.#expired.has(id) ? sha256(artifact.path) : undefined;
  }

  /** The days of keeping are over. */
  expire(): void {
    for (const { id } of this.#kept) this.#expired.add(id);
  }

  /** As if they had been kept longer. */
  restore(): void {
    this.#expired.clear();
  }

  /** Replaces what the newest artifact of a name holds, as somebody with a foothold in another job could. */
  tamper(name: string, change: (bytes: Buffer) => Buffer): void {
    const path = this.newest(name);
    writeFileSync(path, change(readFileSync(path)));
  }

  /** Returns where the newest artifact of a name lies. */
  newest(name: string): string {
    const found = this.#kept.findLast((artifact) => artifact.name === name);
    if (!found) throw new Error(`no artifact is called ${name}`);
    return found.path;
  }

  /** Names by run, for tests of how they are called. */
  names(): string[] {
    return this.#kept.map(({ name }) => name);
  }
}
