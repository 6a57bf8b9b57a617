import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { MANIFEST_SCHEMA } from '../../../build/plan/manifest.ts';
import { inProcess } from '../../support/in-process.ts';

let scratch: string;
beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'release-'));
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

describe('npm start', () => {
  it('signs for a rehearsal where no identity is set, and says so wherever it matters', async () => {
    const folder = inject('releaseFolder');
    const manifest = MANIFEST_SCHEMA.parse(JSON.parse(readFileSync(join(folder, 'release.json'), 'utf8')));
    expect(manifest.mode).toBe('rehearsal');
    expect(manifest.package).toMatchObject({
      signer: expect.stringContaining('trusted by no Mac'),
      teamIdentifier: 'REHEARSAL0',
      timestamp: expect.stringMatching(/^20\d\d-.*Z$/),
    });
    const run = await inProcess(['release', '--rehearsal', '--until', 'verify', '--out', join(scratch, 'rehearsal')]);
    expect(run.status).toBe(0);
    expect(run.stderr).toMatch(/This is a rehearsal: .* No Mac trusts the package\./);
    expect(run.stderr).toMatch(/sign-code .*trusted by no Mac.*\n(.*\n)*.*sign-package .*trusted by no Mac/);
    expect(run.stderr).toMatch(/verify .* no Mac trusts it/);
    expect(run.stdout).toMatch(/mode +rehearsal: no Mac trusts it/);
  });

  it('replaces an earlier release only when asked, and takes away what that one said of its packages', async () => {
    const folder = join(scratch, 'earlier/1.1.0');
    cpSync(inject('releaseFolder'), folder, { recursive: true });
    expect((await inProcess(['build', '--out', join(scratch, 'earlier')])).status).toBe(2);
    expect((await inProcess(['build', '--out', join(scratch, 'earlier'), '--replace'])).status).toBe(0);
    expect(readdirSync(folder).sort()).toEqual(['Escrow.Buddy-1.1.0.pkg', 'extras', 'release.json']);
  });

  it('stops after the stage named by --until', async () => {
    const run = await inProcess([
      'release',
      '--rehearsal',
      '--until',
      'compile',
      '--json',
      '--out',
      join(scratch, 'until'),
    ]);
    expect(run.status).toBe(0);
    expect(JSON.parse(run.stdout).stages.map((stage: { name: string }) => stage.name)).toEqual(['compile']);
    expect(readdirSync(join(scratch, 'until/1.1.0'))).toEqual(['release.json']);
  });
});
