import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { PipelineError } from '../../../src/base/errors.ts';
import type { BundleEntry } from '../../../src/code-signature/bundle-entry.ts';
import { signBundle } from '../../../src/code-signature/sign/sign-bundle.ts';
import { stapleBundle } from '../../../src/notary/ticket/staple.ts';
import { appleTrust } from '../../../src/pki/x509/apple-roots.ts';
import { sampleBundle } from '../../code-signature/sample.ts';
import { rehearsalSigner } from '../../code-signature/signers.ts';
import { standingClock } from '../../support/standing-clock.ts';
import { makeTicket } from './make-ticket.ts';

let folder: string;
/** The last error, in full. */
let problem = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bundle-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function put(entries: readonly BundleEntry[]): void {
  for (const entry of entries) {
    if (!('data' in entry)) continue;
    mkdirSync(dirname(join(folder, entry.path)), { recursive: true });
    writeFileSync(join(folder, entry.path), entry.data);
  }
}
/** Nobody answers there, and nobody waits. */
const staple = (url = 'http://127.0.0.1:1/') =>
  stapleBundle(folder, { url, trust: appleTrust(), clock: standingClock(new Date()), maxWaitMs: 0, tell: () => undefined, goOn: 'later' }).then(
    () => 'stapled',
    (error: PipelineError) => {
      problem = error.message;
      return `${error.code}: ${error.message.split(' within')[0]}`;
    },
  ); // biome-ignore format: short

describe('stapleBundle', () => {
  it('looks for the ticket of each slice of the main executable', async () => {
    const { entries, slices } = await signBundle(sampleBundle(), { kind: 'ad-hoc' });
    put(entries);
    const names = slices.map(({ cdHash }) => `2/2/${cdHash.toString('hex')}`);
    expect(await staple()).toBe(`TICKET_LATE: no ticket for ${names.join(' or ')}`);
  });

  it('says of a wrong ticket what is wrong for the first slice', async () => {
    const { entries, slices } = await signBundle(sampleBundle(), { kind: 'ad-hoc' });
    put(entries);
    const { authority } = await rehearsalSigner();
    const value = makeTicket(authority, { digest: Buffer.alloc(20, 7) }).toString('base64');
    const recordName = `2/2/${slices[1]?.cdHash.toString('hex')}`;
    const answer = JSON.stringify({ records: [{ recordName, fields: { signedTicket: { value } } }] });
    const server = createServer((request, response) => {
      request.resume();
      request.on('end', () => response.end(answer));
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const { port } = server.address() as AddressInfo;
    const said = await staple(`http://127.0.0.1:${port}/`);
    await new Promise((done) => void server.close(done));
    expect(said).toMatch(/^TICKET_WRONG/);
    expect(problem).toContain(`not for ${slices[0]?.cdHash.toString('hex')}`);
  });

  it('has nothing to look for in a bundle that is not signed, or names no file', async () => {
    const named = (value: string): BundleEntry => ({
      path: 'Contents/Info.plist',
      mode: 0o644,
      data: Buffer.from(`<plist version="1.0"><dict><key>CFBundleExecutable</key>${value}</dict></plist>`),
    });
    put(sampleBundle());
    expect(await staple()).toBe(`STAPLE_UNSIGNED: ${folder} is not signed, so there can be no ticket for it`);
    const words = 'PLIST_INVALID: Info.plist, offset 0: expected a file name for the key CFBundleExecutable';
    for (const value of ['<integer>1</integer>', '<string>../x</string>']) {
      put([named(value)]);
      expect(await staple()).toBe(words);
    }
  });
});
