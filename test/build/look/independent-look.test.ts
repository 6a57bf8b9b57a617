import { execFile, execFileSync, spawnSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { openRehearsalAuthority } from '../../../src/rehearsal/authority.ts';
import { contentOf, openSample, type Sample } from '../../mutation/sample.ts';
import { builtPackage } from '../../support/built-package.ts';
import { byDay, ofTheDay } from '../../support/by-day.ts';
import { quickCompiler } from '../../support/quick-compiler.ts';
import { PLANTED } from './planted.ts';
import { DEEP_BOM, deepPayload, SHORT_BOM } from './planted-bom.ts';
import { PROGRAM } from './planted-code.ts';
import { flipAt, inFile } from './plants.ts';

const LOOK = 'build/look/independent-look.mjs';
let scratch: string;
let sample: Sample;
let epoch: string;
/** Slices that the compiler made for the first look; later looks take these, which is quicker. */
let quickTools: string;
beforeAll(async () => {
  scratch = mkdtempSync(join(tmpdir(), 'look-test-'));
  sample = await openSample(readFileSync(builtPackage()), await openRehearsalAuthority('.rehearsal'));
  epoch = String(JSON.parse(readFileSync(join(inject('releaseFolder'), 'release.json'), 'utf8')).sourceDateEpoch);
  quickTools = join(scratch, 'tools');
  mkdirSync(quickTools);
  const keep = join(scratch, 'kept');
  mkdirSync(keep);
  // The first call of each architecture runs the linker and keeps what it made.
  tool('clang', `[ -f "${keep}/done" ] || PATH="$REAL_PATH" exec clang "$@"`);
  tool(
    'ld64.lld',
    `out=
     for word; do case $last in -o) out=$word ;; -arch) arch=$word ;; esac; last=$word; done
     [ -f "${keep}/$arch" ] || { for name in ld64.lld ld64.lld-14 ld64.lld-15 ld64.lld-16 ld64.lld-17 ld64.lld-18 ld64.lld-19; do
       PATH="$REAL_PATH" command -v "$name" >/dev/null 2>&1 && PATH="$REAL_PATH" "$name" "$@" && break
     done && cp "$out" "${keep}/$arch"; }
     cp "${keep}/$arch" "$out"; [ "$arch" != arm64 ] || : >"${keep}/done"`,
  );
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

function tool(name: string, body: string): void {
  writeFileSync(join(quickTools, name), `#!/bin/sh\nset -e\nlast=\n${body}\n`);
  chmodSync(join(quickTools, name), 0o755);
}

interface Look {
  readonly status: number;
  readonly printed: string;
}

/** Runs the look at a package, with no way to npm's packages: it must stand alone. */
function look(file: Buffer | string, ...argv: string[]): Promise<Look> {
  const path = typeof file === 'string' ? file : join(scratch, 'package.pkg');
  if (typeof file !== 'string') writeFileSync(path, file);
  const program = join(scratch, 'look', 'independent-look.mjs');
  cpSync(LOOK, program);
  const all = [program, path, '--root', resolve('.'), ...(argv.length > 0 ? argv : ['--rehearsal', '--epoch', epoch])];
  // By day what the release's own compiler was told may be what this one is told; `parts` and `prove` compile anew.
  const compiler = ofTheDay ? quickCompiler() : process.env.PATH;
  const env = { PATH: `${quickTools}:${compiler}`, REAL_PATH: compiler };
  return new Promise((done) => {
    execFile(process.execPath, all, { env, cwd: scratch }, (error, stdout, stderr) =>
      done({ status: typeof error?.code === 'number' ? error.code : 0, printed: stdout + stderr }),
    );
  });
}

describe('the independent look', () => {
  it(`finds nothing in the package as it was made, with the compiler${ofTheDay}`, async () => {
    expect(await look(builtPackage())).toEqual({ status: 0, printed: expect.stringContaining('the same: ') });
  });

  const misleading = Object.entries({
    pattern: ['*.pkg', '[a-z].pkg'],
    'two files': ['one.pkg\nother.pkg', 'one.pkg,other.pkg'],
    space: [' one.pkg', 'one.pkg '],
    folder: ['one'],
  }).flatMap(([kind, names]) => names.map((name) => ({ kind, name })));
  it.each(byDay(misleading, 0, ({ kind }) => kind))(
    `looks at no file called $name, which the attestation would take for others${ofTheDay}`,
    async ({ name }) => {
      writeFileSync(join(scratch, name), readFileSync(builtPackage()));
      const looked = await look(join(scratch, name));
      expect(looked).toEqual({ status: 2, printed: expect.stringContaining('that the path of a package may have') });
    },
  );

  it.each([
    ['guard', 'Guard'],
    ['uninstall', 'Uninstall'],
    ['request', 'Request'],
  ])('finds nothing in the %s package', async (kind, word) => {
    const path = join(inject('releaseFolder'), `extras/Escrow.Buddy.${word}-1.1.0-rehearsal.pkg`);
    expect(await look(path, '--kind', kind, '--rehearsal', '--epoch', epoch)).toMatchObject({ status: 0 });
  });

  const planted = Object.entries(PLANTED).flatMap(([part, plants]) =>
    Object.entries(plants).map(([what, [words, plant]]) => [what, { part, words, plant }] as const),
  );
  it.each(byDay(planted, 2, ([, { part }]) => part))(`finds %s${ofTheDay}`, async (_, { words, plant }) => {
    const { status, printed } = await look(await plant({ sample, epoch }));
    expect([status, printed]).toEqual([6, expect.stringMatching(words)]);
  });

  it('reads a Bom whose tree has two levels, as no package of ours has one', async () => {
    const [words, plant] = DEEP_BOM;
    const { status, printed } = await look(await plant({ sample }));
    expect([status, printed]).toEqual([6, expect.stringMatching(words)]);
    // Beside so many files it is right, to its last page.
    const right = await look(await deepPayload({ sample }));
    expect([right.status, right.printed]).toEqual([
      6,
      expect.stringMatching(/more-599 is not one of the sources make/),
    ]);
    expect(right.printed).not.toMatch(words);
  });

  it('reads records and gaps to their last byte', async () => {
    const [words, plant] = SHORT_BOM;
    expect(await look(await plant({ sample }))).toEqual({ status: 6, printed: expect.stringMatching(words) });
    // Header and two records have 48 bytes; the next one belongs to nobody.
    const gap = await inFile(
      PROGRAM,
      flipAt(() => 48),
    )({ sample, epoch });
    const printed = expect.stringContaining('slice of x86_64 does not lie where it should');
    expect(await look(gap)).toEqual({ status: 6, printed });
  });

  it('holds what the package says of its signer to a team', async () => {
    const { status, printed } = await look(builtPackage(), '--team', 'ABCDE12345', '--epoch', epoch);
    expect([status, printed]).toEqual([
      6,
      expect.stringMatching(/line \d+: "CODE_REQUIREMENT='.*H\\".*the sources make .*ABCDE12345/),
    ]);
    expect(await look(builtPackage(), '--epoch', epoch)).toMatchObject({ status: 2 });
  });

  it('begins with one package of a kind that is known, and with the tools', async () => {
    const use = { status: 2, printed: expect.stringContaining('use: independent-look.mjs PACKAGE') };
    expect(await look(builtPackage(), builtPackage())).toEqual(use);
    expect(await look(builtPackage(), '--kind', 'other')).toEqual(use);
    expect(await look(builtPackage(), '--team', 'ABCDE1234', '--epoch', epoch)).toMatchObject({ status: 2 });
    const tools = join(scratch, 'newer');
    mkdirSync(tools);
    cpSync(join(quickTools, 'clang'), join(tools, 'clang-26'));
    const argv = [LOOK, builtPackage(), '--rehearsal', '--epoch', epoch];
    for (const env of [{ PATH: tools }, {}]) {
      const found = spawnSync(process.execPath, argv, { env, encoding: 'utf8' });
      expect([found.status, found.stderr]).toEqual([2, expect.stringContaining('clang is not on PATH: install clang')]);
    }
  });

  it('is of this version, this configuration and these scripts', async () => {
    const root = join(scratch, 'root');
    mkdirSync(root);
    for (const name of ['payload', 'scripts', '.rehearsal']) symlinkSync(resolve(name), join(root, name));
    const write = (name: string, change: object) =>
      writeFileSync(join(root, name), JSON.stringify({ ...JSON.parse(readFileSync(name, 'utf8')), ...change }));
    const printed = async (...argv: string[]) =>
      (await look(builtPackage(), '--root', root, '--epoch', epoch, ...argv)).printed;
    write('release.config.json', {});
    write('package.json', { version: '2.3.4' });
    expect(await printed('--team', '1BCDE12345')).toMatch(
      /leaf\[subject\.OU\] = \\"1BCDE12345\\"[\s\S]*CFBundleVersion is "10100", the sources make "20304"/,
    );
    write('package.json', {});
    // A try of the workflows names the team of rehearsals, and nothing else has to be said.
    const { signing } = JSON.parse(readFileSync('release.config.json', 'utf8'));
    write('release.config.json', { signing: { ...signing, teamIdentifier: 'REHEARSAL0' } });
    expect(await printed()).toContain('the same: ');
    rmSync(join(root, 'scripts'));
    cpSync('scripts', join(root, 'scripts'), { recursive: true });
    appendFileSync(join(root, 'scripts/status.sh'), 'NEWER=@NEWER@\necho "$NEWER"\n');
    expect(await printed()).toContain('scripts ask for @NEWER@, which this look does not know');
  });

  it('imports nothing but modules of Node.js, and no other file', () => {
    const source = readFileSync(LOOK, 'utf8');
    const imports = [...source.matchAll(/(?:from|import|require)\s*\(?\s*'([^']+)'/g)].map(
      ([, from]) => from as string,
    );
    expect(imports.length).toBeGreaterThan(5);
    expect(imports.filter((from) => !from.startsWith('node:'))).toEqual([]);
    expect(execFileSync(process.execPath, ['--check', LOOK]).toString()).toBe('');
  });

  it('knows the program that is looked at', async () => {
    expect((await contentOf(sample.payload, PROGRAM)).length).toBeGreaterThan(10_000);
  });
});
