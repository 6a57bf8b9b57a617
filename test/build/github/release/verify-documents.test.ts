import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { checkReport, checkSbom, checkSmoke, checkSums } from '../../../../build/github/release/verify-documents.ts';
import { verdicts } from './verdicts.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'documents-'));
  cpSync(inject('releaseFolder'), folder, { recursive: true });
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const edit = (name: string, change: (text: string) => string) =>
  writeFileSync(join(folder, name), change(readFileSync(join(folder, name), 'utf8')));
const editJson = (name: string, change: (value: any) => void) =>
  edit(name, (text) => {
    const value = JSON.parse(text);
    change(value);
    return JSON.stringify(value);
  });
const names = () => readdirSync(folder).filter((name) => name !== 'extras');
const report = () => JSON.parse(readFileSync(join(inject('releaseFolder'), 'verify-report.json'), 'utf8'));

describe('checkSums', () => {
  it('passes the sums of a release, whose extra packages are inside the kit', async () => {
    rmSync(join(folder, 'extras'), { recursive: true });
    expect(await checkSums(folder, names())).toBe('SHA256SUMS names 6 assets');
  });

  it.each<[string, (line: string) => string]>([
    ['with something before it', (line) => `x${line}`],
    ['with one space', (line) => line.replace('  ', ' ')],
    ['that is cut', (line) => line.slice(1)],
  ])('takes no line %s', async (_, change) => {
    edit('SHA256SUMS', (text) => text.replace(/^.*\.pkg$/m, change));
    await expect(checkSums(folder, names())).rejects.toThrow(
      /^Escrow\.Buddy-1\.1\.0-rehearsal\.pkg: .* says nothing of it$/,
    );
  });

  it('finds a changed sum, a changed asset and one that is not named', async () => {
    edit('SHA256SUMS', (text) => text.replace(/^[0-9a-f]{8}/, '00000000'));
    edit('verify-report.json', (text) => `${text}\n`);
    writeFileSync(join(folder, 'other.txt'), 'x');
    await expect(checkSums(folder, names())).rejects.toMatchObject({
      code: 'SUMS_WRONG',
      message: expect.stringMatching(
        /^Escrow\.Buddy-1\.1\.0-rehearsal\.pkg: .*\nother\.txt: .* says nothing of it\nverify-report\.json: .*$/,
      ),
    });
  });
});

describe('checkReport', () => {
  it('passes the report on the package that was checked', async () =>
    expect(await checkReport(folder, report())).toMatch(/^\d+ checks, the same as now$/));

  it.each<[string, (report: any) => void, RegExp]>([
    ['another package', ({ facts }) => (facts.tocDigest = '00'), /^it is about another package$/],
    ['another trust', (told) => (told.trust = 'apple'), /^it believed apple, not rehearsal$/],
    ['a failed package', (told) => (told.verdict = 'fail'), /^its verdict is fail$/],
    ['a check less', ({ checks }) => checks.shift(), /^it lacks xar-structure of package: pass$/],
    ['a check more', ({ checks }) => checks.push({ id: 'made-up', status: 'pass' }), /^made-up of undefined: pass$/],
    [
      'another result',
      ({ checks }) => (checks[0].status = 'skipped'),
      /^xar-structure of package: skipped\nit lacks xar-structure of package: pass$/,
    ],
    ['another schema', (told) => (told.schema = 2), /^verify-report.json is not a verification report$/],
    ['a check twice', ({ checks }) => checks.unshift(checks[0]), /^xar-structure of package: pass$/],
  ])('refuses one of %s', async (_, change, words) => {
    editJson('verify-report.json', change);
    await expect(checkReport(folder, report())).rejects.toThrow(words);
  });
});

describe('checkSbom', () => {
  const check = () => checkSbom(folder, join(folder, 'Escrow.Buddy-1.1.0-rehearsal.pkg'));

  it('passes the SBOM of the package', async () =>
    expect(await check()).toBe('10 files of the package, and nothing else'));

  it('refuses one of other files', async () => {
    editJson('EscrowBuddy.cdx.json', ({ components }) => components.splice(1, 1));
    await expect(check()).rejects.toMatchObject({
      code: 'SBOM_WRONG',
      message: expect.stringContaining('scripts/guard.sh differs'),
    });
  });
});

describe('checkSmoke', () => {
  it('passes a package without a team whose Macs saw none', async () => {
    const path = join(folder, 'Escrow.Buddy-1.1.0-rehearsal.pkg');
    const seen = verdicts(folder);
    writeFileSync(join(folder, 'smoke-verdicts.jsonl'), seen.replace(/"team":"\w+"/g, '"team":null'));
    await expect(checkSmoke(folder, path)).rejects.toMatchObject({ code: 'SMOKE_INCOMPLETE' });
    editJson('release.json', (manifest) => (manifest.package = null));
    expect(await checkSmoke(folder, path)).toBe('5 Macs installed this package');
  });
});
