import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { type Manifest, readManifest, writeManifest } from '../../../build/plan/manifest.ts';
import { type StoredSubmission, SubmissionStore } from '../../../src/rehearsal/submission-store.ts';
import { builtPackage } from '../../support/built-package.ts';
import { inProcess } from '../../support/in-process.ts';
import { KIT_URL } from '../kit/made-kit.ts';

/** A project with a configuration, a version and an authority of its own. */
let root: string;
let store: SubmissionStore;
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'results-'));
  for (const path of ['package.json', 'payload', 'scripts']) cpSync(path, join(root, path), { recursive: true });
  cpSync('.rehearsal/authority', join(root, '.rehearsal/authority'), { recursive: true });
  store = await SubmissionStore.open(join(root, '.rehearsal/notary'));
  configure();
});
afterAll(() => rmSync(root, { recursive: true }));

/** Writes release.config.json, with some of its values changed. */
function configure(change: { signing?: object; services?: object } = {}): void {
  const config = JSON.parse(readFileSync('release.config.json', 'utf8'));
  for (const [key, values] of Object.entries(change)) Object.assign(config[key], values);
  writeFileSync(join(root, 'release.config.json'), JSON.stringify(config));
}
const run = (argv: string[], env: NodeJS.ProcessEnv = {}) => inProcess(argv, { cwd: root, env });
const documentOf = async (argv: string[]) => {
  const { status, stdout } = await run([...argv, '--json']);
  return { status, document: JSON.parse(stdout) };
};

const ID = (number: number) => `00000000-0000-4000-8000-00000000000${number}`;
const ISSUE = {
  severity: 'error',
  path: 'a.pkg/x',
  message: 'not signed',
  code: null,
  docUrl: null,
  architecture: null,
};
async function submitted(number: number, status: string | null, issues: readonly object[] | null = null) {
  const log = { status, statusSummary: `about ${status}`, jobId: ID(number), issues, logFormatVersion: 1 };
  const submission: StoredSubmission = {
    ...{ id: ID(number), name: 'a.pkg', sha256: '0', createdDate: '2026-01-01T00:00:00.000Z', object: 'o' },
    keys: { accessKeyId: '', secretAccessKey: 's', sessionToken: '', expires: 0 },
    verdict: status === null ? null : { from: 0, status, log, tickets: [] },
  };
  await store.put(submission);
}

