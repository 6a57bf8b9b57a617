import { describe, expect, it } from 'vitest';
import { inspectCode } from '../../../build/report/inspect-code.ts';
import { inspectPackage } from '../../../build/report/inspect-package.ts';
import { signatureLines, trailingParts } from '../../../build/report/inspect-signature.ts';
import { ifReadable } from '../../../build/report/inspection.ts';
import { FormatError } from '../../../src/base/errors.ts';
import { accessBuffer } from '../../../src/base/random-access.ts';
import { encodeBom } from '../../../src/bom/encode.ts';
import { fileAt } from '../../../src/code-signature/bundle-entry.ts';
import { signBundle } from '../../../src/code-signature/sign/sign-bundle.ts';
import {
  encodeBlob,
  encodeSuperBlob,
  MAGIC_BLOB_WRAPPER,
  MAGIC_EMBEDDED_SIGNATURE,
  parseSuperBlob,
  SLOT_CMS,
} from '../../../src/code-signature/super-blob.ts';
import { gzipMember } from '../../../src/cpio/gzip.ts';
import { writeCpio } from '../../../src/cpio/write.ts';
import { parseMacho } from '../../../src/macho/macho.ts';
import { NO_BUNDLE_LISTS, renderPackageInfo } from '../../../src/package/package-info.ts';
import type { PayloadEntry } from '../../../src/tree/entry.ts';
import { readXar } from '../../../src/xar/read.ts';
import { deflatedFile, emitXar, layoutXar, storedFile, type XarEntry } from '../../../src/xar/write.ts';
import { SAMPLE_EXECUTABLE, SAMPLE_IDENTIFIER, sampleBundle, sampleSlice } from '../../code-signature/sample.ts';
import { sharedAuthority } from '../../rehearsal/shared-authority.ts';
import { collect, directory, file, recordsOf } from '../../support/payload.ts';

const info = renderPackageInfo({
  ...{ identifier: 'com.example.a', version: '1.2', overwritePermissions: false, relocatable: false },
  ...{ postinstallAction: 'none', auth: 'root', payload: { numberOfFiles: 2, installKBytes: 3 } },
  ...{ bundles: [], lists: NO_BUNDLE_LISTS, scripts: [] },
});

describe('a part that is read', () => {
  it('is left out where it cannot be, which hides no fault of our own', () => {
    const thrown = (error: Error) => ifReadable(() => { throw error; }); // biome-ignore format: short
    expect([ifReadable(() => 7), thrown(new FormatError('A', 'b', 0, 'c'))]).toEqual([7, undefined]);
    expect(() => thrown(new TypeError('ours'))).toThrow('ours');
  });
});

describe('a signed program that is shown', () => {
  const signed = async () => {
    const bundle = sampleBundle().filter((entry) => 'data' in entry);
    const thin = bundle.map((entry) =>
      entry.path === SAMPLE_EXECUTABLE ? { ...entry, data: sampleSlice('arm64') } : entry,
    );
    return fileAt((await signBundle(thin, { kind: 'ad-hoc' })).entries, SAMPLE_EXECUTABLE) as Buffer;
  };
  const place = (program: Buffer) => parseMacho(program).codeSignature as { dataOffset: number; dataSize: number };
  const lastLines = (program: Buffer) => inspectCode(program).lines.slice(5);

  // Source of the bits: xnu osfmk/kern/cs_blobs.h.
  it.each([
    [0, 'no flags'],
    [0x2, 'adhoc'],
    [0x100, 'hard'],
    [0x200, 'kill'],
    [0x10000, 'runtime'],
    [0x20000, 'linker-signed'],
    [0x30302, 'adhoc hard kill runtime linker-signed'],
    [0x1 | 0x4 | 0x400 | 0x8000 | 0x40000, 'no flags'],
  ])('has its flags %i in words', async (flags, words) => {
    const program = await signed();
    const { dataOffset, dataSize } = place(program);
    const { blobs } = parseSuperBlob(program.subarray(dataOffset, dataOffset + dataSize), MAGIC_EMBEDDED_SIGNATURE);
    // The flags follow magic, length and version.
    program.writeUInt32BE(flags, dataOffset + 12 + 8 * blobs.length + 12);
    expect(lastLines(program)).toEqual([
      `  signature  ${SAMPLE_IDENTIFIER}, team none, ${words}`,
      expect.stringMatching(/^ {2}cdhash {5}[0-9a-f]{40}$/),
    ]);
  });

  it('is a document of what its bytes say', async () => {
    const program = await signed();
    const { slices } = inspectCode(program).document as { slices: object[] };
    expect(slices).toEqual([
      expect.objectContaining({ architecture: 'arm64', size: program.length, minimumMacOS: '11.0', sdk: '14.4' }),
    ]);
  });

  it('has no signature where nothing in it says what is signed', async () => {
    const program = await signed();
    const { dataOffset, dataSize } = place(program);
    const wrapper = encodeBlob(MAGIC_BLOB_WRAPPER, Buffer.alloc(0));
    const empty = encodeSuperBlob(MAGIC_EMBEDDED_SIGNATURE, [{ type: SLOT_CMS, data: wrapper }]);
    program.fill(0, dataOffset, dataOffset + dataSize);
    empty.copy(program, dataOffset);
    expect(lastLines(program)).toEqual(['  signature  none']);
  });
});

