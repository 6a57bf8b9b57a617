import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import {
  extrasWith,
  filesWith,
  MANIFEST_SCHEMA,
  type ManifestExtra,
  newManifest,
  readManifest,
  writeListed,
  writeManifest,
} from '../../../build/plan/manifest.ts';
import { makePlan } from '../../../build/plan/plan.ts';
import { sha256 } from '../../support/file-digest.ts';
import { jsonSchemaText } from '../../support/json-schema.ts';

let scratch: string;
beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'manifest-'));
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

describe('release.json', () => {
  it('keeps to its schema, which another checker reads', () => {
    const manifest = JSON.parse(readFileSync(join(inject('releaseFolder'), 'release.json'), 'utf8'));
    const validate = new Ajv2020().compile(JSON.parse(jsonSchemaText(MANIFEST_SCHEMA, 'output')));
    expect(validate(manifest), JSON.stringify(validate.errors)).toBe(true);
    expect(validate({ ...manifest, files: [{ path: 'a' }] })).toBe(false);
  });

  it('has the schema that lies in the project', async () => {
    await expect(jsonSchemaText(MANIFEST_SCHEMA, 'output')).toMatchFileSnapshot(
      '../../../docs/schemas/release.schema.json',
    );
  });
});

describe('the list of files', () => {
  it('names a written file with its size and digest', async () => {
    const file = await writeListed(scratch, { path: 'a.json', role: 'sbom' }, '{}\n');
    expect(file).toEqual({ path: 'a.json', role: 'sbom', size: 3, sha256: sha256(join(scratch, 'a.json')) });
  });

  it('has each path once', () => {
    const file = (path: string, size: number) => ({ path, role: 'sbom', size, sha256: '' });
    expect(filesWith([file('a', 1), file('b', 2)], file('a', 3))).toEqual([file('b', 2), file('a', 3)]);
  });
});

describe('what the manifest says of an extra package', () => {
  const submission = { id: 'ID', status: 'Accepted', submittedAt: 'then' };
  const ticket = { issuedAt: 'then', sha256: '' };
  const extra = (path: string, facts: Partial<ManifestExtra> = {}): ManifestExtra => ({
    path,
    submission: null,
    ticket: null,
    ...facts,
  });

  it('is added, or changed in that alone, and leaves the others as they are', () => {
    expect(extrasWith([], 'a', { submission })).toEqual([extra('a', { submission })]);
    const both = [extra('a', { submission }), extra('b', { submission })];
    expect(extrasWith(both, 'a', { ticket })).toEqual([extra('b', { submission }), extra('a', { submission, ticket })]);
    expect(extrasWith(both, 'c', { ticket })).toEqual([...both, extra('c', { ticket })]);
    expect(extrasWith(both, 'a', { submission: null })).toEqual([both[1], extra('a')]);
  });
});

describe('the manifest of a run', () => {
  const begun = async () => {
    const plan = await makePlan({ root: process.cwd(), outFolder: scratch, sourceDateEpoch: '1700000000' });
    return { plan, manifest: newManifest(plan, 'portable', { clang: '14.0.6' }, 'rehearsal') };
  };

  it('that has done nothing yet says who makes what of which sources, and nothing more', async () => {
    const { plan, manifest } = await begun();
    const { version, commit } = plan;
    expect(manifest).toEqual({
      ...{ schema: 1, product: 'Escrow Buddy', version, mode: 'rehearsal', toolchain: 'portable' },
      ...{ sourceDateEpoch: 1_700_000_000, timeFrom: 'SOURCE_DATE_EPOCH', commit, tools: { clang: '14.0.6' } },
      ...{ stages: [], files: [], package: null, code: [], submission: null, ticket: null },
    });
  });

  it('is read as it was written, and is nothing where there is none', async () => {
    const { manifest } = await begun();
    const folder = join(scratch, 'written');
    mkdirSync(folder);
    expect(await readManifest(folder)).toBeNull();
    await writeManifest(folder, manifest);
    expect(await readManifest(folder)).toEqual(manifest);
    expect(readFileSync(join(folder, 'release.json'), 'utf8')).toMatch(/^\{\n {2}"schema": 1,\n[\s\S]*\n\}\n$/);
  });

  it('with another schema or a key that nobody knows is refused; what cannot be read is no manifest that is missing', async () => {
    const { manifest } = await begun();
    const folder = join(scratch, 'wrong');
    mkdirSync(folder);
    for (const change of [
      { schema: 2 },
      { other: 1 },
      { files: [{ path: 'a', role: 'b', size: 1, sha256: 'A'.repeat(64) }] },
    ]) {
      writeFileSync(join(folder, 'release.json'), JSON.stringify({ ...manifest, ...change }));
      await expect(readManifest(folder)).rejects.toMatchObject({ code: 'MANIFEST_INVALID' });
    }
    rmSync(join(folder, 'release.json'));
    mkdirSync(join(folder, 'release.json'));
    await expect(readManifest(folder)).rejects.toThrow();
  });
});