describe('notarize', () => {
  beforeAll(async () => {
    await submitted(1, 'Accepted');
    await submitted(2, 'Invalid', [ISSUE]);
    await submitted(3, 'Rejected');
    await submitted(4, null);
    await submitted(5, 'Accepted', [{ ...ISSUE, severity: 'warning' }]);
  });

  it.each([
    [1, 'Accepted', 0],
    [2, 'Invalid', 4],
    [3, 'Rejected', 4],
    [4, 'In Progress', 0],
  ])('--status of submission %i: %s, exit %i', async (number, status, exit) => {
    const next = status === 'In Progress' ? `\nNext: npm run -s cli -- notarize --wait ${ID(number)}\n` : '';
    const found = await run(['notarize', '--status', ID(number)]);
    expect([found.status, found.stdout]).toEqual([
      exit,
      `${status}: a.pkg, submitted 2026-01-01T00:00:00.000Z\n${next}`,
    ]);
    expect(found.stderr).toContain("NOTARY_KEY is not set, so this asks the rehearsal's notary, not Apple's.");
    const { document } = await documentOf(['notarize', '--status', ID(number)]);
    expect(document).toMatchObject({ schema: 1, submission: { id: ID(number), status } });
  });

  it.each([
    [1, 0, 'Accepted: about Accepted\n\nNext: npm run -s cli -- staple FILE, or npm start -- --resume\n'],
    [3, 4, 'Rejected: about Rejected\n\nOnce that is mended: npm start\n'],
  ])('--wait for submission %i ends with %i', async (number, exit, text) => {
    const found = await run(['notarize', '--wait', ID(number)]);
    expect([found.status, found.stdout]).toEqual([exit, text]);
  });

  it('--wait shows each issue, of a package that is accepted too', async () => {
    const invalid = await run(['notarize', '--wait', ID(2)]);
    expect(invalid.stdout).toMatch(/^Invalid: about Invalid\na\.pkg\/x\n {2}not signed\n[\s\S]*\nOnce that is mended/);
    const accepted = await run(['notarize', '--wait', ID(5)]);
    expect(accepted.stdout).toMatch(/^Accepted: about Accepted\na\.pkg\/x\n {2}warning: not signed\n[\s\S]*\nNext: /);
    const { status, document } = await documentOf(['notarize', '--wait', ID(2)]);
    expect([status, document]).toMatchObject([
      4,
      { schema: 1, submission: { status: 'Invalid' }, log: { issues: [ISSUE] } },
    ]);
  });

  it('asks for one submission, once', async () => {
    for (const argv of [[], ['--status', ID(1), '--wait', ID(1)]]) {
      const found = await run(['notarize', ...argv]);
      expect([found.status, found.stderr]).toEqual([
        2,
        expect.stringContaining('give either --status ID or --wait ID'),
      ]);
    }
  });

  it('is no rehearsal where a team is configured, or a name of the key has a slip', async () => {
    const missing = async (env: NodeJS.ProcessEnv) => (await run(['notarize', '--status', ID(1)], env)).stderr;
    expect(await missing({ NOTARY_KEYID: 'x' })).toContain('these variables are missing: NOTARY_KEY');
    try {
      configure({ signing: { teamIdentifier: 'ABCDE12345' } });
      expect(await missing({})).toContain('these variables are missing: NOTARY_KEY');
      configure({ signing: { teamIdentifier: 'REHEARSAL0' } });
      expect(await missing({})).not.toContain('missing');
    } finally {
      configure();
    }
  });
});

