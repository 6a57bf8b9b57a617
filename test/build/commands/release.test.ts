import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { type Manifest, readManifest, writeManifest } from '../../../build/plan/manifest.ts';
import { writeRecord } from '../../../build/signing/record.ts';
import { inProcess } from '../../support/in-process.ts';

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'release-'));
  for (const path of ['payload', 'scripts', 'package.json', 'package-lock.json', 'CHANGELOG.md'])
    cpSync(path, join(root, path), { recursive: true });
  cpSync('.rehearsal/authority', join(root, '.rehearsal/authority'), { recursive: true });
});
beforeEach(() => {
  configure();
  rmSync(join(root, 'out'), { recursive: true, force: true });
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

function configure(signing: object = {}): void {
  const config = JSON.parse(readFileSync('release.config.json', 'utf8'));
  Object.assign(config.signing, signing);
  writeFileSync(join(root, 'release.config.json'), JSON.stringify(config));
}
const run = (argv: string[], env: NodeJS.ProcessEnv = {}) => inProcess(argv, { cwd: root, env });
const short = (...more: string[]) => ['release', '--until', 'generate-scripts', ...more];
const KEY = { NOTARY_KEY: 'x', NOTARY_KEY_ID: 'x', NOTARY_ISSUER_ID: 'x' };
const manifest = () => JSON.parse(readFileSync(join(root, 'out/1.1.0/release.json'), 'utf8'));
const stages = () => manifest().stages.map(({ name }: { name: string }) => name);

describe('what a run is to be', () => {
  it('is a rehearsal where nothing is set, and where it is asked for, whatever is set', async () => {
    expect((await run(short())).status).toBe(0);
    expect([manifest().mode, stages()]).toEqual(['rehearsal', ['compile', 'generate-scripts']]);
    rmSync(join(root, 'out'), { recursive: true });
    const half = await run(short(), KEY);
    expect([half.status, half.stderr]).toEqual([
      2,
      expect.stringContaining('a notary key is set, but no signing identity'),
    ]);
    expect((await run(short('--rehearsal'), KEY)).status).toBe(0);
    expect(manifest().mode).toBe('rehearsal');
  });

  it('is a release or nothing where that is demanded, or a team is configured', async () => {
    const named = /missing: APPLICATION_P12_BASE64, APPLICATION_P12_PASSWORD, /;
    const demanded = await run(short('--release'));
    expect([demanded.status, demanded.stderr]).toEqual([2, expect.stringMatching(named)]);
    // Who ends before the notary needs no key of it.
    expect(demanded.stderr).not.toContain('NOTARY_KEY');
    for (const until of [[], ['--until', 'notarize'], ['--until', 'publish']])
      expect((await run(['release', '--release', ...until])).stderr).toMatch(/missing: .*NOTARY_KEY/);
    configure({ teamIdentifier: 'ABCDE12345' });
    expect((await run(short())).stderr).toMatch(named);
    expect((await run(short('--rehearsal'))).status).toBe(0);
  });

  it('is called a rehearsal in its names, but where the configuration itself says so', async () => {
    const names = async () => {
      const { status, stderr } = await run(['release', '--until', 'build-package']);
      expect(status, stderr).toBe(0);
      return manifest()
        .files.map(({ path }: { path: string }) => path)
        .find((path: string) => /Buddy-/.test(path));
    };
    expect(await names()).toBe('Escrow.Buddy-1.1.0-rehearsal.pkg');
    rmSync(join(root, 'out'), { recursive: true });
    configure({ teamIdentifier: 'REHEARSAL0' });
    expect(await names()).toBe('Escrow.Buddy-1.1.0.pkg');
  });
});

describe('before the first stage', () => {
  it('everything is looked at that the run needs', async () => {
    const script = join(root, 'scripts/status.sh');
    rmSync(script);
    const [build, release] = [await run(['build']), await run(['release'])];
    cpSync('scripts/status.sh', script);
    for (const { status, stderr } of [build, release]) {
      expect([status, stderr]).toEqual([2, expect.stringContaining('status.sh')]);
      expect(stderr).not.toContain('compile ');
    }
    // The compiler too, where there is none.
    for (const command of ['build', 'release']) {
      const { status, stderr } = await run([command], { PATH: join(root, 'none') });
      expect([command, status, stderr]).toEqual([command, 3, expect.stringContaining('clang is not on PATH')]);
      expect(stderr).not.toContain('compile ');
    }
    expect(existsSync(join(root, 'out'))).toBe(false);
  });

  it('it is said what is replaced, and only then', async () => {
    expect((await run(short())).stderr).not.toContain('Replaces');
    const again = await run(short());
    expect([again.status, again.stderr]).toEqual([
      0,
      expect.stringMatching(/Replaces the unfinished rehearsal 1\.1\.0 /),
    ]);
  });

  it('release.json must be a file', async () => {
    mkdirSync(join(root, 'out/1.1.0/release.json'), { recursive: true });
    const { status, stderr } = await run(short('--replace'));
    expect([status, stderr]).toEqual([2, expect.stringContaining('release.json')]);
    expect(stderr).not.toContain('compile ');
  });
});

describe('what was compiled before', () => {
  it('is kept and taken again by a rehearsal on a machine of somebody, and never where CI runs', async () => {
    const kept = join(root, '.build/compiled');
    for (const [CI, isKept] of [
      ['true', false],
      ['', true],
      [undefined, true],
    ] as const) {
      rmSync(kept, { recursive: true, force: true });
      expect((await run(short('--replace'), { CI })).status).toBe(0);
      expect([CI, existsSync(kept)]).toEqual([CI, isKept]);
    }
  });
});

describe('recorded signatures', () => {
  const record = async (mode: 'release' | 'rehearsal') => {
    const path = join(root, 'record.json');
    await writeRecord(path, { mode, signingTime: 1, application: null, installer: null });
    return path;
  };

  it('must be those of both keys', async () => {
    const found = await run(short('--signatures', await record('rehearsal')));
    expect([found.status, found.stderr]).toEqual([
      2,
      expect.stringContaining('does not hold the signatures of both keys'),
    ]);
    expect((await run(short('--signatures', join(root, 'none.json')))).status).toBe(2);
    expect(existsSync(join(root, 'out'))).toBe(false);
  });
});

describe('build', () => {
  it('makes the unsigned package, and is no release that can be resumed', async () => {
    const built = await run(['build', '--json']);
    expect([built.status, JSON.parse(built.stdout).mode, stages().at(-1)]).toEqual([0, 'build', 'build-package']);
    const { status, stderr } = await run(short('--resume', '--replace'));
    expect([status, stderr]).toEqual([
      0,
      expect.stringContaining(
        'Nothing of the earlier run can be used: it was not a release. All stages will run again.',
      ),
    ]);
    expect(manifest().mode).toBe('rehearsal');
  });
});

describe('an earlier run', () => {
  /** Puts the release of this run of the tests where it is resumed, as one of a mode. */
  async function earlier(change: Partial<Manifest>): Promise<void> {
    const folder = join(root, 'out/1.1.0');
    cpSync(inject('releaseFolder'), folder, { recursive: true });
    const found = (await readManifest(folder)) as Manifest;
    // Here is no repository.
    await writeManifest(folder, { ...found, commit: null, ...change });
  }
  const resume = (...more: string[]) => ['release', '--resume', '--until', 'sign-package', ...more];
  const ALL = 'All stages will run again';

  it.each<[string, Manifest['mode'], string[], NodeJS.ProcessEnv, object, RegExp | null]>([
    ['a rehearsal, where nothing is set', 'rehearsal', [], {}, {}, null],
    ['a rehearsal, where one is asked for', 'rehearsal', ['--rehearsal'], KEY, {}, null],
    ['a rehearsal, where a key of the notary is set', 'rehearsal', [], KEY, {}, /was a rehearsal\. .*, as a release/],
    [
      'a rehearsal, where a team is configured',
      'rehearsal',
      [],
      {},
      { teamIdentifier: 'ABCDE12345' },
      /was a rehearsal\. .*, as a release/,
    ],
    [
      'a rehearsal, where a release is demanded',
      'rehearsal',
      ['--release'],
      {},
      {},
      /was a rehearsal\. .*, as a release/,
    ],
    [
      'a release, where a rehearsal is demanded',
      'release',
      ['--rehearsal'],
      {},
      {},
      /was a release\. .*, as a rehearsal/,
    ],
    ['a release, where nothing is set', 'release', [], {}, {}, null],
    ['of a project that only rehearses', 'rehearsal', [], {}, { teamIdentifier: 'REHEARSAL0' }, null],
  ])('%s', async (_, mode, argv, env, signing, words) => {
    configure(signing);
    await earlier({ mode });
    const { status, stderr } = await run(resume(...argv), env);
    if (words) {
      expect(stderr).toMatch(words);
      expect(stderr).toContain(ALL);
    } else {
      expect([status, stderr]).toEqual([
        0,
        expect.stringMatching(/- +\d\/\d compile .*\n(.*\n)*- +\d\/\d sign-package /),
      ]);
      expect(stderr).not.toMatch(/Replaces|will run again/);
    }
  });

  it('of which a package is missing, or that has signed none, is none', async () => {
    await earlier({ stages: [] });
    expect((await run(resume('--until', 'generate-scripts', '--replace'))).stderr).toContain(
      'Nothing of the earlier run can be used: the package was not signed yet. All stages will run again.',
    );
  });

  it('that is not there is said', async () => {
    const { stderr } = await run(short('--resume'));
    expect(stderr).toMatch(/Nothing to resume: \S+ holds no release\.json\. All stages will run\./);
  });
});
