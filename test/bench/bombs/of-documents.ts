import { deflatedFile, directory as xarDirectory } from '../../../src/xar/write.ts';
import { directory, file } from '../../support/payload.ts';
import { sealXar } from '../../support/xar.ts';
import { archive, type Bomb, certificates, component, INFO, MIB, payload } from './kit.ts';

/** Documents of very many elements, attributes and references: TOC, Distribution, PackageInfo, property lists. */
export function documentBombs(): Bomb[] {
  return [...tocBombs(), ...packageBombs(), ...listBombs()];
}

function tocBombs(): Bomb[] {
  return [
    {
      name: 'TOC, 1,000,000 elements',
      make: async () => sealXar(`<xar><toc>${'<a/>'.repeat(1_000_000)}</toc></xar>`),
      limit: /elements/,
    },
    {
      name: 'TOC of 1,000,000 files',
      make: async () => {
        const files = Array.from({ length: 1_000_000 }, (_, id) => `<file id="${id}"/>`).join('');
        return sealXar(`<xar><toc>${files.slice(0, 4 * MIB - 100).replace(/<[^>]*$/, '')}</toc></xar>`);
      },
      limit: /elements/,
    },
    {
      name: 'TOC, 1,000,000 attributes',
      make: async () => {
        const attributes = Array.from({ length: 1_000_000 }, (_, index) => `a${index}=""`);
        return sealXar(
          `<xar><toc ${attributes
            .join(' ')
            .slice(0, 4 * MIB - 64)
            .replace(/ [^ ]*$/, '')}/></xar>`,
        );
      },
      limit: /attributes/,
    },
    {
      name: 'TOC, 4 MiB of text',
      make: async () => sealXar(`<xar><toc><a>${'x'.repeat(4 * MIB - 64)}</a></toc></xar>`),
    },
    {
      name: 'TOC of 100 MiB',
      make: async () => sealXar(`<xar>${' '.repeat(100 * MIB)}</xar>`),
      limit: /TOC of at most/,
    },
    {
      name: 'TOC, 30,000 files in a folder whose name has 2 MiB',
      make: async () => {
        const files = Array.from(
          { length: 30_000 },
          (_, id) => `<file id="${id + 2}"><type>file</type><name>${id}</name></file>`,
        );
        const checksum = '<checksum style="sha1"><offset>0</offset><size>20</size></checksum>';
        return sealXar(
          `<xar><toc>${checksum}<file id="1"><type>directory</type><name>${'x'.repeat(2 * MIB)}</name>${files.join('')}</file></toc></xar>`,
        );
      },
      limit: /bytes|name/,
    },
    {
      name: 'TOC of 3,000 certificates',
      make: async () => {
        const one = certificates(200)
          .map((der) => `<X509Certificate>${der.toString('base64')}</X509Certificate>`)
          .join('');
        const all = one.repeat(1 + Math.floor((3 * MIB) / one.length));
        const toc =
          '<checksum style="sha1"><offset>0</offset><size>20</size></checksum>' +
          '<x-signature style="CMS"><offset>20</offset><size>4</size><KeyInfo xmlns="http://www.w3.org/2000/09/xmldsig#"><X509Data>' +
          `${all}</X509Data></KeyInfo></x-signature>`;
        return sealXar(`<xar><toc>${toc}</toc></xar>`, Buffer.alloc(4));
      },
      limit: /certificates/,
    },
    {
      name: 'TOC with 5,000 extended attributes of one file',
      make: async () => {
        const attributes = Array.from(
          { length: 5000 },
          (_, id) =>
            `<ea id="${id}"><name>a${id}</name><length>0</length><offset>20</offset><size>0</size><encoding style="application/octet-stream"/></ea>`,
        );
        const checksum = '<checksum style="sha1"><offset>0</offset><size>20</size></checksum>';
        return sealXar(
          `<xar><toc>${checksum}<file id="1"><type>file</type><name>a</name>${attributes.join('')}</file></toc></xar>`,
        );
      },
    },
  ];
}

