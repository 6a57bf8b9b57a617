import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inflateSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { XarAttributes } from '../../src/xar/toc-render.ts';
import { deflatedFile, directory, emitXar, layoutXar, storedFile, type XarEntry } from '../../src/xar/write.ts';
import { grapheme } from '../support/characters.ts';
import { check, needs } from '../support/needs.ts';
import { collect, faultOf, readWhole, SECONDS } from '../support/xar.ts';

const bsdtar = needs('bsdtar');
const xmllint = needs('xmllint');
const FILE: XarAttributes = { mode: 0o644, uid: 0, gid: 0, mtime: SECONDS };

const build = (entries: readonly XarEntry[]) => collect(emitXar(layoutXar(entries, { creationTime: SECONDS })));

describe('layoutXar', () => {
  it('writes the TOC as productbuild does', () => {
    const payload = storedFile('Payload', Buffer.from('payload'), FILE);
    const layout = layoutXar([deflatedFile('Distribution', Buffer.from('<x/>')), directory('a.pkg', [payload])], {
      creationTime: SECONDS,
      signatures: [{ style: 'RSA', size: 256, certificates: [Buffer.alloc(60, 1)] }],
    });
    // SHA-1 of `<x/>` and of `payload` by sha1sum; the deflated bytes depend on the version of zlib.
    const toc = inflateSync(layout.compressedToc).toString();
    const archived = /<archived-checksum style="sha1">([0-9a-f]{40})</.exec(toc)?.[1];
    expect(toc).toBe(`<?xml version="1.0" encoding="UTF-8"?>
<xar>
 <toc>
  <creation-time>2023-11-14T22:13:20</creation-time>
  <checksum style="sha1">
   <offset>0</offset>
   <size>20</size>
  </checksum>
  <signature style="RSA">
   <offset>20</offset>
   <size>256</size>
   <KeyInfo xmlns="http://www.w3.org/2000/09/xmldsig#">
    <X509Data>
     <X509Certificate>AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB
AQEBAQEB</X509Certificate>
    </X509Data>
   </KeyInfo>
  </signature>
  <file id="1">
   <data>
    <length>12</length>
    <offset>276</offset>
    <size>4</size>
    <encoding style="application/x-gzip"/>
    <extracted-checksum style="sha1">2401adb2cffefdbfcd7f63f17b91a5d946e7855c</extracted-checksum>
    <archived-checksum style="sha1">${archived}</archived-checksum>
   </data>
   <type>file</type>
   <name>Distribution</name>
  </file>
  <file id="2">
   <type>directory</type>
   <name>a.pkg</name>
   <file id="3">
    <data>
     <length>7</length>
     <offset>288</offset>
     <size>7</size>
     <encoding style="application/octet-stream"/>
     <extracted-checksum style="sha1">f07e5a815613c5abeddc4b682247a4c42d8a95df</extracted-checksum>
     <archived-checksum style="sha1">f07e5a815613c5abeddc4b682247a4c42d8a95df</archived-checksum>
    </data>
    <ctime>2023-11-14T22:13:20Z</ctime>
    <mtime>2023-11-14T22:13:20Z</mtime>
    <atime>2023-11-14T22:13:20Z</atime>
    <group>wheel</group>
    <gid>0</gid>
    <user>root</user>
    <uid>0</uid>
    <mode>0644</mode>
    <deviceno>0</deviceno>
    <inode>0</inode>
    <type>file</type>
    <name>Payload</name>
   </file>
  </file>
 </toc>
</xar>
`);
  });

  it('counts the bytes that emitXar yields and digests the deflated TOC', async () => {
    const layout = layoutXar([storedFile('a', Buffer.from('alpha'))], { creationTime: SECONDS });
    const archive = await collect(emitXar(layout));
    expect(archive.length).toBe(layout.size);
    expect(archive.toString('hex', 0, 8)).toBe('78617221001c0001');
    const sha1 = createHash('sha1').update(layout.compressedToc).digest();
    expect(layout.tocDigest).toEqual(sha1);
    expect(archive.subarray(28 + layout.compressedToc.length)).toEqual(Buffer.concat([sha1, Buffer.from('alpha')]));
  });

  it('puts signatures where the TOC says, a CMS padded with zero bytes', async () => {
    const layout = layoutXar([storedFile('a', Buffer.from('alpha'))], {
      creationTime: SECONDS,
      signatures: [
        { style: 'RSA', size: 8, certificates: [] },
        { style: 'CMS', size: 16, certificates: [] },
      ],
    });
    const archive = await collect(emitXar(layout, [Buffer.alloc(8, 7), Buffer.alloc(3, 9)]));
    const behindDigest = archive.subarray(28 + layout.compressedToc.length + 20).toString('hex');
    expect(behindDigest).toBe(`0707070707070707${'090909'.padEnd(32, '0')}${Buffer.from('alpha').toString('hex')}`);
    for (const [rsa, cms, words] of [
      [7, 16, 'expected exactly 8 bytes of RSA signature, found 7'],
      [9, 16, 'expected exactly 8 bytes of RSA signature, found 9'],
      [8, 17, 'expected at most 16 bytes of CMS signature, found 17'],
    ] as const)
      expect(await faultOf(() => collect(emitXar(layout, [Buffer.alloc(rsa), Buffer.alloc(cms)])))).toMatchObject({
        code: 'XAR_SIGNATURE_SIZE',
        message: expect.stringContaining(words),
      });
    expect((await collect(emitXar(layout, [Buffer.alloc(8), Buffer.alloc(16)]))).length).toBe(layout.size);
    await expect(collect(emitXar(layout))).rejects.toThrow(TypeError);
  });

  it('gives the same bytes every time', async () => {
    const entries = () => [
      directory('a', [deflatedFile('b', Buffer.alloc(10_000, 'text')), storedFile('c', Buffer.from('c'))]),
    ];
    expect((await build(entries())).equals(await build(entries()))).toBe(true);
  });

  it('notices when a source yields another number of bytes than it said', async () => {
    const sha1 = createHash('sha1').update('').digest('hex');
    for (const size of [4, 6]) {
      const source = {
        size,
        async *chunks() {
          yield Buffer.from('alpha');
        },
      };
      const fault = await faultOf(() => build([storedFile('a', { source, sha1 })]));
      expect(fault.code).toBe('SOURCE_CHANGED');
    }
  });

  it.each(['', '.', '..', 'a/b', '/a', 'a\0'])('refuses to write the name %j', (name) => {
    expect(() => layoutXar([storedFile(name, Buffer.alloc(1))], { creationTime: 0 })).toThrow(TypeError);
    expect(() => layoutXar([directory('a', [directory(name, [])])], { creationTime: 0 })).toThrow(TypeError);
  });

  it('refuses to write a name twice, normal forms of Unicode included', () => {
    expect(() => layoutXar([directory('\u00e9', []), directory('e\u0301', [])], { creationTime: 0 })).toThrow(
      TypeError,
    );
    expect(() => storedFile('a', { source: { size: 0, async *chunks() {} }, sha1: 'A'.repeat(40) })).toThrow(TypeError);
  });

  it.each(['sha1', 'sha256', 'sha512'] as const)('is read back with a digest of %s', async (checksum) => {
    const layout = layoutXar([deflatedFile('a', Buffer.from('alpha'))], { creationTime: SECONDS, checksum });
    const { archive, contents } = await readWhole(await collect(emitXar(layout)));
    expect(archive.checksum).toMatchObject({ style: checksum, value: layout.tocDigest });
    expect(contents.get('a')?.toString()).toBe('alpha');
  });
});