describe('kit', () => {
  let release: string;
  let file: string;
  const KIT = 'EscrowBuddy-1.1.0-rehearsal-mdm-kit.zip';
  const EXTRA = basename(builtPackage()).replace('Buddy-', 'Buddy.Guard-');
  beforeEach(() => {
    release = mkdtempSync(join(root, 'release-'));
    file = join(release, basename(builtPackage()));
    cpSync(builtPackage(), file);
    cpSync(join(dirname(builtPackage()), 'extras'), join(release, 'extras'), { recursive: true });
  });

  it('is made beside the package, from the packages in extras/, unless it is told otherwise', async () => {
    expect(await run(['kit', file, '--url', KIT_URL])).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/^Made .*zip: \d+ files\n$/),
    });
    expect(existsSync(join(release, KIT))).toBe(true);
    const elsewhere = join(release, 'others');
    cpSync(join(release, 'extras'), elsewhere, { recursive: true });
    rmSync(join(release, 'extras'), { recursive: true });
    const out = join(release, 'my.zip');
    const { status, document } = await documentOf(['kit', file, '--url', KIT_URL, '--extras', elsewhere, '--out', out]);
    expect([status, document.schema, document.path]).toEqual([0, 1, out]);
    expect(readFileSync(out)).toEqual(readFileSync(join(release, KIT)));
    expect(document.files).toEqual([...document.files].sort());
    expect((await run(['kit', file, '--url', KIT_URL])).status).toBe(2);
  });

  it('belongs to its package or does not, and exits 0 or 6', async () => {
    await run(['kit', file, '--url', KIT_URL]);
    const kit = join(release, KIT);
    const good = await documentOf(['kit', file, '--check', kit]);
    expect(good).toMatchObject({ status: 0, document: { schema: 1, valid: true } });
    expect((await run(['kit', file, '--check', kit])).stdout).toMatch(/ belongs to .*\n$/);
    const { document } = await documentOf(['kit', join(release, 'extras', EXTRA), '--check', kit]);
    expect(document.valid).toBe(false);
    // One that fails is enough.
    expect(new Set(document.checks.map(({ status }: { status: string }) => status))).toEqual(new Set(['pass', 'fail']));
    writeFileSync(kit, 'other');
    const bad = await documentOf(['kit', file, '--check', kit]);
    expect(bad).toMatchObject({ status: 6, document: { schema: 1, valid: false } });
    expect((await run(['kit', file, '--check', kit])).stdout).toMatch(/ does not belong to .*\n$/);
  });

  it('takes the place of another one only when it is told to', async () => {
    const kit = join(release, KIT);
    writeFileSync(kit, 'other');
    expect((await run(['kit', file, '--url', KIT_URL])).status).toBe(2);
    expect(readFileSync(kit, 'utf8')).toBe('other');
    const replaced = await run(['kit', file, '--url', KIT_URL, '--replace']);
    expect([replaced.status, replaced.stdout]).toEqual([
      0,
      expect.stringContaining(', in place of the one that was there:'),
    ]);
  });

  it('is of a rehearsal only where the name of its package ends so', async () => {
    const other = join(release, `${basename(file)}.pkg`);
    cpSync(file, other);
    expect((await run(['kit', other, '--url', KIT_URL])).stderr).toMatch(/Buddy\.\w+-1\.1\.0\.pkg/);
  });

  it('is not begun where it cannot be written', async () => {
    const out = join(release, 'extras');
    const found = await run(['kit', 'none.pkg', '--url', KIT_URL, '--out', out]);
    expect([found.status, found.stderr]).toEqual([2, expect.stringContaining('extras')]);
    expect(found.stderr).not.toContain('none.pkg');
  });

  it.each(['http://a/b', 'https://a b', "https://a'b", 'https://', 'https://[', 'ftp://a'])(
    'has no address %j',
    async (url) => {
      const found = await run(['kit', file, '--url', url]);
      expect([found.status, found.stderr]).toEqual([2, expect.stringContaining(`--url ${JSON.stringify(url)}`)]);
    },
  );

  it('has the address of the configuration, or a placeholder', async () => {
    const urlIn = async () => {
      await run(['kit', file, '--out', join(release, 'a.zip'), '--replace']);
      return /https:\/\/[^"]*\.pkg/.exec(readFileSync(join(release, 'a.zip'), 'latin1'))?.[0];
    };
    expect(await urlIn()).toBe(`https://example.invalid/${basename(file)}`);
    configure({ services: { downloads: 'https://dl.example.org/{version}' } });
    expect(await urlIn()).toBe(`https://dl.example.org/1.1.0/${basename(file)}`);
    configure();
  });
});

