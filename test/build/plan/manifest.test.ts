import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { filesWith, MANIFEST_SCHEMA, writeListed } from '../../../build/plan/manifest.ts';
import { sha256 } from '../../github/actions.ts';
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
