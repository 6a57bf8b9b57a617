import { describe, expect, it } from 'vitest';
import { checkWhole } from '../../../build/prove/check-whole.ts';
import { CheckList } from '../../../src/base/check.ts';
import { accessBuffer } from '../../../src/base/random-access.ts';
import type { OpenPackage } from '../../../src/package/open-package.ts';
import { cmsRoom } from '../../../src/package/sign-product.ts';
import { readXar } from '../../../src/xar/read.ts';
import type { SignatureReservation } from '../../../src/xar/toc-render.ts';
import { emitXar, layoutXar, storedFile } from '../../../src/xar/write.ts';
import { collect, SECONDS } from '../../support/xar.ts';

const certificates = [Buffer.alloc(70, 1)];
const ROOMS: readonly SignatureReservation[] = [
  { style: 'RSA', size: 256, certificates },
  { style: 'CMS', size: cmsRoom(certificates), certificates },
];
const SIGNATURES = [Buffer.alloc(256, 3), Buffer.alloc(1000, 4)];

const made = (content: string, rooms: readonly SignatureReservation[] = ROOMS, creationTime = SECONDS) =>
  collect(
    emitXar(
      layoutXar([storedFile('a', Buffer.from(content))], { creationTime, signatures: rooms }),
      rooms.map((_, index) => SIGNATURES[index] as Buffer),
    ),
  );
const opened = async (file: Buffer, changed: object = {}) =>
  ({ archive: { ...(await readXar(accessBuffer(file))), ...changed } }) as OpenPackage;

/** What is said of a finished file beside the one that sources make, as `id status: reason`. */
async function told(found: Buffer, own: Buffer, otherZlib: string | null = null, changed: object = {}) {
  const list = new CheckList('package');
  await checkWhole(list, await opened(found, changed), await opened(own), otherZlib);
  return list.checks.map(({ id, status, reason }) => `${id} ${status}${reason === undefined ? '' : `: ${reason}`}`);
}

describe('the whole file', () => {
  const SAME = ['rebuilt-toc pass', 'rebuilt-whole pass'];

  it('is the same once the signatures are put into an unsigned one', async () => {
    const own = await made('alpha', []);
    expect(await told(await made('alpha'), own)).toEqual(SAME);
    expect(await told(own, own)).toEqual(SAME);
    expect(await told(own, own, 'zlib 2')).toEqual(SAME);
  });

  it('may have a ticket behind it', async () => {
    const ticket = Buffer.from('ticket');
    expect(await told(Buffer.concat([await made('alpha'), ticket]), await made('alpha', []))).toEqual(SAME);
  });

  it('with another table of contents is not looked into', async () => {
    expect(await told(await made('alpha', ROOMS, SECONDS + 1), await made('alpha', []))).toEqual([
      expect.stringMatching(/^rebuilt-toc fail: table of contents, byte \d+, in <creation-time>: expected /),
      'rebuilt-whole skipped: the table of contents differs',
    ]);
  });

  it('with another byte is named by it, which another zlib may be the reason for', async () => {
    const [found, own] = [await made('alpha'), await made('alpha', [])];
    const last = found.length - 1;
    found[last]! ^= 1;
    const words = `byte ${last}: expected 61, found 60`;
    expect(await told(found, own)).toEqual(['rebuilt-toc pass', `rebuilt-whole fail: ${words}`]);
    expect(await told(found, own, 'zlib 2')).toEqual(['rebuilt-toc pass', `rebuilt-whole pass: ${words}: zlib 2`]);
  });

  it('with a signature of a style that no package has is told', async () => {
    const found = await made('alpha');
    const { signatures } = (await readXar(accessBuffer(found))) as { signatures: readonly object[] };
    const strange = { signatures: [signatures[0], { ...signatures[1], style: 'PGP' }] };
    expect(await told(found, await made('alpha', []), null, strange)).toEqual([
      'rebuilt-toc fail: a signature of style PGP in the element x-signature',
    ]);
  });
});
