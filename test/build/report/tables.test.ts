import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { Manifest } from '../../../build/plan/manifest.ts';
import { renderChecks } from '../../../build/report/checks.ts';
import { demandKind, FLAT_PACKAGE, refuseFolder } from '../../../build/report/demand-kind.ts';
import { maskCommands } from '../../../build/report/github.ts';
import { bomLines, inspectBom } from '../../../build/report/inspect-bom.ts';
import { inspectCode } from '../../../build/report/inspect-code.ts';
import { createProgress } from '../../../build/report/progress.ts';
import { renderSummary } from '../../../build/report/summary.ts';
import { remarks, renderVerification, verdict } from '../../../build/report/verification.ts';
import type { Check } from '../../../src/base/check.ts';
import { accessBuffer } from '../../../src/base/random-access.ts';
import type { Bom, BomRecord } from '../../../src/bom/bom.ts';
import { encodeBom } from '../../../src/bom/encode.ts';
import { buildFat } from '../../../src/macho/fat.ts';
import type { PackageReport } from '../../../src/verify/expectations.ts';
import { sampleSlice } from '../../code-signature/sample.ts';

const scratch = mkdtempSync(join(tmpdir(), 'report-tables-'));
afterAll(() => rmSync(scratch, { recursive: true }));

describe('renderChecks', () => {
  it('has a line each, and further lines of a reason below it', () => {
    const checks: Check[] = [
      { id: 'a', status: 'pass' },
      { id: 'long-name', status: 'fail', reason: 'one\ntwo\u001b' },
      { id: 'b', status: 'skipped', reason: 'why' },
    ];
    expect(renderChecks(checks).split('\n')).toEqual([
      'pass     a',
      'FAIL     long-name  one',
      '                    two\\u001b',
      'skipped  b          why',
    ]);
    expect(renderChecks([])).toBe('');
  });
});

describe('demandKind', () => {
  const refusal = async (data: Buffer | string) => {
    const error = await demandKind(accessBuffer(Buffer.from(data)), 'a.pkg', ['bom'], FLAT_PACKAGE).catch(
      (caught) => caught,
    );
    return [error.code, error.message.split('expected ')[1], error.hint];
  };
  const expected = 'a flat package (.pkg), but this is ';

  it('takes what a command takes', async () => {
    const bom = encodeBom([{ path: '.', kind: 'directory', mode: 0o755, uid: 0, gid: 0, mtimeSeconds: 1, size: 64 }]);
    expect(await demandKind(accessBuffer(bom), 'Bom', ['text', 'bom'], 'a Bom')).toBe('bom');
  });

  it.each<[string, Buffer | string, string, string]>([
    ['a zip', 'PK\x03\x04aaaa', 'a zip archive', 'Unzip it, and give the .pkg that is in it.'],
    ['gzip', Buffer.from('1f8b0800', 'hex'), 'gzip-compressed data', 'Unpack it, and give the .pkg that is in it.'],
    [
      'a page',
      '<!DOCTYPE html><html></html>',
      'an HTML page, such as a server sends instead of the file asked for',
      'Fetch the file anew; look at the page to see why the server did not send it.',
    ],
    ['nothing', '', 'empty', 'Fetch the file anew.'],
    ['a script', '#!/bin/sh\n', 'a script', 'Give a flat package (.pkg).'],
    [
      'anything',
      Buffer.from('0102030405', 'hex'),
      'of a kind that is not known (it begins with 01020304)',
      'Give a flat package (.pkg).',
    ],
  ])('says that it was given %s, and what to do', async (_, data, description, hint) => {
    expect(await refusal(data)).toEqual(['KIND_UNSUITABLE', expected + description, hint]);
  });
});

