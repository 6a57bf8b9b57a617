import { appendFileSync, cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RehearsalServices, startRehearsalServices } from '../../../src/rehearsal/services.ts';
import { sharedAuthority } from '../../rehearsal/shared-authority.ts';
import { byDay, ofTheDay } from '../../support/by-day.ts';
import { inProcess } from '../../support/in-process.ts';

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'doctor-'));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const PARTS = ['payload', 'scripts', 'package.json', 'package-lock.json', 'release.config.json', 'CHANGELOG.md'];
const restore = () => {
  for (const part of PARTS) cpSync(part, join(root, part), { recursive: true });
  rmSync(join(root, 'out'), { recursive: true, force: true });
};
const run = (argv: string[], env: NodeJS.ProcessEnv = {}) => inProcess(argv, { cwd: root, env });

const NOTARY = { NOTARY_KEY: 'x' };
const P12 = { APPLICATION_P12_BASE64: 'x' };
/** What is wrong, how it came about, the check that fails, and words of the reason. */
const FAULTS: readonly [string, (root: string) => void, string, RegExp, NodeJS.ProcessEnv?][] = [
  ['a C file that is missing', (at) => rmSync(join(at, 'payload/plugin/rotate.c')), 'sources', /plugin\/rotate\.c/],
  [
    'a stub header that is missing',
    (at) => rmSync(join(at, 'payload/plugin/sdk/include'), { recursive: true }),
    'sources',
    /sdk\/include/,
  ],
  [
    'an Info.plist that is damaged',
    (at) => writeFileSync(join(at, 'payload/Info.plist'), '<plist'),
    'info-plist',
    /payload\/Info\.plist: /,
  ],
  [
    'a table of modes that is missing',
    (at) => rmSync(join(at, 'payload/permissions.json')),
    'permissions',
    /permissions\.json/,
  ],
  ['a template that is missing', (at) => rmSync(join(at, 'scripts/status.sh')), 'scripts', /scripts\/status\.sh/],
  ['what a template includes', (at) => rmSync(join(at, 'scripts/lib/json.sh')), 'scripts', /scripts\/lib\/json\.sh/],
  ['a template of the kit', (at) => rmSync(join(at, 'scripts/kit/state.sh')), 'scripts', /scripts\/kit\/state\.sh/],
  ['the text of the kit', (at) => rmSync(join(at, 'payload/kit/README.md')), 'documents', /payload\/kit\/README\.md/],
  ['the lock file', (at) => rmSync(join(at, 'package-lock.json')), 'documents', /package-lock\.json/],
  [
    'the configuration',
    (at) => appendFileSync(join(at, 'release.config.json'), '}'),
    'configuration',
    /not valid JSON/,
  ],
  ['a notary key alone', () => undefined, 'identities', /a notary key is set, but no signing identity/, NOTARY],
  ['half an identity', () => undefined, 'identities', /these variables are missing: APPLICATION_P12_PASSWORD/, P12],
  ['a file in the place of out/', (at) => writeFileSync(join(at, 'out'), ''), 'output', /out is a file, not a folder/],
  [
    'a package that was put there',
    (at) => cpSync('package.json', join(at, 'out/1.1.0/Escrow.Buddy-1.1.0.pkg')),
    'room',
    /no release\.json says what it is/,
  ],
];

describe(`doctor and npm start agree${ofTheDay}`, () => {
  it.each(byDay(FAULTS, 0, ([, , id]) => id))(
    'about %s, before anything is compiled',
    async (_, plant, id, reason, env) => {
      restore();
      plant(root);
      const doctor = await run(['doctor', '--json'], env);
      const { checks, ok } = JSON.parse(doctor.stdout);
      const failed = checks.filter(({ status }: { status: string }) => status === 'fail');
      // With a notary key in the environment Apple's side is looked at too.
      const here = failed.filter((check: { id: string }) => check.id !== 'notary');
      expect([doctor.status, ok, here.map((check: { id: string }) => check.id)]).toEqual([2, false, [id]]);
      expect(failed[0].reason).toMatch(reason);
      const release = await run(['release'], env);
      expect(release.status, release.stderr).toBe(2);
      expect(release.stderr).toContain(failed[0].reason.split('\n')[0]);
      expect(release.stderr).not.toContain('compile ');
      expect(existsSync(join(root, 'out/1.1.0/release.json'))).toBe(false);
    },
  );

  it('when all is well; what is skipped is not called passed', async () => {
    restore();
    const { status, stdout } = await run(['doctor']);
    expect([status, stdout]).toEqual([
      0,
      expect.stringMatching(
        /\nskipped +notary .*\n(.*\n)*npm start can run here, as a rehearsal\. 4 checks were skipped\.\n$/,
      ),
    ]);
    expect((await run(['release', '--until', 'generate-scripts'])).status).toBe(0);
  });

  it('and several faults are told at once', async () => {
    restore();
    rmSync(join(root, 'scripts/status.sh'));
    rmSync(join(root, 'payload/kit/README.md'));
    const { status, stderr } = await run(['release']);
    expect([status, stderr]).toEqual([
      2,
      expect.stringMatching(/2 things are not ready .*\n.*status\.sh\n.*README\.md\nnext: Nothing was built/),
    ]);
  });
});

