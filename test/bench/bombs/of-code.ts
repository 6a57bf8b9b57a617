import { encodeRequirementSet } from '../../../src/code-signature/requirement/requirement-set.ts';
import { signSlice } from '../../../src/code-signature/sign/sign-macho.ts';
import {
  CHAINED_FIXUPS_HEADER,
  CHAINED_STARTS_IN_SEGMENT,
  DYLD_INFO_COMMAND,
  LC_DYLD_CHAINED_FIXUPS,
  LC_DYLD_INFO_ONLY,
  LC_SEGMENT_64,
  LINKEDIT_DATA_COMMAND,
  SEGMENT_COMMAND_64,
} from '../../../src/macho/layout.ts';
import { TICKET_BODY, TICKET_ENTRY, TICKET_HEADER } from '../../../src/notary/ticket/ticket.ts';
import { context, DER_NULL, der, integer, oid, sequence, setOf } from '../../../src/pki/asn1/der.ts';
import { ALGORITHM, CMS } from '../../../src/pki/asn1/oids.ts';
import { buildTrailer } from '../../../src/xar/trailer.ts';
import { deflatedFile, emitXar, layoutXar } from '../../../src/xar/write.ts';
import { collect, file } from '../../support/payload.ts';
import { archive, type Bomb, certificates, DECODED, INFO, MIB, numbered, PROGRAM, payload } from './kit.ts';

/** Programs, signatures and tickets that are dear to check. */
export function codeBombs(): Bomb[] {
  return [...programBombs(), ...signatureBombs()];
}

const machHeader = (commands: number, size: number) => {
  const header = Buffer.from(PROGRAM);
  header.writeUInt32LE(commands, 16);
  header.writeUInt32LE(size, 20);
  return header;
};
const programs = (count: number, program: Buffer, level?: number) =>
  payload(
    numbered(count, (index) => [file(`./${index}`, program, 0o755)]),
    undefined,
    level,
  );

/** A segment without sections that may be written, and is large in memory. */
function segment(name = '', fileOffset = 0, fileSize = 0): Buffer {
  return SEGMENT_COMMAND_64.encode({
    command: LC_SEGMENT_64,
    size: SEGMENT_COMMAND_64.size,
    segmentName: Buffer.alloc(16, `${name.padEnd(16, '\0')}`),
    vmAddress: 0n,
    vmSize: 1n << 40n,
    fileOffset: BigInt(fileOffset),
    fileSize: BigInt(fileSize),
    maxProtection: 3,
    initialProtection: 3,
    sectionCount: 0,
    flags: 0,
  });
}

/** The least that can be signed. */
function signable(): Buffer {
  const [text, linkedit] = [segment('__TEXT', 0, 0x1000), segment('__LINKEDIT', 0x1000, 16)];
  return Buffer.concat([machHeader(2, 144), text, linkedit], 0x1010);
}

/** A program with one piece of data behind the commands that name it. */
function withPiece(segments: number, command: (at: number) => Buffer, piece: Buffer): Buffer {
  const size = segments * 72 + command(0).length;
  const at = 32 + size;
  return Buffer.concat([
    machHeader(segments + 1, size),
    ...Array.from({ length: segments }, () => segment()),
    command(at),
    piece,
  ]);
}

/** Opcodes that rebase one place a million times, again and again. */
function opcodes(size: number, unit: readonly number[]): Buffer {
  const again = Buffer.from(unit);
  const start = Buffer.from([0x11, 0x20, 0]);
  return Buffer.concat([start, Buffer.alloc(size, again)], size);
}

const dyldInfo = (size: number) => (at: number) =>
  DYLD_INFO_COMMAND.encode({
    command: LC_DYLD_INFO_ONLY,
    size: DYLD_INFO_COMMAND.size,
    rebaseOffset: at,
    rebaseSize: size,
    bindOffset: 0,
    bindSize: 0,
    weakBindOffset: 0,
    weakBindSize: 0,
    lazyBindOffset: 0,
    lazyBindSize: 0,
    exportOffset: 0,
    exportSize: 0,
  });
const chained = (size: number) => (at: number) =>
  LINKEDIT_DATA_COMMAND.encode({ command: LC_DYLD_CHAINED_FIXUPS, size: 16, dataOffset: at, dataSize: size });

/** A million imports whose names all begin where a text of many megabytes does. */
function imports(count: number, text: number): Buffer {
  const header = CHAINED_FIXUPS_HEADER.encode({
    version: 0,
    startsOffset: 28,
    importsOffset: 32,
    symbolsOffset: 32 + 4 * count,
    importsCount: count,
    importsFormat: 1,
    symbolsFormat: 0,
  });
  return Buffer.concat([
    header,
    Buffer.alloc(32 - header.length + 4 * count),
    Buffer.alloc(text, 'a'),
    Buffer.alloc(1),
  ]);
}

/** Every segment has the same table of 65,000 pages. */
function pages(segments: number): Buffer {
  const starts = 4 + segments * 4;
  const table = CHAINED_STARTS_IN_SEGMENT.encode({
    structureSize: 22 + 2 * 65_000,
    pageSize: 0x4000,
    pointerFormat: 2,
    segmentOffset: 0n,
    maxValidPointer: 0,
    pageCount: 65_000,
  } as Parameters<typeof CHAINED_STARTS_IN_SEGMENT.encode>[0]);
  const size = 28 + starts + 22 + 2 * 65_000;
  const data = Buffer.alloc(size);
  CHAINED_FIXUPS_HEADER.encode({
    version: 0,
    startsOffset: 28,
    importsOffset: size,
    symbolsOffset: size,
    importsCount: 0,
    importsFormat: 1,
    symbolsFormat: 0,
  }).copy(data);
  data.writeUInt32LE(segments, 28);
  for (let index = 0; index < segments; index++) data.writeUInt32LE(starts, 32 + index * 4);
  table.copy(data, 28 + starts, 0, 22);
  return data;
}