describe('refuseFolder', () => {
  const folder = (name: string, ...contents: string[]) => {
    const path = join(scratch, name);
    mkdirSync(join(path, 'Contents'), { recursive: true });
    for (const file of contents) writeFileSync(join(path, 'Contents', file), '');
    return refuseFolder(path, FLAT_PACKAGE).then(
      () => 'taken',
      ({ code, message, hint }) => [code, message.split(/ is a folder, not a file/)[1], hint.split(/[:.]/)[0]],
    );
  };
  const old = [
    ': a bundle package, as installers were made before macOS 10.5',
    'Such packages are not read, and their signatures no longer count',
  ];

  it.each<[string, string[], string[]]>([
    ['plain', [], ['', 'Give a flat package (']],
    ['old.pkg', ['Archive.pax.gz', 'Info.plist'], old],
    ['bom.pkg', ['Archive.bom'], old],
    ['other.pkg', ['MyArchive.pax', 'Archive.txt'], ['', 'Give a flat package (']],
    ['old.mpkg', [], old],
    ['old.mpkg.d', [], ['', 'Give a flat package (']],
    ['A.app', ['Info.plist'], [': a bundle, such as an application or a plug-in', 'Only packages are checked']],
  ])('says what the folder %s is', async (name, contents, words) => {
    expect(await folder(name, ...contents)).toEqual(['NOT_A_FILE', ...words]);
  });

  it('lets files pass, and what is not there', async () => {
    writeFileSync(join(scratch, 'file'), '');
    for (const name of ['file', 'gone']) await expect(refuseFolder(join(scratch, name), '')).resolves.toBeUndefined();
  });
});

describe('a Bom that is shown', () => {
  const record = (change: Partial<BomRecord>): BomRecord => ({
    ...{ path: './a', kind: 'file', mode: 0o644, uid: 0, gid: 80, mtimeSeconds: 1, size: 12, cksum: 7 },
    ...change,
  });
  const lines = (...records: Partial<BomRecord>[]) => bomLines({ records: records.map(record) } as unknown as Bom);

  it('has a line a path', () => {
    expect(
      lines(
        {},
        { kind: 'directory', mode: 0o1755, path: '.', cksum: undefined as never },
        { kind: 'symlink', linkTarget: 'b', mode: 0o7 },
        { pathOnly: true },
        {
          architectures: [
            { cpuType: 0x01000007, cpuSubtype: 3, size: 5 },
            { cpuType: 0x0100000c, cpuSubtype: 0, size: 6 },
          ] as never,
        },
      ),
    ).toEqual([
      '  -0644 0:80        12 ./a 7',
      '  d1755 0:80        12 .',
      '  l0007 0:80        12 ./a -> b 7',
      '  ----- 0:80        12 ./a 7',
      '  -0644 0:80        12 ./a 7 [x86_64 5] [arm64 6]',
    ]);
  });

  it('counts its paths', () => {
    const root: BomRecord = { path: '.', kind: 'directory', mode: 0o755, uid: 0, gid: 0, mtimeSeconds: 1, size: 64 };
    expect(inspectBom(encodeBom([root])).lines).toEqual(['Bom, 1 paths', '  d0755 0:0        64 .']);
  });
});

describe('a program that is shown', () => {
  it('has each slice with versions, libraries, exports and signature', () => {
    const { lines, document } = inspectCode(buildFat([sampleSlice('x86_64'), sampleSlice('arm64')]));
    const { slices } = document as { slices: { signature: unknown; sdk: string; uuid: string }[] };
    expect(lines.filter((line) => !line.startsWith(' '))).toEqual([
      expect.stringMatching(/^x86_64, \d+ bytes$/),
      expect.stringMatching(/^arm64, \d+ bytes$/),
    ]);
    expect(lines.slice(7)).toEqual([
      `  macOS      11.0 or later, SDK ${slices[1]!.sdk}`,
      `  uuid       ${slices[1]!.uuid}`,
      expect.stringMatching(/^ {2}libraries {2}\/usr\/lib\/libSystem\.B\.dylib/),
      expect.stringMatching(/^ {2}exports {4}\S/),
      '  signature  none',
    ]);
  });
});

