import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { openRehearsalAuthority } from '../../../src/rehearsal/authority.ts';
import { type RehearsalServices, startRehearsalServices } from '../../../src/rehearsal/services.ts';
import { builtPackage } from '../../support/built-package.ts';
import { inProcess } from '../../support/in-process.ts';

/** A project whose services are played here, and a key of its notary. */
let root: string;
let services: RehearsalServices;
let key: NodeJS.ProcessEnv;
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'services-'));
  cpSync('package.json', join(root, 'package.json'));
  cpSync('.rehearsal', join(root, '.rehearsal'), { recursive: true });
  services = await startRehearsalServices({
    authority: await openRehearsalAuthority(join(root, '.rehearsal')),
    faults: [{ at: 'status', kind: 'http', status: 503, times: Number.POSITIVE_INFINITY }],
  });
  const config = JSON.parse(readFileSync('release.config.json', 'utf8'));
  Object.assign(config.services, { notary: services.notaryUrl, tickets: services.ticketUrl });
  writeFileSync(join(root, 'release.config.json'), JSON.stringify(config));
  const pem = services.key.key.export({ type: 'pkcs8', format: 'pem' }) as string;
  key = { NOTARY_KEY: pem, NOTARY_KEY_ID: services.key.keyId, NOTARY_ISSUER_ID: services.key.issuerId };
});
afterEach(() => vi.restoreAllMocks());
afterAll(async () => {
  await services.close();
  rmSync(root, { recursive: true, force: true });
});

const run = (argv: string[], env: NodeJS.ProcessEnv = {}) => inProcess(argv, { cwd: root, env });
/** The services that a rehearsal plays must be gone when its command is: they would keep the process alive. */
function servers() {
  const [listen, close] = (['listen', 'close'] as const).map((what) => vi.spyOn(Server.prototype, what));
  return () => [listen?.mock.calls.length, close?.mock.calls.length];
}
/** The package of this run, as it was before its ticket. */
function unstapled(name: string): string {
  const path = join(root, name);
  const data = readFileSync(builtPackage());
  // Source: the trailers of stapled packages, which begin with these four letters.
  writeFileSync(path, data.subarray(0, data.indexOf('t8lr', Math.max(0, data.length - 32_768))));
  return path;
}

describe('notarize', () => {
  const ID = '00000000-0000-4000-8000-000000000001';

  it('asks the notary of its key, again after 1, 2, 4 and 8 s where it is busy', async () => {
    // What is added by chance, so that not all ask again at once.
    vi.spyOn(Math, 'random').mockReturnValue(0);
    const sleep = vi.spyOn(systemClock, 'sleep').mockResolvedValue();
    const found = await run(['notarize', '--status', ID], key);
    expect([found.status, sleep.mock.calls.map(([ms]) => ms)]).toEqual([5, [1000, 2000, 4000, 8000]]);
    expect(found.stderr).not.toContain('NOTARY_KEY is not set');
    expect(services.calls.get('status')).toBe(5);
  });

  it('leaves no service of a rehearsal behind', async () => {
    const begunAndEnded = servers();
    expect((await run(['notarize', '--status', ID])).status).toBe(2);
    expect(begunAndEnded()).toEqual([1, 1]);
  });
});

describe('staple', () => {
  it('puts the ticket behind a package that has none, and says when it was there', async () => {
    const path = unstapled('a.pkg');
    const begunAndEnded = servers();
    const issued = /issued \d{4}-\d\d-\d\dT[\d:.]+Z\n$/;
    const stapled = await run(['staple', '--trust', 'rehearsal', path]);
    expect([stapled.status, stapled.stdout], stapled.stderr).toEqual([0, expect.stringMatching(issued)]);
    expect(stapled.stdout).toContain(`${path}: stapled and verified offline, `);
    expect(readFileSync(path).equals(readFileSync(builtPackage()))).toBe(true);
    expect((await run(['staple', '--trust', 'rehearsal', path])).stdout).toContain(': bears this ticket already, ');
    const { schema, unchanged } = JSON.parse((await run(['staple', '--trust', 'rehearsal', '--json', path])).stdout);
    expect([schema, unchanged]).toEqual([1, true]);
    expect(begunAndEnded()).toEqual([3, 3]);
  });

  it("asks Apple where nothing else is said, or that is, and needs no key of Apple's", async () => {
    const path = unstapled('b.pkg');
    for (const [calls, argv] of [[], ['--trust', 'apple']].entries()) {
      const found = await run(['staple', ...argv, '--max-wait', '0s', path]);
      expect([found.status, found.stderr]).toEqual([5, expect.stringMatching(/no ticket for 2\/\S+ within 0 s/)]);
      expect(services.calls.get('ticket')).toBe(calls + 1);
    }
  });
});
