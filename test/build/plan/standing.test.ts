import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, inject, it } from 'vitest';
import { readConfig } from '../../../build/plan/config.ts';
import { MANIFEST_SCHEMA, type Manifest } from '../../../build/plan/manifest.ts';
import type { Plan } from '../../../build/plan/plan.ts';
import { demandRoom } from '../../../build/plan/standing.ts';
import { STAGES, type StageName } from '../../../build/run.ts';
import { withFile } from '../../../src/base/with-file.ts';
import { signPackage } from '../../../src/package/sign-product.ts';
import { localSigner } from '../../../src/pki/identity/signer.ts';
import { tokenMaker } from '../../mutation/signing.ts';
import { sharedAuthority } from '../../rehearsal/shared-authority.ts';
import { builtPackage } from '../../support/built-package.ts';

const scratch = mkdtempSync(join(tmpdir(), 'standing-'));
afterAll(() => rmSync(scratch, { recursive: true }));
let count = 0;

const finished = (): Manifest =>
  MANIFEST_SCHEMA.parse(JSON.parse(readFileSync(join(inject('releaseFolder'), 'release.json'), 'utf8')));

/** What an earlier run of a mode left: all stages up to one, and what became of its submission. */
function left(mode: Manifest['mode'], last: StageName, submission: string | null): Manifest {
  const done = STAGES.slice(0, STAGES.indexOf(last) + 1);
  const whole = finished();
  const signer = done.includes('sign-package') ? 'Somebody' : null;
  return {
    ...whole,
    mode,
    stages: done.map((name) => ({ name, seconds: 0, outcome: 'done' })),
    package: done.includes('build-package') && whole.package ? { ...whole.package, signer } : null,
    submission: submission === null ? null : { id: 'ID', status: submission, submittedAt: '2026-01-01T00:00:00Z' },
    extras: [],
  };
}

async function planWith(content: Manifest | string | null, files: readonly string[] = []): Promise<Plan> {
  const outFolder = join(scratch, String(count++));
  mkdirSync(outFolder);
  const text = typeof content === 'string' ? content : JSON.stringify(content);
  if (content !== null) writeFileSync(join(outFolder, 'release.json'), text);
  for (const name of files) writeFileSync(join(outFolder, name), '');
  return { outFolder, version: '1.1.0', config: await readConfig('.') } as Plan;
}

const commandWith = (...options: string[]) => `again ${options.join(' ')}`;
const outcome = async (plan: Plan, mode: Manifest['mode'], replace: boolean) => {
  try {
    return ((await demandRoom(plan, { mode, replace, commandWith })) ?? 'room').replace(plan.outFolder, 'F');
  } catch (error) {
    return (error as { code: string }).code;
  }
};

