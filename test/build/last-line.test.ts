import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { commandAgain, commandAnew } from '../../build/again.ts';
import type { CommandContext } from '../../build/command.ts';
import { type ReleaseOptions, release } from '../../build/commands/release.ts';
import { errorDocument, renderError } from '../../build/exit-code.ts';
import * as notaryConnection from '../../build/notary/connection.ts';
import { createProgress } from '../../build/report/progress.ts';
import { systemClock } from '../../src/base/clock.ts';
import { useProxies } from '../../src/base/network/proxy.ts';
import type { RehearsalAuthority } from '../../src/rehearsal/authority.ts';
import { type RehearsalOptions, type RehearsalServices, startRehearsalServices } from '../../src/rehearsal/services.ts';
import { rehearsalTimestampAuthority } from '../../src/rehearsal/timestamp-authority.ts';
import { rehearsalP12 } from '../rehearsal/authority-p12.ts';
import { sharedAuthority } from '../rehearsal/shared-authority.ts';
import { startTimestampServer } from '../rehearsal/timestamp-server.ts';
import { quickCompiler } from '../support/quick-compiler.ts';

/** Nobody listens there: to connect is refused at once. */
const CLOSED = 'http://127.0.0.1:9';
const GO_ON = 'To go on: npm start -- --release --resume';
const MENDED = 'Once that is mended: npm start -- --release --resume';
const ANEW = 'Once that is mended: npm start -- --release';

/** Where the upload goes: a real release goes to Amazon's store, whatever the configuration says. */
let uploadPlace: RehearsalServices['uploadPlace'];
const { connectToNotary } = notaryConnection;
beforeEach(() => {
  vi.spyOn(notaryConnection, 'connectToNotary').mockImplementation(async (input) => {
    const connection = await connectToNotary(input);
    return { ...connection, access: { ...connection.access, upload: { place: (...of) => uploadPlace(...of) } } };
  });
});

const before = process.env.PATH;
let root: string;
let authority: RehearsalAuthority;
let identities: NodeJS.ProcessEnv;
let timestamps: { readonly url: string; close(): Promise<void> };
/** A release up to the signed packages. */
let signed: string;
const running: RehearsalServices[] = [];

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'last-line-'));
  for (const name of ['package.json', 'package-lock.json', 'payload', 'scripts', 'LICENSE', 'CHANGELOG.md'])
    symlinkSync(join(process.cwd(), name), join(root, name));
  authority = await sharedAuthority();
  timestamps = await startTimestampServer(rehearsalTimestampAuthority(authority));
  const p12 = async (role: 'application' | 'installer') =>
    (await rehearsalP12(authority, role, 'p')).toString('base64');
  identities = {
    SOURCE_DATE_EPOCH: '1700000000',
    APPLICATION_P12_BASE64: await p12('application'),
    APPLICATION_P12_PASSWORD: 'p',
    INSTALLER_P12_BASE64: await p12('installer'),
    INSTALLER_P12_PASSWORD: 'p',
  };
  process.env.PATH = quickCompiler();
  signed = join(root, 'signed');
  configure(await start(), { timestamp: timestamps.url });
  const { error } = await run(signed, { until: 'sign-package' });
  expect(error).toBeUndefined();
  // What is released is compiled in the same run, and called what it is.
  expect([existsSync(join(root, '.build/compiled')), existsSync(join(signed, '1.1.0/Escrow.Buddy-1.1.0.pkg'))]).toEqual(
    [false, true],
  );
});
afterEach(async () => {
  vi.restoreAllMocks();
  useProxies({});
  for (const services of running.splice(0)) await services.close();
});
afterAll(async () => {
  process.env.PATH = before;
  await timestamps.close();
  rmSync(root, { recursive: true, force: true });
});

/** Apple's services, played here; `configure` makes them the project's. */
async function start(options: Partial<RehearsalOptions> = {}): Promise<RehearsalServices> {
  const services = await startRehearsalServices({ authority, ...options });
  running.push(services);
  uploadPlace = services.uploadPlace;
  return services;
}

let env: NodeJS.ProcessEnv;
function configure(
  { notaryUrl, ticketUrl, key }: Pick<RehearsalServices, 'notaryUrl' | 'ticketUrl' | 'key'>,
  addresses: Record<string, string> = {},
): void {
  const config = JSON.parse(readFileSync('release.config.json', 'utf8'));
  // What is signed has its timestamps; whether their authority is there is only asked.
  const services = { timestamp: ticketUrl, notary: notaryUrl, tickets: ticketUrl, ...addresses };
  config.services = { ...config.services, ...services };
  writeFileSync(join(root, 'release.config.json'), JSON.stringify(config));
  env = {
    ...identities,
    NOTARY_KEY: key.key.export({ type: 'pkcs8', format: 'pem' }) as string,
    NOTARY_KEY_ID: key.keyId,
    NOTARY_ISSUER_ID: key.issuerId,
  };
}

