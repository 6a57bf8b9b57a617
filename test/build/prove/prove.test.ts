import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { builtPackage } from '../../support/built-package.ts';
import { ofTheDay } from '../../support/by-day.ts';
import { cli, placeCommandLine } from '../../support/cli.ts';
import { inProcess } from '../../support/in-process.ts';

let scratch: string;
let sourceDateEpoch: string;
const { PATH } = process.env;
beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'proof-'));
  const release = readFileSync(join(inject('releaseFolder'), 'release.json'), 'utf8');
  sourceDateEpoch = String(JSON.parse(release).sourceDateEpoch);
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** Puts the sources, the command line and the rehearsal's authority into a folder of their own. */
function checkoutAt(folder: string): string {
  const parts = ['build', 'src', 'payload', 'scripts', 'package.json', 'package-lock.json', 'release.config.json'];
  for (const part of [...parts, '.rehearsal']) cpSync(part, join(folder, part), { recursive: true });
  placeCommandLine(folder);
  return folder;
}

/** Runs as somebody else: nobody, whom every system has. */
const asNobody = process.getuid?.() === 0;
const note = asNobody ? '' : ' (skipped: needs root)';

/** What must not show in the bytes. */
const SURROUNDINGS = { TZ: 'Pacific/Chatham', LC_ALL: 'C' };
const ELSEWHERE = ['-c', 'umask 077; exec "$0" .build/cli.mjs "$@"', process.execPath];

describe(`prove${ofTheDay}`, () => {
  it('finds the release and its extra packages equal to what the sources make', async () => {
    const guard = join(inject('releaseFolder'), 'extras/Escrow.Buddy.Guard-1.1.0-rehearsal.pkg');
    const env = { SOURCE_DATE_EPOCH: sourceDateEpoch };
    // The program as it ships is asked once: below, where it can be asked as somebody else.
    for (const [path, command] of [
      [builtPackage(), asNobody ? inProcess : cli] as const,
      [guard, inProcess] as const,
    ]) {
      const run = await command(['prove', path, '--trust', 'rehearsal', '--json'], { env });
      const document = JSON.parse(run.stdout);
      expect(document.checks.filter(({ status }: { status: string }) => status === 'fail')).toEqual([]);
      expect(document.checks.map(({ id }: { id: string }) => id)).toContain('rebuilt-whole');
      expect([document.proven, run.status]).toEqual([true, 0]);
    }
  });

  // By day one of these two compiles anew, as somebody else where that can be played.
  it.each(asNobody && ofTheDay ? [] : ['another folder, time zone and umask'])(
    'finds a release equal that %s made',
    async () => {
      const copy = checkoutAt(join(scratch, 'another folder'));
      const env = { PATH, HOME: copy, SOURCE_DATE_EPOCH: '1700000000', ...SURROUNDINGS };
      const words = ['release', '--rehearsal', '--json', '--out', 'results'];
      const made = spawnSync('sh', [...ELSEWHERE, ...words], { cwd: copy, env, encoding: 'utf8' });
      const { version, files } = JSON.parse(made.stdout);
      const path = join(copy, 'results', version, files[0].path);
      const run = await inProcess(['prove', path, '--source', process.cwd(), '--trust', 'rehearsal'], {
        env: { SOURCE_DATE_EPOCH: '1700000000' },
      });
      expect(run.stdout).toMatch(/pass +rebuilt-whole\n/);
      expect([run.stdout.trim().split('\n').at(-1), run.status]).toEqual([expect.stringMatching(/^PROVEN: /), 0]);
    },
  );

  it.skipIf(!asNobody)(`finds the release equal as another user, from that one's own checkout${note}`, () => {
    const home = mkdtempSync(join(tmpdir(), 'proof of nobody '));
    checkoutAt(home);
    const path = join(home, basename(builtPackage()));
    cpSync(builtPackage(), path);
    expect(spawnSync('chown', ['-R', '65534:65534', home]).status).toBe(0);
    const run = spawnSync('sh', [...ELSEWHERE, 'prove', path, '--trust', 'rehearsal', '--json'], {
      ...{ cwd: home, uid: 65534, gid: 65534, encoding: 'utf8' },
      env: { PATH, HOME: home, SOURCE_DATE_EPOCH: sourceDateEpoch, ...SURROUNDINGS },
    });
    rmSync(home, { recursive: true });
    const { checks, proven, source } = JSON.parse(run.stdout);
    expect(checks).toContainEqual(expect.objectContaining({ id: 'rebuilt-whole', status: 'pass' }));
    expect([proven, source, run.status]).toEqual([true, home, 0]);
  });

  it('says of a package that was signed for another time that the time differs', async () => {
    const later = await inProcess(['prove', builtPackage(), '--trust', 'rehearsal', '--json'], {
      env: { SOURCE_DATE_EPOCH: String(Number(sourceDateEpoch) + 1) },
    });
    const failed = JSON.parse(later.stdout).checks.filter(({ status }: { status: string }) => status === 'fail');
    expect([failed.map(({ id }: { id: string }) => id), later.status]).toEqual([['rebuilt-time'], 6]);
  });
});