describe('renderSummary', () => {
  const manifest = (change: object = {}) =>
    ({
      ...{ version: '1.1.0', mode: 'release', stages: [{ name: 'publish', seconds: 61, outcome: 'done' }] },
      files: [{ path: 'a b.pkg', role: 'package', size: 9, sha256: 'aa' }],
      package: { identifier: 'com.example.a', signer: 'X', timestamp: 'then' },
      ...change,
    }) as unknown as Manifest;
  const shown = (change: object = {}, outFolder = '/out') =>
    renderSummary(manifest(change), { outFolder }, 'AGAIN').split('\n');

  it('says what was made and what comes next', () => {
    expect(shown()).toEqual([
      ...['', 'Made /out/a b.pkg', '  package    com.example.a', '  version    1.1.0', '  size       9 bytes'],
      ...['  sha256     aa', '  signed by  X', '  timestamp  then', '  took       1 min 01 s in 1 stages', ''],
      ...['Next:', "  npm run -s cli -- verify '/out/a b.pkg'", ''],
    ]);
    expect(shown({}, join(process.cwd(), 'out'))[1]).toBe('Made out/a b.pkg');
    expect(shown({}, join(process.cwd(), 'out/a..b'))[1]).toBe('Made out/a..b/a b.pkg');
  });

  it('names the mode of a rehearsal and the command that trusts it', () => {
    const lines = shown({ mode: 'rehearsal' });
    expect(lines).toContain('  mode       rehearsal: no Mac trusts it (docs/building.md)');
    expect(lines.at(-2)).toBe("  npm run -s cli -- verify --trust rehearsal '/out/a b.pkg'");
  });

  it('says of an unsigned package that nobody signed it', () => {
    const lines = shown({ package: { identifier: 'a', signer: null, timestamp: null }, stages: [] });
    expect(lines).toContain('  signed by  nobody: for development only');
    expect(lines.join()).not.toContain('timestamp');
    expect(lines.at(-2)).toBe("  npm run -s cli -- inspect '/out/a b.pkg'");
  });

  it('goes on where a signed package is not published yet', () => {
    for (const outcome of ['failed', 'skipped'])
      expect(shown({ stages: [{ name: 'publish', seconds: 1, outcome }] }).at(-2)).toBe('  AGAIN');
    expect(shown({ stages: [{ name: 'verify', seconds: 1, outcome: 'done' }] }).at(-2)).toBe('  AGAIN');
  });

  it('says where it stopped before there was a package', () => {
    const stages = [
      { name: 'compile', seconds: 1, outcome: 'done' },
      { name: 'sign-code', seconds: 1, outcome: 'done' },
    ];
    expect(shown({ files: [], stages })[1]).toBe('Stopped after sign-code, as asked. To run all stages: npm start');
    expect(shown({ package: null, stages: [] })[1]).toMatch(/^Stopped after nothing, /);
  });
});

describe('the report of a checked package', () => {
  const report = (checks: Check[], facts: object = {}) =>
    ({ checks, facts, abilities: [] }) as unknown as PackageReport;
  const [pass, fail]: Check[] = [
    { id: 'a', status: 'pass' },
    { id: 'b', status: 'fail', reason: 'wrong' },
  ];

  it('ends with a verdict', () => {
    const timestamp = new Date('2026-01-01T00:00:00Z');
    expect(verdict('a.pkg', report([pass!], { signer: 'X\n', timestamp }))).toBe(
      'PASS: a.pkg: X\\u000a, 2026-01-01T00:00:00.000Z',
    );
    expect(verdict('a.pkg', report([pass!]))).toBe('PASS: a.pkg: nobody');
    expect(verdict('a.pkg', report([pass!, fail!, fail!]))).toBe('FAIL: a.pkg: 2 of 3 checks failed: b');
  });

  it.each<[string, Check[], 'apple' | 'rehearsal', (RegExp | string)[]]>([
    ['nothing', [pass!], 'apple', []],
    ['who was believed', [pass!], 'rehearsal', [/^Checked by the rehearsal authority/]],
    [
      'a rehearsal',
      [{ ...fail!, reason: 'REHEARSAL CA' }],
      'apple',
      [/^It was signed in a rehearsal/, /^What each check/],
    ],
    [
      'no rehearsal where that is believed',
      [{ ...fail!, reason: 'REHEARSAL CA' }],
      'rehearsal',
      [/^Checked by/, /^What each check/],
    ],
    [
      'another form',
      [{ ...fail!, id: 'form-code' }],
      'apple',
      [/^It says it is a package of this project/, /^What each check/],
    ],
    ['no other form', [{ ...fail!, id: 'a-form-code' }], 'apple', [/^What each check/]],
    ['a note', [{ ...pass!, reason: 'n' }], 'apple', ['One check has a note: --verbose shows all checks.']],
    [
      'two notes',
      [
        { ...pass!, reason: 'n' },
        { ...pass!, reason: 'm' },
      ],
      'apple',
      ['2 checks have notes: --verbose shows all checks.'],
    ],
    ['no note of what was skipped', [{ ...pass!, status: 'skipped', reason: 'n' }], 'apple', []],
  ])('remarks on %s', (_, checks, name, expected) => {
    const found = remarks(report(checks), { name });
    expect(found).toEqual(expected.map((one) => (typeof one === 'string' ? one : expect.stringMatching(one))));
  });

  it('shows failed checks, and all of them when asked, with what they are about', () => {
    const checks: Check[] = [
      { id: 'digest', status: 'pass', subject: 'a' },
      { id: 'digest', status: 'pass', subject: 'b' },
      { id: 'digest', status: 'pass', subject: 'c', reason: 'note' },
      { id: 'other', status: 'pass', subject: 'package' },
      { id: 'digest', status: 'fail', subject: 'd', reason: 'wrong' },
      { id: 'digest', status: 'fail', subject: 'package', reason: 'worse' },
    ];
    const shown = (verbose: boolean) =>
      renderVerification('a.pkg', report(checks), { trust: { name: 'apple' }, verbose })
        .split('\n')
        .map((line) => line.trim().replace(/ +/g, ' '));
    expect(shown(false)).toEqual(expect.arrayContaining(['FAIL digest d: wrong', 'FAIL digest worse']));
    expect(shown(false).join()).not.toContain('note,');
    expect(shown(true)).toEqual(
      expect.arrayContaining(['pass digest 2 times', 'pass digest c: note', 'pass other', 'FAIL digest d: wrong']),
    );
    expect(shown(false).at(-2)).toBe('FAIL: a.pkg: 2 of 6 checks failed: digest');
  });
});

