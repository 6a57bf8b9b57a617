import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
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
    expect((await run(['release', '--release'])).stderr).toMatch(/missing: .*NOTARY_KEY/);
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
  it('that is not there is said', async () => {
    const { stderr } = await run(short('--resume'));
    expect(stderr).toMatch(/Nothing to resume: \S+ holds no release\.json\. All stages will run\./);
  });
});