describe('doctor', () => {
  const checksOf = async (env: NodeJS.ProcessEnv = {}) => {
    const { status, stdout } = await run(['doctor', '--json'], env);
    const { schema, checks } = JSON.parse(stdout);
    const found: Record<string, string> = Object.fromEntries(
      checks.map(({ id, status, reason }: Record<string, string>) => [id, `${status}: ${reason}`]),
    );
    return { status, schema, found };
  };

  it('says of each check what it found, and of outside that nobody was asked', async () => {
    restore();
    const { status, schema, found } = await checksOf();
    expect([status, schema]).toEqual([0, 1]);
    expect(found).toMatchObject({
      node: `pass: ${process.versions.node}`,
      configuration: 'pass: release.config.json, version 1.1.0',
      commit: 'pass: no repository: release.json will name no commit',
      room: 'pass: nothing is replaced',
    });
    for (const id of ['notary', 'clock', 'ticket-service', 'timestamp-authority'])
      expect(found[id]).toBe('skipped: a rehearsal contacts nothing outside this machine');
  });

  it('looks at the set-up on GitHub where that is asked, and at nothing here', async () => {
    const { checks } = JSON.parse((await inProcess(['doctor', '--ci', '--json'], { env: { PATH: root } })).stdout);
    const ids = checks.map(({ id }: { id: string }) => id);
    expect(ids).toEqual(expect.arrayContaining(['workflows', 'pins', 'environment-signing', 'tag-rules']));
    expect(ids).not.toContain('node');
  });

  it('does not ask outside while it is not known who signs', async () => {
    restore();
    const { found } = await checksOf(P12);
    for (const id of ['notary', 'clock', 'ticket-service', 'timestamp-authority'])
      expect(found[id]).toBe('skipped: needs identities');
    // A key of the notary is looked at whoever signs.
    const half = (await checksOf(NOTARY)).found.notary;
    expect(half).toMatch(/^fail: for notarization these variables are missing: NOTARY_KEY_ID, NOTARY_ISSUER_ID/);
    const { status, stdout } = await run(['doctor'], P12);
    expect([status, stdout]).toEqual([
      2,
      expect.stringMatching(/\n1 of \d+ checks failed\. \d checks were skipped\.\n$/),
    ]);
  });

  it('asks outside, each service once, where a key of the notary is set', async () => {
    restore();
    const authority = await sharedAuthority();
    const [notary, other] = [await startRehearsalServices({ authority }), await startRehearsalServices({ authority })];
    const hostOf = ({ ticketUrl }: RehearsalServices) => new URL(ticketUrl).host;
    try {
      const config = JSON.parse(readFileSync('release.config.json', 'utf8'));
      Object.assign(config.services, {
        notary: notary.notaryUrl,
        tickets: notary.ticketUrl,
        timestamp: other.ticketUrl,
      });
      writeFileSync(join(root, 'release.config.json'), JSON.stringify(config));
      const { key, keyId, issuerId } = notary.key;
      const pem = key.export({ type: 'pkcs8', format: 'pem' }) as string;
      const { found } = await checksOf({ NOTARY_KEY: pem, NOTARY_KEY_ID: keyId, NOTARY_ISSUER_ID: issuerId });
      expect(found).toMatchObject({
        notary: expect.stringMatching(/^pass: the key is valid, .* 0 submissions/),
        clock: expect.stringMatching(/^pass: within \d+ s of the notary's/),
        'ticket-service': `pass: ${hostOf(notary)}`,
        'timestamp-authority': `pass: ${hostOf(other)}`,
      });
      expect(notary.calls.get('history')).toBe(1);
    } finally {
      for (const services of [notary, other]) await services.close();
    }
  });

  it.each([
    ['20.18.9', 'fail: Node.js 20.18.9 is too old'],
    ['20.19.0-nightly20250101', 'pass: 20.19.0-nightly20250101'],
  ])('of Node.js %s says %s', async (node, words) => {
    restore();
    const versions = Object.getOwnPropertyDescriptor(process, 'versions') as PropertyDescriptor;
    Object.defineProperty(process, 'versions', { ...versions, value: { ...process.versions, node } });
    try {
      expect((await checksOf()).found.node?.split('\n')[0]).toBe(words);
    } finally {
      Object.defineProperty(process, 'versions', versions);
    }
  });

  it('names each service once, the way to it, and whose authorities are accepted beside', async () => {
    restore();
    const { found } = await checksOf({ NODE_EXTRA_CA_CERTS: '' });
    const lines = found.network?.split('\n') ?? [];
    expect([lines.length, new Set(lines).size]).toEqual([3, 3]);
    for (const host of ['timestamp.apple.com', 'appstoreconnect.apple.com'])
      expect(found.network).toContain(`${host} `);
    const file = join(root, 'authorities.pem');
    writeFileSync(file, '');
    const more = (await checksOf({ NODE_EXTRA_CA_CERTS: file })).found.network;
    expect(more).toBe(`${found.network}\nauthorities of ${file} are accepted too`);
    const none = (await checksOf({ NODE_EXTRA_CA_CERTS: join(root, 'none.pem') })).found.network;
    expect(none).toMatch(/^fail: NODE_EXTRA_CA_CERTS: cannot read .*none\.pem\nName a PEM file/);
  });
});
