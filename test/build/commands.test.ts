import { appendFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { builtPackage } from '../support/built-package.ts';
import { inProcess } from '../support/in-process.ts';

let scratch: string;
beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'commands-'));
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const submission = () => JSON.parse(readFileSync(join(inject('releaseFolder'), 'release.json'), 'utf8')).submission;

describe('notarize', () => {
  it('--status says what became of a submission of another process', async () => {
    const run = await inProcess(['notarize', '--status', submission().id, '--json']);
    expect([run.status, JSON.parse(run.stdout).submission.status]).toEqual([0, 'Accepted']);
  });

  it('--wait shows verdict and log', async () => {
    const run = await inProcess(['notarize', '--wait', submission().id]);
    expect([run.status, run.stdout]).toEqual([0, expect.stringContaining('Accepted: Ready for distribution')]);
  });

  it('refuses an unknown id, no id, and a strange duration with 2', async () => {
    expect((await inProcess(['notarize', '--status', '0000'])).status).toBe(2);
    expect((await inProcess(['notarize'])).stderr).toContain('give either --status ID or --wait ID');
    expect((await inProcess(['notarize', '--wait', 'x', '--max-wait', 'long'])).stderr).toContain('such as 30m');
  });
});

describe('staple', () => {
  it('finds that the package bears its ticket', async () => {
    const copy = join(scratch, 'copy.pkg');
    cpSync(builtPackage(), copy);
    const run = await inProcess(['staple', '--trust', 'rehearsal', '--json', copy]);
    expect([run.status, JSON.parse(run.stdout).unchanged]).toEqual([0, true]);
    expect(readFileSync(copy).equals(readFileSync(builtPackage()))).toBe(true);
  });

  it('ends with 5 when there is no ticket in time', async () => {
    // A ticket names what is inside, so this one is of another time, which no notary has seen.
    const other = join(scratch, 'other');
    const env = { SOURCE_DATE_EPOCH: String(1_000_000_000 + Math.floor(Math.random() * 500_000_000)) };
    expect(
      (await inProcess(['release', '--rehearsal', '--until', 'sign-package', '--out', other], { env })).status,
    ).toBe(0);
    const guard = join(other, '1.1.0/extras/Escrow.Buddy.Guard-1.1.0-rehearsal.pkg');
    const run = await inProcess(['staple', '--trust', 'rehearsal', '--max-wait', '0s', guard]);
    expect(run.status).toBe(5);
    expect(run.stderr).toMatch(/no ticket for 2\/1\/[0-9a-f]{40} within 0 s: Record not found/);
  });
});

describe('release --resume', () => {
  it('resumes with what is there, without compiling', async () => {
    const out = join(scratch, 'resumed');
    cpSync(inject('releaseFolder'), join(out, '1.1.0'), { recursive: true });
    const [listen, close] = (['listen', 'close'] as const).map((what) => vi.spyOn(Server.prototype, what));
    // Nothing is there but git, which tells the commit.
    const bin = join(scratch, 'bin');
    mkdirSync(bin);
    const git = process.env.PATH?.split(':').find((folder) => existsSync(join(folder, 'git')));
    symlinkSync(join(git as string, 'git'), join(bin, 'git'));
    const run = await inProcess(['release', '--rehearsal', '--resume', '--out', out], {
      env: { SOURCE_DATE_EPOCH: '', PATH: bin },
    });
    // The services of a rehearsal end with it.
    expect([listen, close].map((calls) => calls?.mock.calls.length)).toEqual([1, 1]);
    vi.restoreAllMocks();
    expect(run.stderr).toMatch(
      /- +6\/10 sign-package .*✓ +7\/10 notarize .*Accepted.*✓ +8\/10 staple .*✓ +9\/10 verify .*✓ 10\/10 publish/s,
    );
    expect(run.status).toBe(0);
  });

  it('begins anew when a file was changed', async () => {
    const out = join(scratch, 'changed');
    cpSync(inject('releaseFolder'), join(out, '1.1.0'), { recursive: true });
    appendFileSync(join(out, '1.1.0/extras/Escrow.Buddy.Guard-1.1.0-rehearsal.pkg'), 'x');
    const run = await inProcess(['release', '--rehearsal', '--resume', '--out', out, '--until', 'compile']);
    expect(run.stderr).toContain('Guard-1.1.0-rehearsal.pkg is missing or was changed. All stages will run again.');
  });

  it('of nothing begins, and says so', async () => {
    const out = join(scratch, 'nothing');
    const run = await inProcess(['release', '--rehearsal', '--resume', '--out', out, '--until', 'generate-scripts']);
    expect([run.status, run.stderr]).toEqual([
      0,
      expect.stringMatching(/Nothing to resume: .*\n(.*\n)*✓ +1\/2 compile/),
    ]);
  });
});

describe('a notary key without identities', () => {
  it('is no rehearsal, and exits 2', async () => {
    const run = await inProcess(['release', '--out', join(scratch, 'half')], { env: { NOTARY_KEY: 'x' } });
    expect([run.status, run.stderr]).toEqual([
      2,
      expect.stringContaining('a notary key is set, but no signing identity'),
    ]);
  });
});

describe('doctor explain', () => {
  it('says what is meant, who must act and what comes next', async () => {
    const run = await inProcess(['doctor', 'explain', 'Escrow Buddy.bundle: errSecInternalComponent']);
    expect([run.status, run.stdout]).toEqual([
      0,
      expect.stringMatching(/means .*\n {2}who .*\n {2}next .*\n {2}run .*\n {2}file /),
    ]);
  });

  it('shows what nobody knows as it is, with what is like it, and exits 6', async () => {
    const run = await inProcess(['doctor', 'explain', 'The staple and verify action did not work']);
    expect([run.status, run.stdout]).toEqual([
      6,
      expect.stringMatching(/^Not known:\nThe staple [\s\S]*Not the same, but like it:[\s\S]*stapler: \w+\n/),
    ]);
    const json = await inProcess(['doctor', 'explain', '--json', 'The staple and verify action did not work']);
    const { known, nearest } = JSON.parse(json.stdout);
    expect([json.status, known, nearest[0].tool]).toEqual([6, [], 'stapler']);
    expect((await inProcess(['doctor', 'explain', 'x', '--tool', 'nothing'])).status).toBe(2);
  });
});
