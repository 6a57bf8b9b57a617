import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseSignedRole } from '../../../build/signing/record.ts';
import { byDay, ofTheDay } from '../../support/by-day.ts';
import { needs } from '../../support/needs.ts';
import { checkSignatures } from '../../support/sealed-step.ts';
import { type Project, projectWith, run, useKey } from './key-service-project.ts';

const NAMES = ['aws', 'azure'] as const;
/** Signatures of one are put into packages by day: who made them makes no difference there. */
const putToday = byDay(NAMES, 1);

/** Which service is asked, and the project with its keys, which is there once the tests run. */
interface Asked {
  readonly name: (typeof NAMES)[number];
  project(): Project;
}

/** Asks of a service all that is asked of each; the services have a file each, as each needs a project of its own. */
export function asksKeysIn(name: (typeof NAMES)[number]): void {
  const missing = needs('curl', 'jq', 'openssl');
  describe.skipIf(missing.missing)(`keys in a service, ${name}${missing.note}`, () => {
    let scratch: string;
    let project: Project | undefined;
    beforeAll(async () => {
      scratch = mkdtempSync(join(tmpdir(), 'key-service-'));
      project = await projectWith(name, join(scratch, name));
    });
    afterAll(() => {
      project?.service.close();
      rmSync(scratch, { recursive: true, force: true });
    });
    const asked = { name, project: () => project as Project };
    makesRelease(asked);
    refusesJobs(asked);
    refusesInput(asked);
    signsOtherDigests(asked);
  });
}

/** The release comes first: those below use its digests. */
function makesRelease({ name, project }: Asked): void {
  it('make a release whose every check passes, and see digests alone', async () => {
    const { at } = project();
    const record = ['--compiled', project().parts, '--record', at('signing.json')];
    expect(await run(project(), 'timestamp', ...record)).toMatchObject({ status: 0 });
    for (const role of ['application', 'installer'] as const) {
      const asked = await run(project(), 'digests', ...record, '--out', at(`${role}.txt`));
      expect(asked, asked.stderr).toMatchObject({ status: 0 });
      const digests = readFileSync(at(`${role}.txt`), 'utf8');
      // One for each slice, or for each package.
      expect(digests).toMatch(role === 'application' ? /^([0-9a-f]{64}\n){2}$/ : /^([0-9a-f]{64}\n){4}$/);
      writeFileSync(at('taken.txt'), 'mine');
      expect(await run(project(), 'digests', ...record, '--out', at('taken.txt'))).toMatchObject({ status: 2 });
      expect(readFileSync(at('taken.txt'), 'utf8')).toBe('mine');
      const used = await useKey(project(), role);
      expect(used, used.printed).toMatchObject({ status: 0 });
      const checked = checkSignatures(project().parts, role, {
        digests,
        signatures: at(`${role}.signatures`),
        out: at(`${role}.json`),
      });
      expect(checked, checked.printed).toMatchObject({ status: 0 });
      expect(checked.printed.match(/signed [0-9a-f]{64}/g)?.map((line) => line.slice(7))).toEqual(
        digests.trim().split('\n'),
      );
      expect(parseSignedRole(readFileSync(at(`${role}.json`), 'utf8')).signatures).toHaveLength(
        digests.trim().split('\n').length,
      );
      const stamped = await run(project(), 'timestamp', ...record, '--signed', at(`${role}.json`));
      expect(stamped, stamped.stderr).toMatchObject({ status: 0 });
    }
    const words = ['--compiled', project().parts, '--signatures', at('signing.json'), '--out', at('out')];
    const put = putToday.includes(name) ? await run(project(), 'release', ...words) : { status: 0, stderr: '' };
    expect(put.status, put.stderr).toBe(0);
    expect(new Set(project().service.audiences)).toEqual(
      new Set([name === 'aws' ? 'sts.amazonaws.com' : 'api://AzureADTokenExchange']),
    );
  });

  it('leave neither a token nor a session behind', async () => {
    await useKey(project(), 'application');
    expect(readdirSync(project().at('.')).filter((file) => file.startsWith('tmp.'))).toEqual([]);
  });
}

