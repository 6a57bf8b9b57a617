import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { accessBuffer } from '../../../src/base/random-access.ts';
import { signBundle } from '../../../src/code-signature/sign/sign-bundle.ts';
import { verifyBundle } from '../../../src/code-signature/verify/verify-code.ts';
import { checkStapled, stapleBundle, staplePackage } from '../../../src/notary/ticket/staple.ts';
import { type RehearsalServices, startRehearsalServices } from '../../../src/rehearsal/services.ts';
import { makeTicket } from '../../../src/rehearsal/ticket-maker.ts';
import { readXar } from '../../../src/xar/read.ts';
import { buildTrailer, parseTrailer } from '../../../src/xar/trailer.ts';
import { sampleBundle } from '../../code-signature/sample.ts';
import { NOW, rehearsalSigner } from '../../code-signature/signers.ts';
import { standingClock } from '../../support/standing-clock.ts';
import { samplePackage } from '../sample-package.ts';

let folder: string;
let services: RehearsalServices;
let rehearsal: Awaited<ReturnType<typeof rehearsalSigner>>;
const clock = standingClock(NOW);
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'staple-'));
  rehearsal = await rehearsalSigner();
  services = await startRehearsalServices({ authority: rehearsal.authority, clock });
});
afterAll(async () => {
  await services.close();
  rmSync(folder, { recursive: true });
});

const options = () => ({
  url: services.ticketUrl,
  trust: rehearsal.authority.trust,
  clock,
  tell: () => undefined,
  goOn: 'again',
});

/** Makes the ticket service know a ticket. */
async function publish(recordName: string, hashType: number, digest: Buffer): Promise<Buffer> {
  const ticket = makeTicket(rehearsal.authority, [{ hashType, digest }], NOW);
  const keys = { accessKeyId: '', secretAccessKey: '', sessionToken: '', expires: 0 };
  const verdict = {
    from: 0,
    status: 'Accepted',
    log: {},
    tickets: [{ recordName, ticket: ticket.toString('base64'), from: 0 }],
  };
  const names = { name: 'x.pkg', sha256: '', object: '', createdDate: '' };
  await services.store.put({ id: recordName, ...names, keys, verdict });
  return ticket;
}

async function signedPackage(): Promise<{ path: string; data: Buffer; digest: Buffer }> {
  const data = await samplePackage([], { note: Buffer.from('hello') }, { authority: rehearsal.authority });
  const path = join(folder, 'Example-1.0.0.pkg');
  writeFileSync(path, data);
  return { path, data, digest: (await readXar(accessBuffer(data))).checksum.value };
}

describe('a package', () => {
  it('gets its ticket behind its last byte, the same bytes in front of it', async () => {
    const { path, data, digest } = await signedPackage();
    const ticket = await publish(`2/1/${digest.toString('hex')}`, 1, digest);
    const { issuedAt, unchanged } = await staplePackage(path, options());
    expect([issuedAt, unchanged]).toEqual([NOW, false]);
    expect(readFileSync(path)).toEqual(Buffer.concat([data, buildTrailer(ticket)]));
    expect(await staplePackage(path, options())).toMatchObject({ unchanged: true });
  });

  it.each([0o600, 0o644, 0o750])('keeps the mode %i of its file', async (mode) => {
    const { path, digest } = await signedPackage();
    await publish(`2/1/${digest.toString('hex')}`, 1, digest);
    chmodSync(path, mode);
    expect(await staplePackage(path, options())).toMatchObject({ unchanged: false });
    expect(statSync(path).mode & 0o7777).toBe(mode);
  });

  it('loses an older ticket when it gets a new one', async () => {
    const { path, data, digest } = await signedPackage();
    const old = makeTicket(rehearsal.authority, [{ hashType: 1, digest }], new Date(NOW.getTime() - 1000));
    writeFileSync(path, Buffer.concat([data, buildTrailer(old), buildTrailer(old)]));
    const ticket = await publish(`2/1/${digest.toString('hex')}`, 1, digest);
    await staplePackage(path, options());
    expect(parseTrailer(readFileSync(path).subarray(data.length))).toMatchObject({ ticket, unexplained: 0 });
    expect(readFileSync(path).length).toBe(data.length + ticket.length + 32);
  });

  it('is not stapled without signature, nor over bytes that nobody knows', async () => {
    const { path, data } = await signedPackage();
    writeFileSync(path, Buffer.concat([data, Buffer.from('unknown bytes here')]));
    await expect(staplePackage(path, options())).rejects.toMatchObject({ code: 'STAPLE_UNKNOWN' });
    writeFileSync(path, await samplePackage([], {}, { authority: rehearsal.authority, role: null }));
    await expect(staplePackage(path, options())).rejects.toMatchObject({ code: 'STAPLE_UNSIGNED' });
  });

  it('with the ticket of another is found out', async () => {
    const { path, data } = await signedPackage();
    const other = makeTicket(rehearsal.authority, [{ hashType: 1, digest: Buffer.alloc(20, 7) }], NOW);
    writeFileSync(path, Buffer.concat([data, buildTrailer(other)]));
    await expect(checkStapled(path, rehearsal.authority.trust)).rejects.toMatchObject({ code: 'STAPLE_INVALID' });
    writeFileSync(path, data);
    await expect(checkStapled(path, rehearsal.authority.trust)).rejects.toMatchObject({ code: 'STAPLE_INVALID' });
  });
});

describe('a bundle', () => {
  it('gets its ticket as Contents/CodeResources, and its seal holds', async () => {
    const { entries, slices } = await signBundle(sampleBundle(), rehearsal.signer);
    const bundle = join(folder, 'Sample.bundle');
    for (const entry of entries) {
      if (!('data' in entry)) continue;
      mkdirSync(dirname(join(bundle, entry.path)), { recursive: true });
      writeFileSync(join(bundle, entry.path), entry.data);
    }
    // Any slice's ticket will do; this is that of the second one.
    const digest = slices[1]!.cdHash;
    const ticket = await publish(`2/2/${digest.toString('hex')}`, 2, digest);
    await stapleBundle(bundle, options());
    const stapled = {
      path: 'Contents/CodeResources',
      mode: 0o644,
      data: readFileSync(join(bundle, 'Contents/CodeResources')),
    };
    expect(stapled.data).toEqual(ticket);
    const report = verifyBundle([...entries, stapled], { ...rehearsal.expectations, ours: false });
    expect(report.checks.filter(({ status }) => status === 'fail')).toEqual([]);
    expect(await stapleBundle(bundle, options())).toMatchObject({ unchanged: true });
  });
});