interface Ended {
  readonly error: unknown;
  readonly lastLine: string | undefined;
  readonly again: string | null;
  readonly exitCode: number;
}

/** Runs a real release, not a rehearsal, and says how it ended, as the command line does. */
async function run(out: string, options: ReleaseOptions, stopAt?: string): Promise<Ended> {
  const controller = new AbortController();
  const hear = (text: string) => {
    if (stopAt !== undefined && text.includes(stopAt)) controller.abort();
  };
  const typed = { argv: ['release', '--release'], root, program: join(root, '.build/cli.mjs'), cwd: root };
  const context: CommandContext = {
    ...typed,
    progress: createProgress({ stream: { write: hear }, verbose: true, color: false }),
    signal: controller.signal,
    json: false,
    verbose: false,
    env,
    trust: authority.trust,
  };
  const error: unknown = await release(context, { release: true, toolchain: 'portable', out, ...options }).then(
    () => undefined,
    (caught) => caught,
  );
  const ways = { again: commandAgain(typed), anew: commandAnew(typed) };
  const { again, exitCode } = errorDocument(error, ways).error;
  return { error, lastLine: renderError(error, false, ways).trimEnd().split('\n').at(-1), again, exitCode };
}

let count = 0;
/** Goes on with a copy of the release that is signed. */
function resume(options: ReleaseOptions = {}, stopAt?: string): Promise<Ended> {
  const out = join(root, `out-${count++}`);
  cpSync(signed, out, { recursive: true });
  return run(out, { resume: true, ...options }, stopAt);
}

const errorBody = (code: string) => JSON.stringify({ errors: [{ status: '403', code, title: code, detail: 'd' }] });
const AGREEMENT = errorBody('FORBIDDEN.REQUIRED_AGREEMENTS_MISSING_OR_EXPIRED');
const always = Number.POSITIVE_INFINITY;

describe('the last line of a release that ends early', () => {
  it.each<[string, Partial<RehearsalOptions>, ReleaseOptions, number, string]>([
    ['Apple refuses the package', { verdict: 'Invalid' }, {}, 4, ANEW],
    ['Apple rejects the team', { verdict: 'Rejected' }, {}, 4, MENDED],
    [
      'an agreement has to be signed',
      { faults: [{ at: 'history', kind: 'http', status: 403, body: AGREEMENT, times: always }] },
      {},
      4,
      MENDED,
    ],
    [
      'a submission is refused',
      { faults: [{ at: 'submit', kind: 'http', status: 403, body: AGREEMENT, times: always }] },
      {},
      4,
      MENDED,
    ],
    ['the wait is over', { verdictAfterMs: 600_000 }, { maxWait: 1 }, 5, GO_ON],
  ])('where %s', async (_, services, options, exitCode, lastLine) => {
    configure(await start(services));
    const ended = await resume(options);
    expect([ended.exitCode, ended.lastLine], String(ended.error)).toEqual([exitCode, lastLine]);
    expect(lastLine.endsWith(ended.again as string)).toBe(true);
  });

  it.each(['asking whether they are ready', 'uploading', 'waiting for the notary', 'staple', 'verify'])(
    'where Ctrl-C comes at %j',
    async (words) => {
      configure(await start());
      expect(await resume({}, words)).toMatchObject({ exitCode: 130, lastLine: GO_ON });
    },
  );

  /** The pauses between tries are not waited for. */
  const withoutPauses = () => vi.spyOn(systemClock, 'sleep').mockResolvedValue();

  it.each(['notary', 'tickets', 'timestamp'])('where nobody answers at the address of %s', async (service) => {
    withoutPauses();
    configure(await start(), { [service]: `${CLOSED}/x` });
    expect(await resume()).toMatchObject({ exitCode: 5, lastLine: GO_ON });
  });

  it('where the proxy is gone, and with it every way to Apple', async () => {
    const services = JSON.parse(readFileSync('release.config.json', 'utf8')).services;
    configure(await start(), services);
    withoutPauses();
    useProxies({ HTTPS_PROXY: CLOSED, HTTP_PROXY: CLOSED });
    const begun = await run(join(root, 'offline'), {});
    expect(begun, String(begun.error)).toMatchObject({ exitCode: 5, lastLine: GO_ON });
    expect(String(begun.error)).toContain('through the proxy 127.0.0.1:9');
    expect(await resume()).toMatchObject({ exitCode: 5, lastLine: GO_ON });
  });
});
