import { open } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FormatError } from '../../src/base/errors.ts';
import { accessFile } from '../../src/base/random-access.ts';
import { readXar } from '../../src/xar/read.ts';
import { buildTrailer, parseTrailer, STAPLE_TRAILER } from '../../src/xar/trailer.ts';
import { realPackages } from '../support/needs.ts';
import { faultOf } from '../support/xar.ts';

const TICKET = Buffer.from('s8ch ticket');
const STAPLE = buildTrailer(TICKET);
const trailer = (type: number, length: number) =>
  STAPLE_TRAILER.encode({ magic: 't8lr', version: 1, type, length, reserved: Buffer.alloc(4) });
const terminator = trailer(1, 0);

describe('buildTrailer', () => {
  it('puts the ticket between terminator and trailer, little-endian', () => {
    expect(buildTrailer(Buffer.from('ab')).toString('hex')).toBe(
      '74386c72' +
        '0100' +
        '0100' +
        '00000000' +
        '00000000' +
        '6162' +
        '74386c72' +
        '0100' +
        '0200' +
        '02000000' +
        '00000000',
    );
  });
});

describe('parseTrailer', () => {
  it('gives back the ticket that was stapled', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (ticket) => {
        const data = buildTrailer(Buffer.from(ticket));
        expect(parseTrailer(data)).toEqual({
          kind: 'stapled',
          ticket: Buffer.from(ticket),
          size: data.length,
          unexplained: 0,
        });
      }),
    );
  });

  it('takes the last ticket and counts what lies before its chain', () => {
    const twice = Buffer.concat([Buffer.from('old'), buildTrailer(Buffer.from('first')), STAPLE]);
    expect(parseTrailer(twice)).toEqual({ kind: 'stapled', ticket: TICKET, size: STAPLE.length, unexplained: 40 });
  });

  it('takes the last of two tickets in one chain', () => {
    const chain = Buffer.concat([buildTrailer(Buffer.from('first')), Buffer.from('second'), trailer(2, 6)]);
    expect(parseTrailer(chain)).toMatchObject({ ticket: Buffer.from('second'), size: chain.length });
  });

  it('passes over trailers of types it does not know', () => {
    const chain = Buffer.concat([STAPLE, Buffer.from('new'), trailer(7, 3)]);
    expect(parseTrailer(chain)).toMatchObject({ kind: 'stapled', ticket: TICKET, size: chain.length });
  });

  it('tells bytes that are not a trailer from none', () => {
    expect(parseTrailer(Buffer.alloc(0))).toEqual({ kind: 'absent' });
    expect(parseTrailer(Buffer.alloc(15))).toEqual({ kind: 'unknown', size: 15 });
    expect(parseTrailer(Buffer.alloc(3000))).toEqual({ kind: 'unknown', size: 3000 });
  });

  const end = STAPLE.length - 16;
  const changed = (offset: number, value: number) => {
    const copy = Buffer.from(STAPLE);
    copy[offset] = value;
    return copy;
  };
  const faults: [string, Buffer, string, number][] = [
    ['version 2', changed(end + 4, 2), 'STAPLE_VERSION', end + 4],
    ['type 0', changed(end + 6, 0), 'STAPLE_TYPE', end + 6],
    ['a length that is too large', changed(end + 8, 200), 'STAPLE_LENGTH', end + 8],
    ['a length that is one too large', changed(end + 8, TICKET.length + 1), 'STAPLE_CHAIN', 0],
    ['a length that is one too small', changed(end + 8, TICKET.length - 1), 'STAPLE_CHAIN', 1],
    ['reserved bytes that are not zero', changed(end + 15, 1), 'STAPLE_RESERVED', end + 12],
    ['another magic of the terminator', changed(0, 0), 'STAPLE_CHAIN', 0],
    ['version 0 of the terminator', changed(4, 0), 'STAPLE_VERSION', 4],
    ['another type of the terminator', changed(6, 3), 'STAPLE_CHAIN', 0],
    ['a terminator with a length', changed(8, 1), 'STAPLE_LENGTH', 8],
    ['a terminator with a length within reach', Buffer.concat([Buffer.alloc(3), changed(8, 1)]), 'STAPLE_LENGTH', 11],
    ['reserved bytes of the terminator', changed(12, 1), 'STAPLE_RESERVED', 12],
    ['no terminator', STAPLE.subarray(16), 'STAPLE_CHAIN', 0],
    ['a terminator alone', terminator, 'STAPLE_TICKET_MISSING', 0],
    ['no ticket in the chain', Buffer.concat([terminator, trailer(9, 0)]), 'STAPLE_TICKET_MISSING', 0],
  ];
  it.each(faults)('refuses %s', async (_, data, code, offset) => {
    expect(await faultOf(() => parseTrailer(data))).toMatchObject({ code, offset, format: 'staple' });
  });

  it('ends every chain of random trailers with an answer or a FormatError', () => {
    const piece = fc.tuple(fc.uint8Array({ maxLength: 20 }), fc.nat(3), fc.nat(40));
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 4 }), (pieces) => {
        const data = Buffer.concat(
          pieces.flatMap(([bytes, type, length]) => [Buffer.from(bytes), trailer(type, length)]),
        );
        try {
          expect(parseTrailer(data).kind).toMatch(/^(absent|stapled|unknown)$/);
        } catch (error) {
          expect(error).toBeInstanceOf(FormatError);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('takes no cut staple for a whole one', async () => {
    for (let start = 1; start < STAPLE.length; start++) {
      const cut = STAPLE.subarray(start);
      if (cut.length < 16) expect(parseTrailer(cut).kind).toBe('unknown');
      else expect((await faultOf(() => parseTrailer(cut))).code).toMatch(/^STAPLE_(CHAIN|LENGTH)$/);
    }
    for (let length = 1; length < STAPLE.length; length++) {
      const cut = STAPLE.subarray(0, length);
      if (length === 16) expect((await faultOf(() => parseTrailer(cut))).code).toBe('STAPLE_TICKET_MISSING');
      else expect(parseTrailer(cut).kind, `${length} bytes`).toBe('unknown');
    }
  });

  /** Known from the packages' origin: two were stapled by Apple's stapler, two carry bytes of 2017 that are not a ticket. */
  const KINDS = [
    ['installomator-0.5-2021.pkg', 'stapled'],
    ['xcreds-launch-agent-2024.pkg', 'stapled'],
    ['santa-0.9.19-2017.pkg', 'unknown'],
    ['setwallpaper-2017.pkg', 'unknown'],
    ['jq-1.8.1-2025.pkg', 'absent'],
  ] as const;
  it.skipIf(realPackages.missing).each(KINDS)(`finds %s %s${realPackages.note}`, async (name, kind) => {
    const handle = await open(join(realPackages.folder as string, 'pkg', name));
    const archive = await readXar(await accessFile(handle));
    const data = await archive.access.read(archive.trailing.offset, archive.trailing.size);
    await handle.close();
    const found = parseTrailer(data);
    expect(found.kind).toBe(kind);
    if (found.kind !== 'stapled') return;
    expect(found.unexplained).toBe(0);
    expect(found.ticket.toString('latin1', 0, 4)).toBe('s8ch');
    expect(buildTrailer(found.ticket).equals(data)).toBe(true);
  });
});