describe('a component package that is shown', () => {
  const [root, script] = [directory('.'), file('./postinstall', 'x', 0o755)];
  const packed = (...entries: PayloadEntry[]) => collect(gzipMember(writeCpio(entries), { level: 1 }));
  const bomOf = async (...entries: PayloadEntry[]) => deflatedFile('Bom', encodeBom(await recordsOf(entries)));

  /** The lines of the component, those of its Bom left out; and what the document says of it. */
  async function shown(...members: XarEntry[]) {
    const layout = layoutXar([...members, deflatedFile('PackageInfo', info)], { creationTime: 1 });
    const { document, lines } = await inspectPackage(accessBuffer(await collect(emitXar(layout))));
    const [component] = (document as { package: { components: Record<string, unknown>[] } }).package.components;
    return { lines: lines.filter((line) => !/^ {2}[-dl][0-7]{4} /.test(line)), component };
  }
  const head = [
    'Component package',
    '  title       none',
    '  runs on     any architecture, macOS of any version',
    expect.stringMatching(/^ {2}toc digest {2}sha1 [0-9a-f]{40}$/),
    '  signature   none',
    '  behind it   nothing',
    '',
    'Component com.example.a 1.2',
    '  installs    /, 2 entries, 3 KiB',
  ];

  it('may have neither payload nor scripts', async () => {
    const { lines, component } = await shown();
    expect(lines).toEqual([...head, '  scripts     none', '  payload     none']);
    expect(component).toMatchObject({ folder: '', scripts: [], payload: null, bom: null });
  });

  it('has its scripts by name, without their folders', async () => {
    const scripts = storedFile('Scripts', await packed(root, script, directory('./d'), file('./d/tool', 'y')));
    const { lines, component } = await shown(scripts);
    expect(lines).toEqual([...head, '  scripts     ./d/tool, ./postinstall', '  payload     none']);
    expect(component).toMatchObject({ scripts: ['./d/tool', './postinstall'] });
  });

  it('says whether its payload is what the Bom says', async () => {
    const payload = storedFile('Payload', await packed(root, file('./a', 'alpha')));
    const last = async (...members: XarEntry[]) => (await shown(payload, ...members)).lines.slice(head.length + 1);
    expect(await last()).toEqual(['  payload     2 entries, as the Bom says']);
    expect((await last(await bomOf(root, file('./a', 'alpha'))))[0]).toBe('  payload     2 entries, as the Bom says');
    expect((await last(await bomOf(root))).slice(0, 2)).toEqual([
      '  payload     2 entries, 1 differences from the Bom:',
      '    ./a: in the payload, not in the Bom',
    ]);
  });
});

describe('the signatures that are shown', () => {
  const nothing = { kind: 'absent', size: 0, ticketIssuedAt: null };

  it('have a line a certificate, the leaf with its end', () => {
    const signature = { style: 'CMS', size: 9, certificates: ['Leaf', 'Middle', 'Root'] };
    const [notAfter, timestamp] = ['2030-01-02T03:04:05.000Z', '2026-01-02T03:04:05.000Z'];
    expect(signatureLines([{ ...signature, notAfter, timestamp }], nothing)).toEqual([
      `  signature   CMS, 9 bytes, timestamp ${timestamp}`,
      '              Leaf, until 2030-01-02',
      '               Middle',
      '                Root',
      '  behind it   nothing',
    ]);
    expect(signatureLines([{ ...signature, certificates: [], notAfter: null, timestamp: null }], nothing)[0]).toBe(
      '  signature   CMS, 9 bytes',
    );
  });

  it('are read each by itself, whatever is wrong with another', async () => {
    const { certificate } = (await sharedAuthority()).members.installer;
    const signatures = [
      { style: 'RSA' as const, size: 256, certificates: [certificate.der] },
      { style: 'CMS' as const, size: 9, certificates: [Buffer.from('x')] },
    ];
    const layout = layoutXar([deflatedFile('PackageInfo', info)], { creationTime: 1, signatures });
    const archive = await collect(emitXar(layout, [Buffer.alloc(256), Buffer.alloc(9)]));
    const { document } = await inspectPackage(accessBuffer(archive));
    expect((document as { package: { signatures: object[] } }).package.signatures).toEqual([
      {
        ...{ style: 'RSA', size: 256, certificates: [certificate.commonName], timestamp: null },
        notAfter: certificate.notAfter.toISOString(),
      },
      { style: 'CMS', size: 9, certificates: ['unreadable'], notAfter: null, timestamp: null },
    ]);
  });

  it('say what lies behind the archive', async () => {
    expect(signatureLines([], { kind: 'stapled', size: 7, ticketIssuedAt: 'then' })[1]).toBe(
      '  behind it   stapled, 7 bytes, ticket of then',
    );
    const layout = layoutXar([deflatedFile('PackageInfo', Buffer.from('x'))], { creationTime: 1 });
    const archive = await collect(emitXar(layout));
    expect(await trailingParts(await readXar(accessBuffer(archive)))).toEqual(nothing);
    const more = await trailingParts(await readXar(accessBuffer(Buffer.concat([archive, Buffer.from('1234567')]))));
    expect(more).toMatchObject({ size: 7, ticketIssuedAt: null });
  });
});
