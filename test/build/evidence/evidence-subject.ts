import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject } from 'vitest';
import { checkEvidence, type EvidenceSubject } from '../../../build/evidence/check-evidence.ts';
import { INDEX_FILE, indexOf, makeEvidence } from '../../../build/evidence/make-evidence.ts';
import { type KitFile, zip } from '../../../build/kit/zip.ts';
import { makePlan } from '../../../build/plan/plan.ts';
import { ourForm } from '../../../build/stages/our-form.ts';
import { openRehearsalAuthority, REHEARSAL_TEAM } from '../../../src/rehearsal/authority.ts';
import { collect } from '../../mutation/sample.ts';
import { builtPackage } from '../../support/built-package.ts';

/** The evidence of the release that tests read, and ways to change it. */
interface Evidence {
  /** Folder for files of the tests. */
  readonly scratch: string;
  readonly files: readonly KitFile[];
  readonly subject: EvidenceSubject;
  /** Checks that fail for these files. */
  failed(of: readonly KitFile[], about?: Partial<EvidenceSubject>): Promise<string[]>;
  /** Changes a file and has the index follow, as whoever forges evidence would. */
  changed(name: string, change: (text: string) => string): KitFile[];
  /** Changes a file of JSON in that way; returns the checks that fail then. */
  forged(name: string, change: (document: any) => void): Promise<string[]>;
}

/** Returns the evidence, whose members are there once the tests of the file run. */
export function evidenceOfRelease(): Evidence {
  let scratch: string;
  let files: readonly KitFile[];
  let subject: EvidenceSubject;
  beforeAll(async () => {
    scratch = mkdtempSync(join(tmpdir(), 'evidence-'));
    const { trust } = await openRehearsalAuthority('.rehearsal');
    const plan = await makePlan({ root: process.cwd(), outFolder: scratch, sourceDateEpoch: '1700000000' });
    const known = { madeBy: 'portable', teamIdentifier: REHEARSAL_TEAM, version: null } as const;
    subject = { attestation: null, file: builtPackage(), trust, ours: await ourForm(plan, 'product', known) };
    ({ files } = await makeEvidence({ folder: inject('releaseFolder'), policy: undefined, bundles: undefined }));
  });
  afterAll(() => rmSync(scratch, { recursive: true, force: true }));
  const failed: Evidence['failed'] = async (of, about = {}) => {
    const checks = await checkEvidence(await collect(zip(of, 1_700_000_000) as AsyncIterable<Buffer>), {
      ...subject,
      ...about,
    });
    return [...new Set(checks.filter(({ status }) => status === 'fail').map(({ id }) => id))];
  };
  const changed: Evidence['changed'] = (name, change) => {
    const others = files.map((file) => {
      if (file.path !== name) return file;
      const text = change(file.data.toString());
      expect(text).not.toBe(file.data.toString());
      return { path: name, data: Buffer.from(text) };
    });
    return others.map((file) => (file.path === INDEX_FILE ? { path: INDEX_FILE, data: indexOf(others) } : file));
  };
  const forged: Evidence['forged'] = (name, change) =>
    failed(
      changed(name, (text) => {
        const document = JSON.parse(text);
        change(document);
        return `${JSON.stringify(document, null, 2)}\n`;
      }),
    );
  return {
    get scratch() {
      return scratch;
    },
    get files() {
      return files;
    },
    get subject() {
      return subject;
    },
    failed,
    changed,
    forged,
  };
}