describe('a xar archive of ours', () => {
  const name = fc
    .string({ unit: grapheme, minLength: 1, maxLength: 12 })
    .map((text) => text.replace(/[/\0-\x1f\x7f\ufffe\uffff]/g, '_').replace(/^\.{1,2}$/, '_'))
    // Blanks around a name are shown by some readers and not by others: they are refused.
    .filter((text) => text === text.trim());
  const attributes = fc.option(
    fc.record({
      mode: fc.nat(0o7777),
      uid: fc.nat(1000),
      gid: fc.nat(1000),
      mtime: fc.nat(4_000_000_000),
    }),
    { nil: undefined },
  );
  const byName = { selector: (entry: XarEntry) => entry.name.normalize('NFC') };
  const { entry } = fc.letrec<{ entry: XarEntry }>((tie) => ({
    entry: fc.oneof(
      { depthSize: 'small' },
      fc
        .tuple(name, fc.uint8Array({ maxLength: 300 }), attributes, fc.boolean())
        .map(([file, content, owner, deflate]) =>
          (deflate ? deflatedFile : storedFile)(file, Buffer.from(content), owner),
        ),
      fc
        .tuple(name, fc.uniqueArray(tie('entry'), { maxLength: 5, ...byName }), attributes)
        .map(([folder, children, owner]) => directory(folder, children, owner)),
    ),
  }));

  it('is the tree that was written, once read', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(entry, { maxLength: 6, ...byName }), async (entries) => {
        const { archive, contents } = await readWhole(await build(entries));
        const written = flatten(entries, '');
        expect(archive.members.map(({ path, kind }) => `${kind} ${path}`)).toEqual(
          written.map(({ path, entry }) => `${entry.kind} ${path}`),
        );
        for (const [index, { path, entry }] of written.entries()) {
          const { mode, uid, gid, mtime } = archive.members[index]!;
          expect({ mode, uid, gid, mtime }).toEqual({
            mode: undefined,
            uid: undefined,
            gid: undefined,
            mtime: undefined,
            ...entry.attributes,
          });
          if (entry.kind === 'file')
            expect(createHash('sha1').update(contents.get(path)!).digest('hex')).toBe(entry.extractedChecksum);
        }
      }),
      { numRuns: 100 },
    );
  });

  describe('for tools of others', () => {
    let folder: string;
    let path: string;
    const contents: Record<string, string> = {
      Distribution: '<installer-gui-script/>',
      'Escrow Buddy é.pkg/Bom': 'bom'.repeat(100),
      'Escrow Buddy é.pkg/Payload': 'payload',
      'Escrow Buddy é.pkg/e\u0301 名 & <"\'>': 'odd name',
    };
    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), 'xar-'));
      path = join(folder, 'a.pkg');
      const inner = Object.entries(contents).slice(1);
      const children = inner.map(([at, text], index) =>
        (index === 0 ? deflatedFile : storedFile)(at.slice(at.indexOf('/') + 1), Buffer.from(text), FILE),
      );
      const entries = [
        deflatedFile('Distribution', Buffer.from(contents.Distribution!), FILE),
        directory('Escrow Buddy é.pkg', children, { ...FILE, mode: 0o755 }),
      ];
      writeFileSync(path, await build(entries));
    });
    afterAll(() => rmSync(folder, { recursive: true }));

    it.skipIf(bsdtar.missing)(`is listed and extracted by bsdtar, whatever the names${bsdtar.note}`, () => {
      const environment = ['LC_ALL=C.UTF-8', 'bsdtar'];
      const listed = check('env', [...environment, '-tf', path])
        .toString()
        .trimEnd()
        .split('\n');
      // libarchive 3.6 composes names (NFC) on the way.
      const expected = ['Distribution', 'Escrow Buddy é.pkg', ...Object.keys(contents).slice(1)];
      expect(listed).toEqual(expected.map((name) => name.normalize('NFC')));
      check('env', [...environment, '-xf', path, '-C', folder]);
      for (const [name, text] of Object.entries(contents)) {
        expect(readFileSync(join(folder, name.normalize('NFC')), 'utf8')).toBe(text);
      }
    });

    it.skipIf(xmllint.missing)(`has a TOC that xmllint parses${xmllint.note}`, () => {
      const archive = readFileSync(path);
      const toc = inflateSync(archive.subarray(28, 28 + Number(archive.readBigUInt64BE(8))));
      expect(check('xmllint', ['--nonet', '--xpath', 'count(//file)', '-'], toc).toString().trim()).toBe('5');
    });
  });
});

function flatten(entries: readonly XarEntry[], prefix: string): { path: string; entry: XarEntry }[] {
  return entries.flatMap((entry) => {
    const path = prefix + entry.name;
    return [{ path, entry }, ...(entry.kind === 'directory' ? flatten(entry.children, `${path}/`) : [])];
  });
}