function programBombs(): Bomb[] {
  const fixups = (
    name: string,
    piece: Buffer,
    segments: number,
    command: (size: number) => (at: number) => Buffer,
    count = 1,
  ): Bomb => ({
    name,
    // What repeats itself is small at once, in a third of the time.
    make: () => programs(count, withPiece(segments, command(piece.length), piece), 1),
  });
  return [
    {
      name: 'a program of 90 MiB',
      make: () => payload([file('./tool', Buffer.concat([PROGRAM, Buffer.alloc(90 * MIB)]), 0o755)]),
    },
    {
      name: '1,000 programs of 400 KiB',
      make: () => programs(1000, Buffer.concat([PROGRAM, Buffer.alloc(400 * 1024)])),
    },
    {
      name: '200 programs of 4,000 segments',
      make: () =>
        programs(200, Buffer.concat([machHeader(4000, 4000 * 72), ...Array.from({ length: 4000 }, () => segment())])),
    },
    // A million times, and each step ends where it began: the distance is 2^64 - 8.
    fixups(
      'rebases of one place, a million times each',
      opcodes(64 * 1024, [0x80, 0x80, 0x80, 0x40, 0xf8, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]),
      1,
      dyldInfo,
    ),
    fixups('rebases without end', opcodes(1 * MIB, [0x51, 0x20, 0]), 1, dyldInfo, 400),
    { ...fixups('1,000,000 imports of one name of 30 MiB', imports(1_000_000, 30 * MIB), 0, chained), limit: DECODED },
    fixups('500,000 imports of one name of 20 MiB', imports(500_000, 20 * MIB), 0, chained),
    fixups('pages of 4,000 segments in one table', pages(4000), 4000, chained, 100),
  ];
}

const CERTIFICATES = 150;

/** As many certificates of one name as an ASN.1 reader takes, each of which could have issued the next. */
function manyCertificates(): Buffer {
  const all = certificates(CERTIFICATES);
  const algorithm = sequence(oid(ALGORITHM.sha256));
  const signer = sequence(
    integer(1),
    sequence(sequence(), integer(1)),
    algorithm,
    sequence(oid(ALGORITHM.sha256WithRsa), DER_NULL),
    der(0x04, Buffer.alloc(256)),
  );
  return sequence(
    oid(CMS.signedData),
    der(
      context(0),
      sequence(
        integer(1),
        setOf(algorithm),
        sequence(oid(CMS.data)),
        der(context(0), Buffer.concat(all)),
        setOf(signer),
      ),
    ),
  );
}

async function signed(cms: Buffer): Promise<Buffer> {
  const { data } = await signSlice(signable(), {
    identifier: 'a',
    teamIdentifier: 'ABCDE12345',
    flags: 0,
    infoPlist: null,
    codeResources: null,
    requirements: encodeRequirementSet(null),
    cms: async () => cms,
    signatureSize: cms.length + 64 * 1024,
  });
  return data;
}

function signatureBombs(): Bomb[] {
  const nulls = (count: number) => sequence(Buffer.alloc(2 * count, Buffer.from([5, 0])));
  return [
    {
      name: 'a signature of 1,000,000 bytes of nested ASN.1',
      make: () => signatureOf(Buffer.alloc(1_000_000, Buffer.from('3080', 'hex'))),
    },
    { name: 'a signature of 12 MiB of ASN.1', make: () => signatureOf(nulls(6 * MIB)) },
    {
      name: '990 programs with signatures of 6,000 ASN.1 values',
      make: async () => programs(990, await signed(nulls(6000))),
    },
    {
      name: '990 programs with signatures of 150 certificates',
      make: async () => programs(990, await signed(manyCertificates())),
    },
    {
      name: 'a ticket of 700,000 digests',
      make: async () =>
        Buffer.concat([await archive([deflatedFile('PackageInfo', INFO())]), buildTrailer(ticket(700_000))]),
      limit: /digests/,
    },
  ];
}

function signatureOf(cms: Buffer): Promise<Buffer> {
  const layout = layoutXar([deflatedFile('PackageInfo', INFO())], {
    creationTime: 0,
    signatures: [{ style: 'CMS', size: cms.length, certificates: [] }],
  });
  return collect(emitXar(layout, [cms]));
}

function ticket(count: number): Buffer {
  const certificates = sequence();
  const entry = TICKET_ENTRY.encode({ hashType: 1, digest: Buffer.alloc(20) });
  const body = TICKET_BODY.encode({
    magic: 'g8tk',
    version: 2,
    digestSize: 20,
    count,
    reserved: 0,
    issuedAt: 1_700_000_000n,
  });
  const bodySize = body.length + count * entry.length;
  const header = TICKET_HEADER.encode({ magic: 's8ch', version: 1, certificatesSize: certificates.length, bodySize });
  const signature = Buffer.concat([sequence(integer(1), integer(1))], 72);
  return Buffer.concat([header, certificates, body, Buffer.alloc(count * entry.length, entry), signature]);
}
