import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { indexOf, makeEvidence } from '../../../build/evidence/make-evidence.ts';
import { provenanceOf } from '../../../build/evidence/provenance.ts';
import { MANIFEST_SCHEMA } from '../../../build/plan/manifest.ts';

const scratch = mkdtempSync(join(tmpdir(), 'make-evidence-'));
afterAll(() => rmSync(scratch, { recursive: true }));
const release = () => inject('releaseFolder');
const manifest = () => MANIFEST_SCHEMA.parse(JSON.parse(readFileSync(join(release(), 'release.json'), 'utf8')));
const NAMES = ['notary-log.json', 'verify-report.json', 'EscrowBuddy.cdx.json', 'SHA256SUMS'];

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(scratch, 'a-'));
  const product = manifest().files.find(({ role }) => role === 'package')!.path;
  for (const name of [...NAMES, 'release.json', product]) cpSync(join(release(), name), join(folder, name));
});
const make = (policy?: Buffer, bundles?: Buffer) => makeEvidence({ folder, policy, bundles });
const change = (content: object) =>
  writeFileSync(join(folder, 'release.json'), JSON.stringify({ ...manifest(), ...content }));
const incomplete = (words: RegExp) => ({
  code: 'EVIDENCE_INCOMPLETE',
  message: expect.stringMatching(words),
  hint: expect.stringMatching(/./),
});

describe('evidence', () => {
  it('is what the release left, the policy, where it comes from, and an index of all', async () => {
    const { files } = await make();
    const data = (name: string) => files.find(({ path }) => path === name)?.data.toString();
    expect(files.map(({ path }) => path)).toEqual([...NAMES, 'policy.json', 'provenance.json', 'evidence.json']);
    for (const name of NAMES) expect(data(name)).toBe(readFileSync(join(folder, name), 'utf8'));
    expect(data('policy.json')).toBe('{"schema": 1}\n');
    expect(data('evidence.json')).toBe(indexOf(files).toString());
  });

  it('has the policy and the attestations that are given', async () => {
    const { files } = await make(Buffer.from('policy'), Buffer.from('bundles'));
    const given = files.filter(({ path }) => ['policy.json', 'attestations.jsonl'].includes(path));
    expect(given.map(({ data }) => data.toString())).toEqual(['policy', 'bundles']);
    expect(files.at(-1)!.path).toBe('evidence.json');
    expect(JSON.parse(files.at(-1)!.data.toString()).files).toHaveLength(files.length - 1);
  });

  it.each(NAMES)('is not made without %s', async (name) => {
    rmSync(join(folder, name));
    await expect(make()).rejects.toMatchObject(incomplete(new RegExp(`holds no ${name.replaceAll('.', '\\.')}$`)));
    mkdirSync(join(folder, name));
    await expect(make()).rejects.not.toMatchObject({ code: 'EVIDENCE_INCOMPLETE' });
  });

  it('is not made without a release.json that names a package', async () => {
    change({ files: manifest().files.filter(({ role }) => role !== 'package') });
    await expect(make()).rejects.toMatchObject(incomplete(/no release\.json that names a package$/));
    rmSync(join(folder, 'release.json'));
    await expect(make()).rejects.toMatchObject(incomplete(/no release\.json that names a package$/));
  });
});

describe('the index', () => {
  const file = (path: string, text: string) => ({ path, data: Buffer.from(text) });

  it('names each other file with its digest, by name', () => {
    // printf b | sha256sum, printf a | sha256sum
    expect(JSON.parse(indexOf([file('b', 'b'), file('evidence.json', 'x'), file('a', 'a')]).toString())).toEqual({
      schema: 1,
      files: [
        { name: 'a', digest: { sha256: 'ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb' } },
        { name: 'b', digest: { sha256: '3e23e8160039594a33894f6564e1b1348bbd7a0088d42c4acb73eeaed59c009d' } },
      ],
    });
  });
});

describe('the statement of where a package comes from', () => {
  const product = { name: 'a.pkg', digest: { sha256: '00' } };

  it('names the commit where one is known', () => {
    const { predicate } = provenanceOf(product, { ...manifest(), commit: 'c0ffee' }, [product]);
    expect(predicate.buildDefinition.resolvedDependencies).toEqual([
      { uri: 'git+commit', digest: { gitCommit: 'c0ffee' } },
    ]);
    expect(predicate.runDetails.byproducts).toEqual([product]);
    const { predicate: other } = provenanceOf(product, { ...manifest(), commit: null }, []);
    expect(other.buildDefinition.resolvedDependencies).toEqual([]);
  });
});
