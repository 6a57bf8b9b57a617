import { describe, expect, it } from 'vitest';
import { CPIO_SHAPES, cpioFormat, decodeCpioHeader, shortCounts } from '../../src/cpio/header.ts';
import { errorOf, faultOf } from '../support/payload.ts';

/** Widths in order of POSIX.1-1997 (pax, "cpio Interchange Format"): dev, ino, mode, uid, gid, nlink, rdev, mtime, namesize, filesize. */
const ODC = [
  '070707',
  '000001',
  '000012',
  '100644',
  '000501',
  '000024',
  '000003',
  '000007',
  '14712345671',
  '000011',
  '00000000377',
];
/** Fields of eight digits in order of cpio(5), "New ASCII Format": ino, mode, uid, gid, nlink, mtime, filesize, devmajor, devminor, … */
const NEWC = ['1', '81a4', '1f5', '14', '3', '6553f100', 'ff', '2', '8', '5', '6', '9', 'AbCdEf'].map((digits) =>
  digits.padStart(8, '0'),
);

const odc = Buffer.from(ODC.join(''));
const newc = (magic: string) => Buffer.from(magic + NEWC.join(''));

describe('decodeCpioHeader', () => {
  it('reads each field of an odc header', () => {
    expect(odc.length).toBe(76);
    expect(decodeCpioHeader(odc, 'odc', 0)).toEqual({
      ...{ format: 'odc', device: 0o1, ino: 0o12, mode: 0o100644, uid: 0o501, gid: 0o24, nlink: 3 },
      ...{ mtimeSeconds: 0o14712345671, nameSize: 0o11, fileSize: 0o377, checksum: 0 },
    });
  });

  it.each([
    ['070701', 'newc', 0],
    ['070702', 'crc', 0xabcdef],
  ] as const)('reads each field of a header with magic %s (%s)', (magic, format, checksum) => {
    expect(newc(magic).length).toBe(110);
    expect(decodeCpioHeader(newc(magic), format, 0)).toEqual({
      ...{ format, device: 2 * 2 ** 32 + 8, ino: 1, mode: 0o100644, uid: 501, gid: 20, nlink: 3 },
      ...{ mtimeSeconds: 1_700_000_000, nameSize: 9, fileSize: 255, checksum },
    });
  });

  it.each([
    ['odc', odc, '8', [6, 12, 18, 24, 30, 36, 42, 48, 59, 65]],
    ['newc', newc('070701'), 'g', Array.from({ length: 13 }, (_, index) => 6 + 8 * index)],
  ] as const)(
    'names the first field of a header in %s that is not a number',
    async (format, header, letter, places) => {
      for (const at of places) {
        for (const bad of [letter, ' ', '-', '\0']) {
          const data = Buffer.from(header);
          data.write(bad, at, 'latin1');
          expect(await faultOf(() => decodeCpioHeader(data, format, 1000))).toEqual({
            code: 'CPIO_FIELD',
            offset: 1000 + at,
          });
        }
      }
    },
  );
});

describe('a number in a header', () => {
  it.each([
    ['odc', odc, 'expected mode of 6 octal digits, found "x00644"'],
    ['newc', newc('070701'), 'expected mode of 8 hexadecimal digits, found "x00081a4"'],
  ] as const)('of %s that is none is shown, with what it should be', async (format, header, words) => {
    const data = Buffer.from(header);
    data.write('x', format === 'odc' ? 18 : 14, 'latin1');
    expect((await errorOf(() => decodeCpioHeader(data, format, 0))).message).toContain(words);
  });
});

describe('cpioFormat', () => {
  it.each([
    ['070707', 'odc', 76, 1],
    ['070701', 'newc', 110, 4],
    ['070702', 'crc', 110, 4],
  ] as const)(
    'tells %s for %s, whose header has %i bytes and whose parts are padded to %i',
    (magic, format, headerSize, alignment) => {
      expect(cpioFormat(Buffer.from(`${magic}000`), 0)).toBe(format);
      expect(CPIO_SHAPES[format]).toEqual({ headerSize, alignment });
    },
  );

  it.each(['070703', '07070', ' 70707', '\xc7\x71xxxx'])('refuses %j', async (magic) => {
    expect(await faultOf(() => cpioFormat(Buffer.from(magic, 'latin1'), 7))).toEqual({ code: 'CPIO_MAGIC', offset: 7 });
  });
});

describe('the number and the links of an entry', () => {
  // Six octal digits hold 2^18 - 1.
  it.each([
    [0, 0],
    [1, 1],
    [2 ** 18 - 1, 2 ** 18 - 1],
    [2 ** 18, 0],
    [2 ** 18 + 5, 5],
  ])('number %i is written as %i', (index, ino) => expect(shortCounts(index, 1)).toEqual({ ino, nlink: 1 }));

  it.each([
    [2 ** 18 - 1, 2 ** 18 - 1],
    [2 ** 18, 2 ** 18 - 1],
  ])('%i links are written as %i', (links, nlink) => expect(shortCounts(3, links)).toEqual({ ino: 3, nlink }));
});
