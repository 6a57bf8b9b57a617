import { deflateSync } from 'node:zlib';
import type { BomRecord } from '../../src/bom/bom.ts';
import { decodeBom } from '../../src/bom/decode.ts';
import { encodeBom } from '../../src/bom/encode.ts';
import { octetString } from '../../src/pki/asn1/der.ts';
import { cmsAttribute } from '../../src/pki/cms/cms.ts';
import { deflatedFile, directory, emitXar, layoutXar, storedFile, type XarEntry } from '../../src/xar/write.ts';
import { assemble, collect, type Sample } from '../mutation/sample.ts';
import { usualSignature } from '../mutation/signing.ts';
import type { Attack } from './attack.ts';
import { type TocChange, withMember, withToc } from './rebuild.ts';

/** Hostile headers, tables of contents and lists of files in a package of ours. */
export function archiveAttacks(): Attack[] {
  return [...headers(), ...tables(), ...layouts(), ...signatures(), ...boms()];
}

function attack(name: string, expect: RegExp, make: (sample: Sample) => Promise<Buffer> | Buffer): Attack {
  return { name, on: 'ours', expect, make: ({ ours }) => make(ours) };
}

/** The header is covered by no signature: these need no key. */
function headers(): Attack[] {
  const longer = (size: number) => (sample: Sample) => {
    const header = Buffer.from(sample.file.subarray(0, 28));
    header.writeUInt16BE(size, 4);
    return Buffer.concat([header, Buffer.alloc(size - 28), sample.file.subarray(28)]);
  };
  return [
    attack('xar: a header of 64 bytes', /headerSize.*64 bytes/, longer(64)),
    attack('xar: a header of 29 bytes', /headerSize.*29 bytes/, longer(29)),
    attack('xar: a header with text in its new room', /headerSize/, (sample) => {
      const file = longer(64)(sample);
      file.write('hidden', 30);
      return file;
    }),
  ];
}

function tables(): Attack[] {
  const toc = (name: string, expect: RegExp, from: string | RegExp, to: string) =>
    attack(`TOC: ${name}`, expect, (sample) => withToc(sample, { toc: (xml) => xml.replace(from, to) }));
  const other = (name: string, expect: RegExp, change: TocChange) =>
    attack(`TOC: ${name}`, expect, (sample) => withToc(sample, change));
  return [
    toc('a comment', /found a comment/, '<toc>', '<toc><!-- x -->'),
    toc('a processing instruction', /found a processing instruction/, '<toc>', '<toc><?x y?>'),
    toc('an element nobody knows', /<x\/>|<x /, '<toc>', '<toc><x/>'),
    toc('a foreign namespace', /xmlns:x/, '<xar>', '<xar xmlns:x="http://example.com/">'),
    toc('a name split by a comment', /found a comment/, '<name>Distribution', '<name>Distri<!-- x -->bution'),
    toc('a name in CDATA', /CDATA/, '<name>Distribution</name>', '<name><![CDATA[Distribution]]></name>'),
    toc('a name twice', /<name>/, '<name>Distribution</name>', '<name>Distribution</name><name>Distribution</name>'),
    toc(
      'a number with a zero in front',
      /<offset>0|<size>0|00/,
      /<offset>(\d+)<\/offset>\n\s*<size>(\d+)<\/size>\n\s*<encoding/,
      '<offset>0$1</offset><size>$2</size><encoding',
    ),
    toc('another number of a file', /id=/, '<file id="1">', '<file id="77">'),
    toc(
      'another time of making',
      /creation-time|mtime|ctime|T/,
      /<creation-time>[^<]*/,
      '<creation-time>2001-01-01T00:00:00',
    ),
    toc('another mode of the folder', /<mode>/, '<mode>0700', '<mode>0777'),
    toc('another owner of the folder', /<uid>|<user>|root/, '<user>root', '<user>mallory'),
    toc('an owner by number', /<uid>/, '<uid>0<', '<uid>501<'),
    other('a digest in capitals', /extracted-checksum/, {
      toc: (xml) => xml.replace(/(?<=<extracted-checksum style="sha1">)[0-9a-f]*/, (digest) => digest.toUpperCase()),
    }),
    toc('a digest in another spelling', /SHA1/, 'extracted-checksum style="sha1"', 'extracted-checksum style="SHA1"'),
    toc('an encoding in another spelling', /application\/X-gzip/, 'application/x-gzip', 'application/X-gzip'),
    toc('a certificate on one line', /X509Certificate/, /(<X509Certificate>[^<\n]*)\n/, '$1'),
    toc(
      'a time of signing',
      /signature-creation-time/,
      '<x-signature',
      '<signature-creation-time>1</signature-creation-time><x-signature',
    ),
    toc(
      'an empty member more',
      /evil|does not belong/,
      '</toc>',
      '<file id="90"><type>file</type><name>evil</name></file></toc>',
    ),
    toc(
      'a link more',
      /evil|does not belong/,
      '</toc>',
      '<file id="90"><type>symlink</type><link type="file">/tmp</link><name>evil</name></file></toc>',
    ),
    toc('an attribute nobody knows', /x="y"/, '<file id="1">', '<file id="1" x="y">'),
    toc('a newline at the end', /the end/, /\n$/, '\n\n'),
    toc('another declaration', /utf-8/, 'encoding="UTF-8"', 'encoding="utf-8"'),
    other('deflated at another level', /zlib stream of the table of contents/, {
      deflate: (xml) => deflateSync(xml, { level: 1 }),
    }),
    other('bytes behind its stream', /zlib stream to fill/, {
      deflate: (xml) => Buffer.concat([deflateSync(xml, { level: 9 }), Buffer.from('x')]),
    }),
  ];
}