describe('index', () => {
  let folder: string;
  let index: string;
  beforeAll(async () => {
    configure({ services: { downloads: 'https://dl.example.org/{version}' } });
    folder = join(root, 'released');
    mkdirSync(folder);
    const manifest = (await readManifest(inject('releaseFolder'))) as Manifest;
    await writeManifest(folder, { ...manifest, mode: 'release' });
  });
  beforeEach(() => {
    index = join(mkdtempSync(join(root, 'index-')), 'index.json');
  });
  afterAll(() => configure());
  const RELEASE = /^\S*index\.json: 1 releases \(1\.1\.0\)\n$/;

  it('is begun with the first release, and left as it is when that is there', async () => {
    expect(await run(['index', index, '--add', folder])).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(RELEASE),
    });
    const text = readFileSync(index, 'utf8');
    expect(JSON.parse(text)).toMatchObject({ schema: 1, product: 'Escrow Buddy', releases: [{ version: '1.1.0' }] });
    expect(text).toBe(`${JSON.stringify(JSON.parse(text), null, 2)}\n`);
    writeFileSync(index, JSON.stringify(JSON.parse(text)));
    expect((await run(['index', index, '--add', folder])).status).toBe(0);
    expect(readFileSync(index, 'utf8')).toBe(JSON.stringify(JSON.parse(text)));
    expect(await run(['index', index])).toMatchObject({ status: 0, stdout: expect.stringMatching(RELEASE) });
  });

  it('is not begun without a release, and none has no versions', async () => {
    expect((await run(['index', index])).status).not.toBe(0);
    writeFileSync(index, JSON.stringify({ schema: 1, product: 'Escrow Buddy', releases: [] }));
    expect((await run(['index', index])).stdout).toMatch(/: 0 releases \(none\)\n$/);
  });

  it('gets what is added to what it has, and nothing that an earlier one forbids', async () => {
    await run(['index', index, '--add', folder]);
    const { releases } = JSON.parse(readFileSync(index, 'utf8'));
    const earlier = join(dirname(index), 'earlier.json');
    const write = (path: string, versions: string[]) =>
      writeFileSync(
        path,
        JSON.stringify({
          schema: 1,
          product: 'Escrow Buddy',
          releases: versions.map((version) => ({ ...releases[0], version })),
        }),
      );
    write(index, ['1.0.0']);
    write(earlier, ['1.0.0']);
    expect((await run(['index', index, '--add', folder, '--since', earlier])).stdout).toContain(
      '2 releases (1.0.0, 1.1.0)',
    );
    write(earlier, ['0.9.0']);
    const before = readFileSync(index, 'utf8');
    expect((await run(['index', index, '--since', earlier])).status).toBe(6);
    write(index, []);
    expect((await run(['index', index, '--add', folder, '--since', earlier])).status).toBe(6);
    expect([before, JSON.parse(readFileSync(index, 'utf8')).releases]).toEqual([expect.any(String), []]);
  });

  it('takes a finished release, from a folder', async () => {
    const empty = mkdtempSync(join(root, 'empty-'));
    const none = await run(['index', index, '--add', empty]);
    expect([none.status, none.stderr]).toEqual([2, expect.stringContaining('holds no release.json')]);
    const file = await run(['index', index, '--add', join(folder, 'release.json')]);
    expect([file.status, file.stderr]).toEqual([2, expect.stringContaining('is a file, not a folder')]);
    expect(readdirSync(dirname(index))).toEqual([]);
    const inTheWay = await run(['index', empty, '--add', join(root, 'none')]);
    expect([inTheWay.status, inTheWay.stderr]).toEqual([2, expect.not.stringContaining('none')]);
  });
});

describe('evidence', () => {
  const finished = () => {
    const folder = join(mkdtempSync(join(root, 'evidence-')), '1.1.0');
    cpSync(inject('releaseFolder'), folder, { recursive: true });
    return folder;
  };

  it('is put into the folder under a name that says what it is, or where it is told', async () => {
    const folder = finished();
    const { status, document } = await documentOf(['evidence', folder]);
    expect([status, document.schema, document.path]).toEqual([
      0,
      1,
      join(folder, 'EscrowBuddy-1.1.0-rehearsal-evidence.zip'),
    ]);
    expect(document.files).toEqual([...document.files].sort());
    const out = join(root, 'my-evidence.zip');
    const told = await run(['evidence', folder, '--out', out]);
    expect(told.stdout).toBe(`Made ${out}: ${document.files.join(', ')}\n`);
    expect(readFileSync(out)).toEqual(readFileSync(document.path));
    writeFileSync(out, 'other');
    expect((await run(['evidence', folder, '--out', out])).status).toBe(2);
    expect((await run(['evidence', folder, '--out', out, '--replace'])).stdout).toContain(', in place of the one');
  });

  it.each([
    ['a place that cannot be written', (folder: string) => ['--out', folder], /1\.1\.0/],
    ['a policy that is none', (folder: string) => ['--policy', join(folder, 'release.json')], /release\.json/],
    ['a policy that is not there', () => ['--policy', 'none.json'], /none\.json/],
    ['bundles that are not there', () => ['--attestation', 'none.jsonl'], /none\.jsonl/],
  ])('is not made with %s', async (_, options, words) => {
    const folder = finished();
    const before = readdirSync(folder);
    const found = await run(['evidence', folder, ...options(folder)]);
    expect([found.status, found.stderr]).toEqual([2, expect.stringMatching(words)]);
    expect(readdirSync(folder)).toEqual(before);
  });

  it('is of a folder', async () => {
    expect((await run(['evidence', builtPackage()])).stderr).toMatch(/is a file, not a folder/);
  });
});