/** Jobs that may not use the key, and words that are none. */
function refusesJobs({ name, project }: Asked): void {
  // What the service says, and what comes of it: the recipe for Azure ends well, and prints nothing.
  const ended = name === 'aws' ? 'the service did not sign' : 'the service printed no signature';
  const denied = new RegExp(`AccessDenied[\\s\\S]*${ended}`);
  const refused: readonly (readonly [string, Parameters<typeof useKey>[2], number, RegExp])[] = [
    ['a job without id-token: write', { env: { ACTIONS_ID_TOKEN_REQUEST_TOKEN: '' } }, 2, /lacks id-token: write/],
    [
      'a job without its environment',
      {
        env: {
          ACTIONS_ID_TOKEN_REQUEST_TOKEN: Buffer.from('repo:owner/name:ref:refs/heads/main').toString('base64url'),
        },
      },
      4,
      denied,
    ],
    [
      'a fork',
      {
        env: {
          ACTIONS_ID_TOKEN_REQUEST_TOKEN: Buffer.from('repo:other/name:environment:signing').toString('base64url'),
        },
      },
      4,
      denied,
    ],
    [
      'an address without TLS',
      { env: { ACTIONS_ID_TOKEN_REQUEST_URL: 'http://127.0.0.1:1/x?y=z' } },
      2,
      /not an address/,
    ],
    [
      'an address that ends the line',
      { env: { ACTIONS_ID_TOKEN_REQUEST_URL: 'https://x/\noutput = "/tmp/x"' } },
      2,
      /not an address/,
    ],
    ['an issuer that nobody knows', { env: { CURL_CA_BUNDLE: '/dev/null' } }, 5, /gave no token/],
    [
      'another service than the configuration',
      { argv: { '--service': name === 'aws' ? 'azure' : 'aws' } },
      2,
      /command is not sh/,
    ],
    ['no service', { argv: { '--service': 'stored' } }, 2, /use: key-service/],
    ['another role', { argv: { '--role': 'notary' } }, 2, /application or installer/],
    ['a role that is an option of jq', { argv: { '--role': 'x"] | input' } }, 2, /application or installer/],
    ['no digests', { argv: { '--digests': '' } }, 2, /digests of SHA-256/],
    ['SHA-1', { argv: { '--digests': '0'.repeat(40) } }, 2, /no key service signs SHA-1/],
  ];
  it.each(byDay(refused, 0, ([, , end]) => String(end)))(`refuse %s${ofTheDay}`, async (_, change, status, words) => {
    rmSync(project().at('application.signatures'), { force: true });
    const used = await useKey(project(), 'application', change);
    expect(used.printed).toMatch(words);
    expect(used.status).toBe(status);
    expect(existsSync(project().at('application.signatures'))).toBe(false);
  });
}

/** Settings and digests that are not those of a release. */
function refusesInput({ name, project }: Asked): void {
  const strangers: readonly (readonly [string, Record<string, string>])[] =
    name === 'aws'
      ? [
          ['no role', { AWS_ROLE_ARN: '' }],
          ['a role of somebody', { AWS_ROLE_ARN: 'arn:aws:iam::999999999999:role/mine' }],
          ['a role that is none', { AWS_ROLE_ARN: '--endpoint-url=https://x.invalid' }],
        ]
      : [
          ['no client', { AZURE_CLIENT_ID: '' }],
          ['a tenant of somebody', { AZURE_TENANT_ID: '99999999-7777-8888-9999-000000000000' }],
          ['a tenant that is an option', { AZURE_TENANT_ID: '--debug' }],
        ];
  it.each(byDay(strangers, 1))(`refuse %s${ofTheDay}`, async (_, env) => {
    rmSync(project().at('application.signatures'), { force: true });
    const used = await useKey(project(), 'application', { env });
    expect([2, 4]).toContain(used.status);
    expect(existsSync(project().at('application.signatures'))).toBe(false);
  });

  const odd: readonly (readonly [string, string])[] = [
    ['one that is shorter', `${'0'.repeat(63)}\n`],
    ['capitals', `${'A'.repeat(64)}\n`],
    ['a command', `${'0'.repeat(64)}\n$(touch x)\n`],
    ['a tab', `${'0'.repeat(64)}\t${'1'.repeat(64)}`],
    ['a pattern', `${'0'.repeat(63)}*`],
    ['more than a release needs', `${'0'.repeat(64)}\n`.repeat(9)],
  ];
  it.each(byDay(odd, 1))(`refuse digests with %s${ofTheDay}`, async (_, text) => {
    const used = await useKey(project(), 'application', { argv: { '--digests': text } });
    expect(used).toMatchObject({ status: 2, printed: expect.stringContaining('digests of SHA-256') });
  });
}

/** What the script cannot know, the next job does. */
function signsOtherDigests({ project }: Asked): void {
  it('sign other digests than asked for: the next job refuses what came back', async () => {
    const { at } = project();
    const [first] = readFileSync(at('application.txt'), 'utf8').split('\n');
    const other = `${first} ${'1'.repeat(64)}`;
    const used = await useKey(project(), 'application', { argv: { '--digests': other, '--out': at('other') } });
    expect(used, used.printed).toMatchObject({ status: 0 });
    const checked = checkSignatures(project().parts, 'application', {
      digests: other,
      signatures: at('other'),
      out: at('other.json'),
    });
    expect(checked).toMatchObject({ status: 0, printed: expect.stringContaining('1111') });
    const record = ['--compiled', project().parts, '--record', at('anew.json')];
    await run(project(), 'timestamp', ...record);
    expect(await run(project(), 'timestamp', ...record, '--signed', at('other.json'))).toMatchObject({
      status: 6,
      stderr: expect.stringContaining('not over what is being signed'),
    });
  });
}