/** Archives laid out in another way. */
function layouts(): Attack[] {
  const make = (name: string, expect: RegExp, entries: (sample: Sample) => readonly XarEntry[], time = 0) =>
    attack(`xar: ${name}`, expect, async ({ archive: { creationTime = 0 }, authority, ...sample }) => {
      const signature = usualSignature(authority);
      const whole = { ...sample, authority, archive: { creationTime } } as unknown as Sample;
      const layout = layoutXar(entries(whole), { creationTime: creationTime + time, signatures: signature.rooms });
      return collect(emitXar(layout, await signature.sign(layout.tocDigest)));
    });
  const members = ({ parts }: Sample) => ({
    bom: deflatedFile('Bom', parts.bom),
    payload: storedFile('Payload', parts.payload),
    scripts: storedFile('Scripts', parts.scripts),
    info: deflatedFile('PackageInfo', parts.packageInfo),
  });
  const folder = (sample: Sample, entries: readonly XarEntry[]) =>
    directory(sample.folder, entries, { mode: 0o700, uid: 0, gid: 0, mtime: sample.archive.creationTime ?? 0 });
  const distribution = ({ parts }: Sample) => deflatedFile('Distribution', parts.distribution);
  const inside = (sample: Sample) => Object.values(members(sample));
  return [
    make('members in another order', /form-toc/, (sample) => [
      distribution(sample),
      folder(sample, inside(sample).reverse()),
    ]),
    make('the Distribution last', /form-toc/, (sample) => [folder(sample, inside(sample)), distribution(sample)]),
    make('PackageInfo stored as it is', /octet-stream/, (sample) => {
      const { bom, payload, scripts } = members(sample);
      return [
        distribution(sample),
        folder(sample, [bom, payload, scripts, storedFile('PackageInfo', sample.parts.packageInfo)]),
      ];
    }),
    make('Scripts deflated twice', /x-gzip/, (sample) => {
      const { bom, payload, info } = members(sample);
      return [
        distribution(sample),
        folder(sample, [bom, payload, deflatedFile('Scripts', sample.parts.scripts), info]),
      ];
    }),
    make('plug-ins of Installer', /Plugins.* does not belong/, (sample) => [
      distribution(sample),
      folder(sample, inside(sample)),
      directory('Plugins', [deflatedFile('InstallerSections.plist', Buffer.from('<plist/>'))]),
    ]),
    make('resources of Installer', /Resources.* does not belong/, (sample) => [
      distribution(sample),
      folder(sample, inside(sample)),
      directory('Resources', [deflatedFile('welcome.html', Buffer.from('<html/>'))]),
    ]),
    make('a second component', /other\.pkg.* does not belong/, (sample) => [
      distribution(sample),
      folder(sample, inside(sample)),
      directory('other.pkg', inside(sample)),
    ]),
    make('a PackageInfo at the top', /PackageInfo does not belong|form-toc/, (sample) => [
      distribution(sample),
      folder(sample, inside(sample)),
      members(sample).info,
    ]),
    make('a package inside the folder', /inner\.pkg does not belong/, (sample) => [
      distribution(sample),
      folder(sample, [...inside(sample), storedFile('inner.pkg', Buffer.from('xar!'))]),
    ]),
    make(
      'a folder with a time of its own',
      /<mtime>|<ctime>|creation-time/,
      (sample) => [distribution(sample), folder(sample, inside(sample))],
      60,
    ),
  ];
}

