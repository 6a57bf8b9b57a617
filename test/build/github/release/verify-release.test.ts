import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { attestationPauses } from '../../../../build/github/release/verify-release.ts';
import { placeGh } from '../../../github/fake-gh.ts';
import { sha256 } from '../../../support/file-digest.ts';
import { inProcess } from '../../../support/in-process.ts';
import { verdicts } from './verdicts.ts';

const COMMIT = 'c'.repeat(40);
const PACKAGE = 'Escrow.Buddy-1.1.0-rehearsal.pkg';
let scratch: string;
/** State of the stand-in for GitHub after a good publication. */
let published: string;
beforeAll(async () => {
  scratch = mkdtempSync(join(tmpdir(), 'verify-release-'));
  published = join(scratch, 'published');
  mkdirSync(published);
  cpSync(inject('releaseFolder'), join(scratch, 'finished'), { recursive: true });
  writeFileSync(join(scratch, 'EscrowBuddy.intoto.jsonl'), '{}\n');
  writeFileSync(join(scratch, 'smoke-verdicts.jsonl'), verdicts(join(scratch, 'finished')));
  const later = [
    '--bundle',
    join(scratch, 'EscrowBuddy.intoto.jsonl'),
    '--verdicts',
    join(scratch, 'smoke-verdicts.jsonl'),
  ];
  const run = await github(published, ['publish', '--folder', join(scratch, 'finished'), ...later]);
  expect(run.status, run.stderr).toBe(0);
  const state = read(published);
  const digests = state.releases[0].assets.map(({ digest }: { digest: string }) => digest.slice('sha256:'.length));
  state.attested = Object.fromEntries(digests.map((digest: string) => [digest, COMMIT]));
  state.described = { [digests[0]]: COMMIT };
  write(published, state);
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const read = (state: string) => JSON.parse(readFileSync(join(state, 'github.json'), 'utf8'));
const write = (state: string, value: object) => writeFileSync(join(state, 'github.json'), JSON.stringify(value));

async function github(state: string, argv: readonly string[], more: NodeJS.ProcessEnv = {}) {
  const bin = join(state, 'bin');
  await placeGh(bin, state);
  const env = {
    GITHUB_REPOSITORY: 'rehearsal.invalid/escrow-buddy',
    GITHUB_SHA: COMMIT,
    GH_TOKEN: 'token',
    PATH: `${bin}:${process.env.PATH}`,
    ...more,
  };
  return inProcess(['github', ...argv], { env });
}

/** Verifies a copy of the published release after `change`; returns the checks that failed, with their reasons. */
async function verified(change: (at: { state: any; folder: string }) => void, ...argv: string[]) {
  const copy = mkdtempSync(join(scratch, 'copy-'));
  cpSync(published, copy, { recursive: true });
  const state = read(copy);
  change({ state, folder: join(copy, 'assets', String(state.releases[0].id)) });
  write(copy, state);
  const run = await github(copy, ['verify-release', 'v1.1.0', '--wait', '0', '--json', ...argv]);
  const { checks } = JSON.parse(run.stdout) as { checks: { id: string; status: string; reason: string }[] };
  const failed = Object.fromEntries(checks.filter(({ status }) => status === 'fail').map((c) => [c.id, c.reason]));
  const calls: string[][] = read(copy).calls;
  return { status: run.status, checks, failed, calls };
}

/** Replaces an asset as somebody could who also has the attestations of what they uploaded. */
function replace({ state, folder }: { state: any; folder: string }, name: string, edit: (text: string) => string) {
  const path = join(folder, name);
  writeFileSync(path, edit(readFileSync(path, 'utf8')));
  const asset = state.releases[0].assets.find((candidate: { name: string }) => candidate.name === name);
  Object.assign(asset, { digest: `sha256:${sha256(path)}`, size: statSync(path).size });
  state.attested[sha256(path)] = COMMIT;
}

describe('github verify-release', () => {
  it('passes what was published, by ten checks', async () => {
    const { status, checks, failed, calls } = await verified(
      () => undefined,
      '--expect',
      sha256(join(scratch, 'finished', PACKAGE)),
    );
    expect(failed).toEqual({});
    expect(status).toBe(0);
    expect(checks.map(({ id }) => id)).toEqual([
      'assets',
      'digests',
      'sums',
      'smoke',
      'provenance',
      'sbom-attestation',
      'release-attestation',
      'package',
      'report',
      'sbom',
    ]);
    // Whose workflow, of which branch, from which commit, on whose machine: without one of these words another's attestation would do.
    const repository = 'rehearsal.invalid/escrow-buddy';
    const from = ['--repo', repository, '--signer-workflow', `${repository}/.github/workflows/release.yml`, '--source-ref', 'refs/heads/main'];
    const made = [...from, '--source-digest', COMMIT, '--deny-self-hosted-runners'];
    const attested = calls.filter(([command]) => command === 'attestation');
    const names = read(published).releases[0].assets.map(({ name }: { name: string }) => name);
    const wanted = names.filter((name: string) => name !== 'EscrowBuddy.intoto.jsonl');
    expect(attested.map(([, verb, path = '', ...words]) => [verb, path.slice(path.lastIndexOf('/') + 1), ...words])).toEqual([
      ...wanted.map((name: string) => ['verify', name, ...made]),
      ['verify', PACKAGE, ...made, '--predicate-type', 'https://cyclonedx.org/bom'],
    ]);
    expect(calls).toContainEqual(['release', 'verify', 'v1.1.0', '--repo', repository]);
  }); // biome-ignore format: short

  it('finds an asset less, and one and an SBOM that nobody attested', async () => {
    const { status, failed } = await verified(({ state, folder }) => {
      state.releases[0].assets.splice(1, 1);
      delete state.attested[sha256(join(folder, 'notary-log.json'))];
      state.described = {};
    });
    expect(status).toBe(6);
    expect(failed).toEqual({
      assets: 'missing for a release: EscrowBuddy-1.1.0-rehearsal-mdm-kit.zip',
      provenance: expect.stringContaining('no matching attestations'),
      'sbom-attestation': expect.stringContaining('no matching attestations'),
    });
  });

  it('finds an asset more, and one that is not what GitHub lists', async () => {
    const { failed } = await verified(({ state, folder }) => {
      writeFileSync(join(folder, 'notes.txt'), 'x');
      const digest = sha256(join(folder, 'notes.txt'));
      state.releases[0].assets.push({ name: 'notes.txt', state: 'uploaded', size: 1, digest: `sha256:${digest}` });
      writeFileSync(join(folder, 'release.json'), '{}');
    });
    expect(failed).toEqual({
      assets: 'no asset of a release: notes.txt',
      digests: expect.stringContaining('release.json: sha256'),
      sums: expect.stringContaining('notes.txt: sha256'),
      // Whose team the package is stands in release.json.
      smoke: expect.stringContaining('release.json'),
      provenance: expect.stringContaining('no matching attestations'),
    });
  });

  it('finds a report and an SBOM of another package, with sums of their own, and a package that is not the finished one', async () => {
    const change = (at: { state: any; folder: string }) => {
      const swap = (text: string) => text.replace(/("(?:tocDigest|content)": ")[0-9a-f]{8}/, '$100000000');
      for (const name of ['verify-report.json', 'EscrowBuddy.cdx.json']) {
        const old = sha256(join(at.folder, name));
        replace(at, name, swap);
        replace(at, 'SHA256SUMS', (text) => text.replace(old, sha256(join(at.folder, name))));
      }
    };
    expect((await verified(change, '--expect', '0'.repeat(64))).failed).toEqual({
      digests: expect.stringContaining('finished was 0000'),
      report: expect.stringContaining('it is about another package'),
      sbom: expect.stringContaining('it is of another package'),
    });
  });

  it('finds what a Mac said of another package', async () => {
    const { failed } = await verified((at) =>
      replace(at, 'smoke-verdicts.jsonl', (text) => text.replace(/"sha256":"[0-9a-f]{8}/, '"sha256":"00000000')),
    );
    expect(failed).toEqual({ smoke: expect.stringContaining('macos-15: tried a package with sha256 00000000') });
  });

  it('finds a package that does not verify, and a release that GitHub does not attest', async () => {
    const { status, failed } = await verified(({ state, folder }) => {
      state.releases[0].immutable = false;
      const bytes = readFileSync(join(folder, PACKAGE));
      const middle = Math.floor(bytes.length / 2);
      bytes[middle] = (bytes[middle] as number) ^ 1;
      writeFileSync(join(folder, PACKAGE), bytes);
    });
    expect(status).toBe(6);
    expect(failed).toMatchObject({
      package: expect.stringMatching(/checks failed/),
      'release-attestation': expect.stringContaining('no attestations found'),
    });
  });

  it.each([0, 2])('ends at once where %i assets are packages, and leaves nothing behind', async (packages) => {
    const copy = mkdtempSync(join(scratch, 'copy-'));
    cpSync(published, copy, { recursive: true });
    mkdirSync(join(copy, 'tmp'));
    const state = read(copy);
    const { assets, id } = state.releases[0];
    const at = assets.findIndex(({ name }: { name: string }) => name === PACKAGE);
    if (packages === 0) assets.splice(at, 1);
    else {
      assets.push({ ...assets[at], name: 'other.pkg' });
      cpSync(join(copy, 'assets', String(id), PACKAGE), join(copy, 'assets', String(id), 'other.pkg'));
    }
    write(copy, state);
    const run = await github(copy, ['verify-release', 'v1.1.0', '--wait', '0'], { TMPDIR: join(copy, 'tmp') });
    expect(run).toMatchObject({ status: 6, stderr: expect.stringContaining(`v1.1.0 has ${packages} assets that end in .pkg`) });
    expect(readdirSync(join(copy, 'tmp'))).toEqual([]);
  }); // biome-ignore format: a list

  it('tells its checks, the last line of the package among them, and on the page of the run', async () => {
    const page = join(scratch, 'page');
    const run = await github(published, ['verify-release', 'v1.1.0', '--wait', '0', '--json'], { GITHUB_STEP_SUMMARY: page }); // biome-ignore format: a line
    const { checks, ...document } = JSON.parse(run.stdout);
    expect(document).toEqual({ schema: 1, tag: 'v1.1.0', ok: true });
    const reasons = Object.fromEntries(checks.map(({ id, reason }: { id: string; reason: string }) => [id, reason]));
    expect(reasons.package).toMatch(/^PASS: [^\n]*Developer ID Installer/);
    expect(readFileSync(page, 'utf8')).toMatch(
      /^### v1\.1\.0 as a stranger sees it\n\n```\n[\s\S]*sbom[\s\S]*\n```\n\n$/,
    );
  });

  it.each([
    [undefined, 60],
    ['0', 0],
    ['1', 2],
    ['5', 10],
  ])('waits %s minutes for the attestation in steps of 30 s', (minutes, steps) => {
    expect(attestationPauses(minutes)).toEqual(Array.from({ length: steps }, () => 30_000));
  });

  it('asks for the attestation again after each pause, while GitHub has none', async () => {
    const real = globalThis.setTimeout;
    const slept: number[] = [];
    globalThis.setTimeout = ((work: () => void, ms = 0) => {
      const pause = ms >= 30_000 && ms <= 36_000;
      if (pause) slept.push(ms);
      return real(work, pause ? 0 : ms);
    }) as typeof setTimeout;
    try {
      const { failed } = await verified(({ state }) => {
        state.releases[0].immutable = false;
      }, '--wait', '1');
      expect(failed).toEqual({ 'release-attestation': expect.stringContaining('no attestations found') });
    } finally {
      globalThis.setTimeout = real;
    }
    expect(slept).toHaveLength(2);
  }); // biome-ignore format: a list

  it('leaves nothing behind', async () => {
    const copy = mkdtempSync(join(scratch, 'copy-'));
    cpSync(published, copy, { recursive: true });
    mkdirSync(join(copy, 'tmp'));
    expect((await github(copy, ['verify-release', 'v1.1.0', '--wait', '0'], { TMPDIR: join(copy, 'tmp') })).status).toBe(0);
    expect(readdirSync(join(copy, 'tmp'))).toEqual([]);
  }); // biome-ignore format: a list

  it('does without a log of the notary', async () => {
    const { failed } = await verified(({ state }) => {
      const { assets } = state.releases[0];
      assets.splice(
        assets.findIndex(({ name }: { name: string }) => name === 'notary-log.json'),
        1,
      );
    });
    expect(failed).toEqual({});
  });
});
