import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, inject, it, vi } from 'vitest';
import { expiringCertificates, movedPins } from '../../../../build/github/upkeep/expiry.ts';
import { fileIssue, renderFindings } from '../../../../build/github/upkeep/issue.ts';
import { packageCertificates } from '../../../../build/github/upkeep/package-certificates.ts';
import { actionUsesIn, pinProblems, readPins } from '../../../../build/github/upkeep/pins.ts';
import { endingPlatforms, platformFindings } from '../../../../build/github/upkeep/platforms.ts';
import { tableGh } from '../table-gh.ts';

const scratch = mkdtempSync(join(tmpdir(), 'weekly-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));
const DAY = 86_400_000;

const RealDate = Date;
afterEach(() => {
  globalThis.Date = RealDate;
  vi.unstubAllEnvs();
});
/** `new Date()` is this moment until the end of the test. */
function at(moment: number): void {
  globalThis.Date = class extends RealDate {
    constructor(...given: []) {
      super(...((given.length > 0 ? given : [moment]) as [number]));
    }
  } as DateConstructor;
}
function outputs(): { env: NodeJS.ProcessEnv; read: () => string } {
  const path = join(mkdtempSync(join(scratch, 'output-')), 'output');
  writeFileSync(path, '');
  return { env: { GITHUB_OUTPUT: path }, read: () => readFileSync(path, 'utf8') };
}

describe('the issue', () => {
  const ISSUES = 'repos/owner/name/issues';
  const TITLE = 'Something that releases need is about to end';
  const found = { PINS_FINDINGS: 'x moved; y moved', PINS_RESULT: 'success' };
  const BODY = '### Pinned actions\n\n- x moved\n- y moved\n\nWhat to do: docs/releasing.md.';
  const open = (...issues: object[]) => ({ [`GET ${ISSUES}?state=open&per_page=100`]: issues });
  const ours = (body: string | null) => ({ number: 7, title: TITLE, body });
  const file = async (answers: object, env: NodeJS.ProcessEnv) => {
    const gh = tableGh(scratch, answers as Record<string, unknown>);
    const { text, document } = await gh.run(fileIssue, env);
    return { text, document, calls: gh.calls().slice(1) };
  };

  it('is opened with its findings', async () => {
    const { text, document, calls } = await file(
      { ...open({ number: 1, title: 'other', body: BODY }), [`POST ${ISSUES}`]: { number: 8 } },
      found,
    );
    expect(calls).toEqual([`api --method POST ${ISSUES} --input - < ${JSON.stringify({ title: TITLE, body: BODY })}`]);
    expect([text, document]).toEqual(['opened #8\n', { schema: 1, action: 'opened', number: 8 }]);
  });

  it.each([
    ['is updated when they differ', ours('older'), found, 'updated #7\n', { body: BODY }],
    ['is updated when it had no words', ours(null), found, 'updated #7\n', { body: BODY }],
    ['is left alone when they are the same', ours(BODY), found, 'unchanged #7\n', undefined],
    ['is closed when nothing is left', ours(BODY), {}, 'closed #7\n', { state: 'closed' }],
  ])('%s', async (_, issue, env, said, sent) => {
    const { text, calls } = await file({ ...open(issue), [`PATCH ${ISSUES}/7`]: {} }, env);
    expect(text).toBe(said);
    expect(calls).toEqual(sent ? [`api --method PATCH ${ISSUES}/7 --input - < ${JSON.stringify(sent)}`] : []);
  });

  it('is the newest of two with its title', async () => {
    const { text } = await file({ ...open(ours(BODY), { ...ours(''), number: 3 }), [`PATCH ${ISSUES}/7`]: {} }, found);
    expect(text).toBe('unchanged #7\n');
  });

  it('is not opened for nothing', async () => {
    const { text, document, calls } = await file(open(), {});
    expect([text, document, calls]).toEqual(['nothing to report\n', { schema: 1, action: 'nothing to report', number: null }, []]); // biome-ignore format: a line
  });

  it('has a part for each job, in order, with what the job itself ended in', () => {
    const jobs = ['CERTIFICATES', 'NOTARY', 'PINS', 'PLATFORMS'];
    const env = Object.fromEntries(jobs.flatMap((job) => [[`${job}_FINDINGS`, 'a; b'], [`${job}_RESULT`, 'failure']])); // biome-ignore format: a line
    const part = (title: string) =>
      `### ${title}\n\n- a\n- b\n- the check itself ended with: failure; its log says why\n\n`;
    const titles = ['Certificates', 'Notary key and agreement', 'Pinned actions', 'Machines'];
    expect(renderFindings(env)).toBe(`${titles.map(part).join('')}What to do: docs/releasing.md.`);
    expect(renderFindings({ NOTARY_RESULT: 'cancelled' })).toContain('ended with: cancelled');
    expect(renderFindings({ NOTARY_FINDINGS: '', NOTARY_RESULT: '' })).toBe('');
  });
});

describe('machines that end', () => {
  it.each([
    ['image macos-15-intel', '2027-08-01'],
    ['image macos-26-intel', '2028-09-01'],
    ['Rosetta 2', '2027-09-01'],
    ['label xcode-27 as the only macOS 27', '2027-01-15'],
  ])('%s is told less than 120 days before', (what, day) => {
    const told = (now: number) => platformFindings(new Date(now)).filter((line) => line.startsWith(`${what} may end from ${day} on: `)); // biome-ignore format: a line
    expect(told(RealDate.parse(day) - 120 * DAY)).toHaveLength(0);
    expect(told(RealDate.parse(day) - 120 * DAY + 1)).toHaveLength(1);
  });

  it('are an output, or all are listed when none ends', async () => {
    const quiet = outputs();
    at(RealDate.parse('2026-01-01'));
    const { text, document } = await tableGh(scratch, {}).run(endingPlatforms, quiet.env);
    expect([quiet.read(), text.split('\n').length, text.split('\n')[0]]).toEqual(['findings=\n', 5, 'image macos-15-intel: not before 2027-08-01']); // biome-ignore format: a line
    expect(document).toEqual({ schema: 1, subject: 'platforms', findings: [] });
    at(RealDate.parse('2026-12-01'));
    const one = await tableGh(scratch, {}).run(endingPlatforms);
    expect(one.text).toMatch(/^label xcode-27 .*: look whether macos-27 is there, and take it\n$/);
    const loud = outputs();
    at(RealDate.parse('2027-08-01'));
    const ended = await tableGh(scratch, {}).run(endingPlatforms, loud.env);
    expect(loud.read()).toMatch(/^findings=image macos-15-intel .*; Rosetta 2 .*; label xcode-27 .*\n$/);
    expect(ended.text.split('\n')).toHaveLength(4);
  });
});

describe('pinned actions', () => {
  const commit = 'c'.repeat(40);
  const pins = { 'actions/checkout': { tag: 'v4', commit } };

  it.each<[string, string, (readonly [string, string, string | undefined])[]]>([
    ['a step', `      - uses: actions/checkout@${commit} # v4`, [['actions/checkout', commit, 'v4']]],
    ['a step with a name', `        uses: actions/checkout@${commit} # v4  `, [['actions/checkout', commit, 'v4']]],
    ['no comment', `  uses: a/b@v1`, [['a/b', 'v1', undefined]]],
    ['no reference', `- uses: a/b`, [['a/b', '', undefined]]],
    ['quotes', `- "uses": 'a/b@v1'\n-  uses: "c/d@e" # f`, [['a/b', 'v1', undefined], ['c/d', 'e', 'f']]],
    ['a step of the project', `- uses: $/x\n- uses: ./x@y`, [['./x', 'y', undefined]]],
    ['a name that has its sign further on', `- uses: a$/b@c`, [['a$/b', 'c', undefined]]],
    ['other words', `# uses: a/b@c\nuses a/b@c\n  reuses: a/b@c\n  uses: a/b@c d`, []],
  ])('are found: %s', (_, source, expected) => {
    expect(actionUsesIn('f.yml', source).map(({ action, reference, comment }) => [action, reference, comment])).toEqual(expected);
  }); // biome-ignore format: a table

  it.each([
    ['as it is listed', {}, []],
    ['that is not listed', { action: 'a/b' }, ['f.yml: a/b is not in pins.json']],
    ['at another commit', { reference: 'v4' }, [`f.yml: actions/checkout is at v4, pins.json says ${commit}`]],
    ['with another tag', { comment: 'v3' }, ['f.yml: actions/checkout is called v3, pins.json says v4']],
    ['without a tag', { comment: undefined }, ['f.yml: actions/checkout is called undefined, pins.json says v4']],
  ])('are held to pins.json: %s', (_, change, problems) => {
    const use = { file: 'f.yml', action: 'actions/checkout', reference: commit, comment: 'v4', ...change };
    expect(pinProblems([use], pins)).toEqual(problems);
  });

  it.each([{ a: { tag: 'v4', commit } }, { 'a/b': { tag: '4', commit } }, { 'a/b': { tag: 'v4.1.2.3', commit } }, { 'a/b': { tag: 'v4', commit: 'c' } }, { 'a/b': { tag: 'v4', commit, more: 1 } }])(
    'are refused in the form %j',
    async (wrong) => {
      const root = mkdtempSync(join(scratch, 'pins-'));
      mkdirSync(join(root, '.github'));
      writeFileSync(join(root, '.github/pins.json'), JSON.stringify(wrong));
      await expect(readPins(root)).rejects.toMatchObject({ code: 'PINS_INVALID' });
    },
  ); // biome-ignore format: a table

  it('are told when their tag has moved', async () => {
    const root = mkdtempSync(join(scratch, 'pins-'));
    mkdirSync(join(root, '.github'));
    writeFileSync(join(root, '.github/pins.json'), JSON.stringify({ ...pins, 'a/b': { tag: 'v1.2', commit } }));
    const output = outputs();
    const moved = (sha: string) => ({ 'GET repos/actions/checkout/commits/v4': { sha: commit }, 'GET repos/a/b/commits/v1.2': { sha } }); // biome-ignore format: a line
    const told = await tableGh(scratch, moved('d')).run(movedPins, output.env, root);
    const line = `a/b: v1.2 is now at d, pins.json says ${commit}`;
    expect([told.text, told.document, output.read()]).toEqual([`${line}\n`, { schema: 1, subject: 'pins', findings: [line] }, `findings=${line}\n`]); // biome-ignore format: a line
    expect((await tableGh(scratch, moved(commit)).run(movedPins, {}, root)).text).toBe('actions/checkout v4\na/b v1.2\n'); // biome-ignore format: a line
  });
});

describe('certificates that end', () => {
  const PACKAGE = () => join(inject('releaseFolder'), 'Escrow.Buddy-1.1.0-rehearsal.pkg');
  const RELEASES = 'GET repos/owner/name/releases?per_page=20';
  const releases = [{ draft: true, tag_name: 'v2.0.0' }, { draft: false, tag_name: 'v1.1.0' }, { draft: false, tag_name: 'v1.0.0' }]; // biome-ignore format: a line
  /** gh release download TAG --repo R --dir D --pattern P --output FILE */
  const download = () => `cp '${PACKAGE()}' "\${11}"`;

  it('are told from less than 60 days on, of the newest release', async () => {
    const folder = mkdtempSync(join(scratch, 'package-'));
    const all = await packageCertificates(PACKAGE(), folder, new AbortController().signal);
    const first = Math.min(...all.map(({ notAfter }) => notAfter.getTime()));
    const ending = all.filter(({ notAfter }) => notAfter.getTime() === first);
    const gh = tableGh(scratch, { [RELEASES]: releases }, download());
    const output = outputs();
    at(first - 60 * DAY);
    const own = mkdtempSync(join(scratch, 'tmp-'));
    vi.stubEnv('TMPDIR', own);
    const quiet = await gh.run(expiringCertificates, output.env);
    expect(gh.calls()[1]).toMatch(/^release download v1\.1\.0 --repo owner\/name --dir \S+ --pattern \*\.pkg --output \S+\/package$/); // biome-ignore format: a line
    expect(readdirSync(own)).toEqual([]);
    expect([quiet.document, output.read()]).toEqual([{ schema: 1, subject: 'certificates', findings: [] }, 'findings=\n']); // biome-ignore format: a line
    expect(quiet.text.split('\n')).toHaveLength(all.length + 1);
    at(first - 60 * DAY + 1);
    const { document } = await gh.run(expiringCertificates);
    const { findings } = document as { findings: string[] };
    const day = new RealDate(first).toISOString().slice(0, 10);
    expect(findings).toEqual(ending.map(({ commonName }) => `v1.1.0: ${commonName} ends in 59 days, on ${day}`));
  });

  it('are not looked for where nothing is published yet', async () => {
    const gh = tableGh(scratch, { [RELEASES]: releases.slice(0, 1) }, 'exit 1');
    expect((await gh.run(expiringCertificates)).text).toBe('nothing is published yet\n');
    expect(gh.calls()).toHaveLength(1);
  });
});

describe('the issue of the weekly check', () => {
  it('has a section for each finding and each check that failed, and is empty when all is well', async () => {
    const body = renderFindings({
      CERTIFICATES_FINDINGS: 'a ends; b ends',
      CERTIFICATES_RESULT: 'success',
      NOTARY_RESULT: 'failure',
    });
    expect(body).toContain('### Certificates\n\n- a ends\n- b ends\n');
    expect(body).toContain('### Notary key and agreement\n\n- the check itself ended with: failure');
    expect(body).not.toContain('Pinned');
    expect(
      renderFindings({
        CERTIFICATES_RESULT: 'success',
        PINS_RESULT: 'success',
        PINS_FINDINGS: '',
        NOTARY_RESULT: 'success',
      }),
    ).toBe('');
  });
});