function packageBombs(): Bomb[] {
  return [
    {
      name: '6,000 components',
      make: () =>
        archive(
          Array.from({ length: 6000 }, (_, index) =>
            xarDirectory(`${index}.pkg`, [deflatedFile('PackageInfo', INFO())]),
          ),
        ),
      limit: /components/,
    },
    {
      name: 'PackageInfo, 100,000 elements inside each other',
      make: () => component([], INFO('<a>'.repeat(100_000) + '</a>'.repeat(100_000))),
      limit: /inside each other/,
    },
    {
      name: 'PackageInfo of 200 MiB',
      make: () => component([], Buffer.concat([INFO(), Buffer.alloc(200 * MIB, ' ')])),
      limit: /bytes/,
    },
    {
      name: 'PackageInfo, 4 MiB of text in pieces',
      make: () => component([], INFO('a<!---->'.repeat(500_000))),
    },
    {
      name: 'PackageInfo, 16 MiB of text in pieces',
      make: () => component([], INFO('a<!---->'.repeat(1_900_000))),
      limit: /bytes/,
    },
    {
      name: 'PackageInfo, 4 MiB of entities',
      make: () => component([], INFO(`<a b="${'&#60;'.repeat(380_000)}">${'&lt;'.repeat(480_000)}</a>`)),
    },
    {
      name: 'PackageInfo of 90,000 bundles in each list',
      make: () =>
        component(
          [],
          INFO(
            `${'<bundle path="./a" id="b"/>'.repeat(45_000)}<upgrade-bundle>${'<bundle id="b"/>'.repeat(45_000)}</upgrade-bundle>`,
          ),
        ),
    },
    {
      name: 'Distribution of 45,000 references and 45,000 choices',
      make: () => {
        const references = Array.from(
          { length: 45_000 },
          (_, id) => `<pkg-ref id="${id}">#${id}.pkg</pkg-ref><choice id="${id}"/>`,
        );
        return archive([
          deflatedFile(
            'Distribution',
            Buffer.from(`<installer-gui-script>${references.join('')}</installer-gui-script>`),
          ),
          ...Array.from({ length: 900 }, (_, id) => xarDirectory(`${id}.pkg`, [deflatedFile('PackageInfo', INFO())])),
        ]);
      },
      policy: true,
    },
  ];
}

const FOLDERS = ['./A.app', './A.app/Contents', './A.app/Contents/_CodeSignature'].map((path) => directory(path));
const PLIST = '<plist><dict><key>CFBundleExecutable</key><string>a</string></dict></plist>';
const application = (info: string | Buffer, seal: string | Buffer) =>
  payload([
    ...FOLDERS,
    file('./A.app/Contents/Info.plist', info),
    file('./A.app/Contents/_CodeSignature/CodeResources', seal),
  ]);

function listBombs(): Bomb[] {
  return [
    {
      name: 'CodeResources, 1,000,000 elements',
      make: () => {
        const many = `<plist><dict>${'<key>a</key><string/>'.repeat(500_000)}</dict></plist>`;
        const folders = ['./A.app', './A.app/Contents', './A.app/Contents/_CodeSignature'].map((path) =>
          directory(path),
        );
        return payload([
          ...folders,
          file(
            './A.app/Contents/Info.plist',
            '<plist><dict><key>CFBundleExecutable</key><string>a</string></dict></plist>',
          ),
          file('./A.app/Contents/_CodeSignature/CodeResources', many),
        ]);
      },
      limit: /elements/,
    },
    {
      name: 'CodeResources of 100,000 files that are not there',
      make: () => {
        const files = Array.from(
          { length: 60_000 },
          (_, index) => `<key>${index}</key><dict><key>hash2</key><data>${'A'.repeat(43)}=</data></dict>`,
        );
        return application(PLIST, `<plist><dict><key>files2</key><dict>${files.join('')}</dict></dict></plist>`);
      },
    },
    {
      name: 'CodeResources with a rule that a search takes ages for',
      make: () => {
        const rule = '<key>^(([a-z]+)+)+$</key><true/>';
        const names = Array.from({ length: 60 }, (_, index) =>
          file(`./A.app/Contents/${'a'.repeat(100 + index)}!`, ''),
        );
        const seal = `<plist><dict><key>files2</key><dict/><key>rules2</key><dict>${rule}</dict><key>rules</key><dict>${rule}</dict></dict></plist>`;
        return payload([
          ...FOLDERS,
          file('./A.app/Contents/Info.plist', PLIST),
          file('./A.app/Contents/_CodeSignature/CodeResources', seal),
          ...names,
        ]);
      },
    },
    {
      name: 'Info.plist, binary, one array held a thousand times a thousand times',
      make: () => application(heldOften(6, 200), '<plist><dict/></plist>'),
      limit: /values/,
    },
    {
      name: 'Info.plist, binary, one array of 15,000,000 values',
      make: () => application(heldOften(1, 15 * MIB), '<plist><dict/></plist>'),
      limit: /values/,
    },
  ];
}

/** Returns a binary property list of arrays that hold the next one `times` times, `levels` deep. */
function heldOften(levels: number, times: number): Buffer {
  const objects: Buffer[] = [];
  for (let level = 0; level < levels; level++) {
    const size = Buffer.alloc(6, Buffer.from([0xaf, 0x12]));
    size.writeUInt32BE(times, 2);
    objects.push(Buffer.concat([size, Buffer.alloc(times, level + 1)]));
  }
  objects.push(Buffer.from([0x09]));
  const offsets = Buffer.alloc(objects.length * 4);
  let at = 8;
  for (const [index, object] of objects.entries()) {
    offsets.writeUInt32BE(at, index * 4);
    at += object.length;
  }
  const trailer = Buffer.alloc(32);
  trailer[6] = 4;
  trailer[7] = 1;
  trailer.writeUInt32BE(objects.length, 12);
  trailer.writeUInt32BE(at, 28);
  return Buffer.concat([Buffer.from('bplist00'), ...objects, offsets, trailer]);
}