describe('what a log hides', () => {
  const masks = (env: object) =>
    maskCommands({ GITHUB_ACTIONS: 'true', ...env })
      .split('\n')
      .slice(0, -1);

  it('is every secret of at least eight characters, once, without blanks around it', () => {
    expect(masks({ APPLICATION_P12_PASSWORD: '1234567', INSTALLER_P12_PASSWORD: ' 12345678 ' })).toEqual([
      '::add-mask::12345678',
    ]);
    expect(masks({ APPLICATION_P12_PASSWORD: 'same-word', INSTALLER_P12_PASSWORD: 'same-word' })).toEqual([
      '::add-mask::same-word',
    ]);
    expect(masks({ APPLICATION_P12_PASSWORD: 'x-----END' })).toEqual(['::add-mask::x-----END']);
    expect(masks({ APPLICATION_P12_PASSWORD: '-----BEGIN', GITHUB_TOKEN: 'not ours to hide' })).toEqual([]);
    expect(maskCommands({ GITHUB_ACTIONS: 'false', APPLICATION_P12_PASSWORD: 'same-word' })).toBe('');
  });

  it('is each line of what was in base64, but for bytes that no log could show', () => {
    const text = Buffer.from('first line\r\nsecond line\n').toString('base64');
    expect(masks({ NOTARY_KEY: text })).toEqual([
      `::add-mask::${text}`,
      '::add-mask::first line',
      '::add-mask::second line',
    ]);
    const bytes = Buffer.from('0001ff'.repeat(8), 'hex').toString('base64');
    expect(masks({ INSTALLER_P12_BASE64: bytes })).toEqual([`::add-mask::${bytes}`]);
    expect(masks({ APPLICATION_P12_PASSWORD: 'a\rb%c\nd-e-f' })).toEqual(['::add-mask::a%0Db%25c%0Ad-e-f']);
  });
});

describe('progress without a terminal', () => {
  it('says what a stage says, each thing once, and nothing before one begins', () => {
    const written: string[] = [];
    const progress = createProgress({
      stream: { write: (text: string) => written.push(text) },
      verbose: false,
      color: true,
    });
    const stage = progress.begin('compile');
    for (const text of ['one', 'one', 'two']) stage.update(text);
    progress.end('skipped', 'not asked', 7);
    stage.update('late');
    progress.note('fact', 'a\nb');
    progress.note('warning', 'c');
    expect(written.map((text) => text.trim().replace(/ +/g, ' '))).toEqual([
      'compile one',
      'compile two',
      '- compile not asked',
      'a',
      'b',
      '! c',
    ]);
  });
});
