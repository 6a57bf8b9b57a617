import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { documentIn } from '../base/document.ts';
import { removeUnfinished, writeWhole } from '../base/files.ts';
import { makeFolder } from '../base/place/folder.ts';

const RECORD = z.object({
  id: z.string(),
  name: z.string(),
  /** Announced digest, hex. */
  sha256: z.string(),
  /** ISO 8601. */
  createdDate: z.string(),
  object: z.string(),
  keys: z.object({
    accessKeyId: z.string(),
    secretAccessKey: z.string(),
    sessionToken: z.string(),
    expires: z.number(),
  }),
  /** What came of the upload; null before one. `from` are milliseconds since 1970. */
  verdict: z
    .object({
      from: z.number(),
      status: z.string(),
      log: z.record(z.string(), z.unknown()),
      tickets: z.array(z.object({ recordName: z.string(), ticket: z.string(), from: z.number() })),
    })
    .nullable(),
});

/** A submission as the rehearsal notary remembers it. */
export type StoredSubmission = z.infer<typeof RECORD>;

/** The notary's history shows no more. */
const KEPT = 100;

/** Remembers submissions: in memory, and in a folder where one is given, so that another process finds them. */
export class SubmissionStore {
  readonly #folder: string | undefined;
  readonly #records = new Map<string, StoredSubmission>();

  private constructor(folder: string | undefined) {
    this.#folder = folder;
  }

  /** Returns a store with what the folder holds; files that are not submissions are passed over. */
  static async open(folder: string | undefined): Promise<SubmissionStore> {
    const store = new SubmissionStore(folder);
    if (folder === undefined) return store;
    await makeFolder(folder, 0o700);
    await removeUnfinished(folder);
    for (const name of await readdir(folder)) {
      if (!/^[0-9a-f-]{36}\.json$/.test(name)) continue;
      const record = await readRecord(join(folder, name));
      if (record) store.#records.set(record.id, record);
    }
    for (const old of store.newestFirst().slice(KEPT)) await rm(join(folder, `${old.id}.json`), { force: true });
    return store;
  }

  get(id: string): StoredSubmission | undefined {
    return this.#records.get(id);
  }

  newestFirst(): StoredSubmission[] {
    return [...this.#records.values()].sort((a, b) => b.createdDate.localeCompare(a.createdDate));
  }

  async put(record: StoredSubmission): Promise<void> {
    this.#records.set(record.id, record);
    if (this.#folder !== undefined) {
      await writeWhole(join(this.#folder, `${record.id}.json`), JSON.stringify(record), 0o600);
    }
  }
}

async function readRecord(path: string): Promise<StoredSubmission | undefined> {
  return documentIn(await readFile(path), RECORD);
}