describe('demandRoom', () => {
  it.each<[string, Manifest['mode'], StageName, string | null, Manifest['mode'], string, string]>([
    // what, left by, up to, submission, new run, without --replace, with it
    [
      'a finished release',
      'release',
      'publish',
      'Accepted',
      'release',
      'OUT_HOLDS_RELEASE',
      'the finished release 1.1.0 in F',
    ],
    ['a finished release', 'release', 'publish', 'Accepted', 'rehearsal', 'OUT_HOLDS_RELEASE', 'OUT_HOLDS_RELEASE'],
    ['a finished release', 'release', 'publish', 'Accepted', 'build', 'OUT_HOLDS_RELEASE', 'OUT_HOLDS_RELEASE'],
    [
      'a release of which nothing is signed',
      'release',
      'compile',
      null,
      'build',
      'OUT_HOLDS_RELEASE',
      'OUT_HOLDS_RELEASE',
    ],
    [
      'a submitted release',
      'release',
      'sign-package',
      'In Progress',
      'release',
      'OUT_HOLDS_SUBMISSION',
      'the unfinished release 1.1.0 (done up to sign-package), which the notary has as submission ID in F',
    ],
    [
      'a submitted rehearsal',
      'rehearsal',
      'staple',
      'Accepted',
      'rehearsal',
      'OUT_HOLDS_SUBMISSION',
      'the unfinished rehearsal 1.1.0 (done up to staple), which the notary has as submission ID in F',
    ],
    [
      'an upload that was begun',
      'release',
      'sign-package',
      'Uploading',
      'release',
      'OUT_HOLDS_SUBMISSION',
      'the unfinished release 1.1.0 (done up to sign-package), which the notary has as submission ID in F',
    ],
    [
      'a finished rehearsal',
      'rehearsal',
      'publish',
      'Accepted',
      'build',
      'OUT_HOLDS_SIGNED',
      'the finished rehearsal 1.1.0 in F',
    ],
    [
      'a signed rehearsal',
      'rehearsal',
      'sign-package',
      null,
      'build',
      'OUT_HOLDS_SIGNED',
      'the unfinished rehearsal 1.1.0 (done up to sign-package) in F',
    ],
  ])(
    '%s of mode %s, done up to %s, submission %s, is replaced by a %s only when asked',
    async (_, by, last, submission, mode, refused, replaced) => {
      const plan = await planWith(left(by, last, submission));
      expect([await outcome(plan, mode, false), await outcome(plan, mode, true)]).toEqual([refused, replaced]);
    },
  );

  it.each<[Manifest['mode'], StageName, string | null, Manifest['mode'], string]>([
    ['rehearsal', 'publish', 'Accepted', 'rehearsal', 'the finished rehearsal 1.1.0 in F'],
    ['rehearsal', 'publish', 'Accepted', 'release', 'the finished rehearsal 1.1.0 in F'],
    ['build', 'build-package', null, 'build', 'the finished unsigned build 1.1.0 in F'],
    ['release', 'sign-package', 'Invalid', 'release', 'the unfinished release 1.1.0 (done up to sign-package) in F'],
    ['release', 'compile', null, 'release', 'the unfinished release 1.1.0 (done up to compile) in F'],
  ])(
    'a %s done up to %s with submission %s gives way to a %s, which says so',
    async (by, last, submission, mode, words) => {
      expect(await outcome(await planWith(left(by, last, submission)), mode, false)).toBe(words);
    },
  );

  it('is there where nothing is', async () => {
    expect(await outcome(await planWith(null), 'release', false)).toBe('room');
    const inAFile = await planWith(null, ['file']);
    expect(await outcome({ ...inAFile, outFolder: join(inAFile.outFolder, 'file') }, 'build', false)).toBe('room');
  });

  it('lets pass what nobody foresaw, such as a name that is too long', async () => {
    const plan = await planWith(null);
    const outFolder = join(plan.outFolder, 'x'.repeat(300));
    expect(await outcome({ ...plan, outFolder }, 'build', false)).toBe('ENAMETOOLONG');
  });

  it('is refused while any package is with the notary, which those that it refused are not', async () => {
    const extra = (status: string) => ({
      path: 'extras/guard.pkg',
      submission: { id: 'EXTRA', status, submittedAt: '2026-01-01T00:00:00Z' },
      ticket: null,
    });
    const standing = (status: string | null, extras: string[]) =>
      planWith({ ...left('release', 'sign-package', status), extras: extras.map(extra) });
    const waits = await standing('Rejected', ['Invalid', 'In Progress']);
    expect(await outcome(waits, 'release', false)).toBe('OUT_HOLDS_SUBMISSION');
    expect(await outcome(waits, 'release', true)).toContain('has as submission EXTRA');
    expect(await outcome(await standing('Rejected', ['Invalid']), 'release', false)).toMatch(/^the unfinished release/);
    const both = await standing('In Progress', ['In Progress']);
    expect(await outcome(both, 'release', true)).toContain('has as submission ID in');
    const { extras: _, ...old } = left('release', 'sign-package', null);
    expect(await outcome(await planWith(old), 'release', false)).toMatch(/^the unfinished release/);
  });

  it('says how far a run came, by what is done and not by what failed', async () => {
    const stages = (...outcomes: ('done' | 'failed' | 'skipped')[]) =>
      planWith({
        ...left('build', 'compile', null),
        stages: outcomes.map((outcome, at) => ({ name: STAGES[at] as string, seconds: 0, outcome })),
      });
    expect(await outcome(await stages(), 'build', false)).toBe(
      'the unfinished unsigned build 1.1.0 (no stage done) in F',
    );
    expect(await outcome(await stages('failed'), 'build', false)).toContain('(no stage done)');
    expect(await outcome(await stages('done', 'done', 'failed'), 'build', false)).toContain(
      '(done up to generate-scripts)',
    );
    const failed = await stages('done', 'done', 'done', 'done', 'failed');
    expect(await outcome(failed, 'build', false)).toMatch(/^the unfinished unsigned build/);
    expect(await outcome(await planWith(left('rehearsal', 'build-package', null)), 'release', false)).toMatch(
      /^the unfinished rehearsal/,
    );
    expect(await outcome(await planWith(left('release', 'verify', 'Invalid')), 'release', false)).toMatch(
      /^the unfinished release/,
    );
  });

  it('is left to an unsigned build by packages that nobody signed', async () => {
    const plan = await planWith(left('rehearsal', 'build-package', null));
    expect(await outcome(plan, 'build', false)).toBe('the unfinished rehearsal 1.1.0 (done up to build-package) in F');
    const before = await planWith({ ...left('rehearsal', 'compile', null), package: null });
    expect(await outcome(before, 'build', false)).toBe('the unfinished rehearsal 1.1.0 (done up to compile) in F');
  });

  it('is refused by what nobody can tell: a broken release.json, a package that was put there', async () => {
    const broken = await planWith('{"schema": 2}');
    const foreign = await planWith(null, ['Escrow.Buddy-1.1.0.pkg']);
    for (const plan of [broken, foreign]) {
      expect(await outcome(plan, 'build', false)).toBe('OUT_HOLDS_FILES');
      expect(await outcome(plan, 'build', true)).not.toBe('OUT_HOLDS_FILES');
    }
  });

  it('is refused by a package with a signature that is no rehearsal, whatever was asked, to all but a release', async () => {
    const plan = await planWith(null);
    const { certificate, privateKey } = (await sharedAuthority()).members.timestamp;
    const identity = { certificate, chain: [certificate], signer: localSigner(privateKey) };
    const signing = { identity, signingTime: new Date(), timestamp: tokenMaker(await sharedAuthority()) };
    const published = join(plan.outFolder, 'Escrow.Buddy-1.1.0.pkg');
    await withFile(builtPackage(), (access) => signPackage(access, published, signing));
    for (const [mode, expected] of [
      ['build', 'OUT_HOLDS_RELEASE'],
      ['rehearsal', 'OUT_HOLDS_RELEASE'],
      ['release', 'F/Escrow.Buddy-1.1.0.pkg'],
    ] as const) {
      expect(await outcome(plan, mode, true)).toBe(expected);
    }
    // Where release.json tells of the release, it is the one that is named.
    writeFileSync(join(plan.outFolder, 'release.json'), JSON.stringify(left('release', 'publish', 'Accepted')));
    const refusal = demandRoom(plan, { mode: 'build', replace: true, commandWith });
    await expect(refusal).rejects.toThrow(
      /holds the finished release 1\.1\.0; an unsigned build never takes its place$/,
    );
    rmSync(join(plan.outFolder, 'release.json'));
    copyFileSync(builtPackage(), published);
    expect(await outcome(plan, 'rehearsal', true)).toBe('F/Escrow.Buddy-1.1.0.pkg');
  });

  it('names the commands to choose from, the one that keeps what is there last', async () => {
    const plan = await planWith(left('release', 'sign-package', 'In Progress'));
    const error = await demandRoom(plan, { mode: 'release', replace: false, commandWith }).catch((caught) => caught);
    expect(error.hint).toBe(
      'To begin anew in its place: again --replace\n      To keep it and run what is left: again --resume',
    );
    // An unsigned build has nothing to resume.
    const signed = await planWith(left('rehearsal', 'sign-package', null));
    const refusal = await demandRoom(signed, { mode: 'build', replace: false, commandWith }).catch((caught) => caught);
    expect(refusal.hint).toBe('To begin anew in its place: again --replace');
  });
});