/** Signatures of the right key that say more. */
function signatures(): Attack[] {
  const signed = (name: string, expect: RegExp, change: Parameters<typeof usualSignature>[1]) =>
    attack(`signature: ${name}`, expect, (sample) => assemble(sample, {}, usualSignature(sample.authority, change)));
  const extra = cmsAttribute('1.2.3.4', octetString(Buffer.from('hidden')));
  return [
    signed('a signed attribute more', /1 signed attribute more than we write/, { attributes: [extra] }),
    signed('more room than we set aside', /<size>/, { certificateRoom: 32_768 }),
    signed('less room than we set aside', /<size>/, { certificateRoom: 9_728 }),
  ];
}

function boms(): Attack[] {
  const records = (name: string, expect: RegExp, change: (records: readonly BomRecord[]) => readonly BomRecord[]) =>
    attack(`Bom: ${name}`, expect, (sample) =>
      withMember(sample, 'bom', (bom) => encodeBom(change(decodeBom(bom).records))),
    );
  const bytes = (name: string, expect: RegExp, change: (bom: Buffer) => Buffer) =>
    attack(`Bom: ${name}`, expect, (sample) => withMember(sample, 'bom', change));
  const put = (at: number, value: number) => (bom: Buffer) => {
    const copy = Buffer.from(bom);
    copy.writeUInt32BE(value, at);
    return copy;
  };
  return [
    records('every path alone', /path .* alone, without mode/, (all) =>
      all.map((record) => ({ ...record, pathOnly: true })),
    ),
    records('one path alone', /status\.sh alone/, (all) =>
      all.map((record) => (record.path.endsWith('status.sh') ? { ...record, pathOnly: true } : record)),
    ),
    records('the root alone', /path \. alone/, (all) =>
      all.map((record) => (record.path === '.' ? { ...record, pathOnly: true } : record)),
    ),
    records('another size of a folder', /form-bom: .*block/, (all) =>
      all.map((record) => (record.path.endsWith('Contents') ? { ...record, size: 64 } : record)),
    ),
    records('slices left out', /does not list the slices/, (all) =>
      all.map(({ architectures: _, ...record }) => record),
    ),
    bytes('bytes at its end', /form-bom|Bom/, (bom) => Buffer.concat([bom, Buffer.from('hidden')])),
    bytes('bytes in its header', /form-bom: .*Bom, byte/, (bom) => put(40, 0x41414141)(bom)),
    bytes('another number of blocks in use', /Bom/, (bom) => put(12, bom.readUInt32BE(12) - 1)(bom)),
  ];
}
