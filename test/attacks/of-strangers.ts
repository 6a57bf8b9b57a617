import { decodeBom } from '../../src/bom/decode.ts';
import { encodeBom } from '../../src/bom/encode.ts';
import { deflatedFile, emitXar, layoutXar, storedFile } from '../../src/xar/write.ts';
import { assemble, changeEntry, changeFile, collect, type Sample, withPayload } from '../mutation/sample.ts';
import { usualSignature } from '../mutation/signing.ts';
import type { Attack } from './attack.ts';
import { withMember, withText } from './rebuild.ts';

const BUNDLE = './Escrow Buddy.bundle';

/** Hostile packages of somebody else, signed with a right key: in the guise of ours, or at odds with themselves. */
export function strangerAttacks(): Attack[] {
  return [...disguises(), ...contradictions(), ...contents()];
}

function attack(name: string, expect: RegExp, make: (sample: Sample) => Promise<Buffer> | Buffer): Attack {
  return { name: `stranger: ${name}`, on: 'stranger', expect, make: ({ stranger }) => make(stranger) };
}

/** Each says in one place that it is ours; nothing else that it says makes it a stranger's again. */
function disguises(): Attack[] {
  const guise = (name: string, part: 'distribution' | 'packageInfo', from: string | RegExp, to: string) =>
    attack(name, /form-/, (sample) => withText(sample, part, from, to));
  const id = 'com.netflix.Escrow-Buddy';
  return [
    guise('our title', 'distribution', '<title>Tool<', '<title>Escrow Buddy<'),
    guise('our title in capitals', 'distribution', '<title>Tool<', '<title>ESCROW BUDDY<'),
    guise('our title with blanks around', 'distribution', '<title>Tool<', '<title> Escrow Buddy <'),
    guise('our product', 'distribution', '<product id="com.example.tool"', `<product id="${id}"`),
    guise(
      'our product in small letters',
      'distribution',
      '<product id="com.example.tool"',
      `<product id="${id.toLowerCase()}"`,
    ),
    guise('our component', 'packageInfo', ' identifier="com.example.tool"', ` identifier="${id}"`),
    guise('our guard’s component', 'packageInfo', ' identifier="com.example.tool"', ` identifier="${id}.guard"`),
    guise(
      'a reference to ours',
      'distribution',
      '</installer-gui-script>',
      `<pkg-ref id="${id}"/></installer-gui-script>`,
    ),
    guise(
      'our component, made by pkgbuild it says',
      'packageInfo',
      ' identifier="com.example.tool"',
      ` identifier="${id}" generator-version="InstallCmds-860"`,
    ),
    attack('our component without a Distribution', /form-/, async ({ parts, authority, archive }) => {
      const info = Buffer.from(
        parts.packageInfo.toString().replace(' identifier="com.example.tool"', ` identifier="${id}"`),
      );
      const signature = usualSignature(authority);
      const members = [
        deflatedFile('Bom', parts.bom),
        storedFile('Payload', parts.payload),
        storedFile('Scripts', parts.scripts),
        deflatedFile('PackageInfo', info),
      ];
      const layout = layoutXar(members, { creationTime: archive.creationTime ?? 0, signatures: signature.rooms });
      return collect(emitXar(layout, await signature.sign(layout.tocDigest)));
    }),
    attack('the folder of our component', /form-/, (sample) =>
      assemble(
        { ...sample, folder: `${id}.pkg` },
        {
          distribution: Buffer.from(
            sample.parts.distribution.toString().replace('#com.example.tool.pkg', `#${id}.pkg`),
          ),
        },
      ),
    ),
  ];
}

/** The documents say one thing, the package holds another. */
function contradictions(): Attack[] {
  const document = (
    name: string,
    part: 'distribution' | 'packageInfo',
    from: string | RegExp,
    to: string,
    expect: RegExp,
  ) => attack(name, expect, (sample) => withText(sample, part, from, to));
  return [
    document(
      'a reference that leads nowhere',
      'distribution',
      '#com.example.tool.pkg',
      '#other.pkg',
      /other\.pkg, which is not there/,
    ),
    document(
      'two members for one package',
      'distribution',
      '</installer-gui-script>',
      '<pkg-ref id="com.example.tool">#other.pkg</pkg-ref></installer-gui-script>',
      /expected one location of com\.example\.tool, found #com\.example\.tool\.pkg and #other\.pkg/,
    ),
    document(
      'a reference to another identifier',
      'packageInfo',
      ' identifier="com.example.tool"',
      ' identifier="com.example.other"',
      /which is com\.example\.other/,
    ),
    document(
      'a reference to another version',
      'distribution',
      /(<pkg-ref [^>]*version=)"[^"]*"/,
      '$1"9.9"',
      /version 9\.9/,
    ),
    document('a choice that is not there', 'distribution', '<choice id="default"/>', '', /names the choice default/),
    document(
      'a script that is not there',
      'packageInfo',
      'file="./preinstall"',
      'file="./missing"',
      /missing is missing/,
    ),
    document(
      'a script that is not named',
      'packageInfo',
      /<preinstall [^>]*\/>/,
      '',
      /preinstall is there, but PackageInfo does not name it/,
    ),
    document(
      'a bundle that is not there',
      'packageInfo',
      'path="./Escrow Buddy.bundle"',
      'path="./Other.bundle"',
      /Other\.bundle is not in the payload/,
    ),
    attack('a Bom of other files', /in the payload, not in the Bom/, (sample) =>
      withMember(sample, 'bom', (bom) =>
        encodeBom(decodeBom(bom).records.filter(({ path }) => !path.endsWith('status.sh'))),
      ),
    ),
    attack('a Bom of another mode', /mode 0777 in the Bom/, (sample) =>
      withMember(sample, 'bom', (bom) =>
        encodeBom(
          decodeBom(bom).records.map((record) =>
            record.path.endsWith('status.sh') ? { ...record, mode: 0o777 } : record,
          ),
        ),
      ),
    ),
  ];
}

/** The package is at one with itself, the code in it is not. */
function contents(): Attack[] {
  const changed = (name: string, path: string, expect: RegExp) =>
    attack(name, expect, async (sample) =>
      withPayload(
        sample,
        await changeFile(sample.payload, `${BUNDLE}/${path}`, (data) =>
          Buffer.concat([data, Buffer.from(path.endsWith('.plist') ? '\n' : '\n#\n')]),
        ),
      ),
    );
  return [
    changed('a sealed script changed', 'Contents/Resources/status.sh', /status\.sh/),
    changed('an Info.plist changed', 'Contents/Info.plist', /Info\.plist/),
    changed('a list of resources changed', 'Contents/_CodeSignature/CodeResources', /CodeResources|seal/),
    changed('bytes behind the program', 'Contents/MacOS/Escrow Buddy', /MacOS\/Escrow Buddy|slice|bytes/),
    attack('a sealed script in the place of a link', /status\.sh/, (sample) =>
      withPayload(
        sample,
        changeEntry(sample.payload, `${BUNDLE}/Contents/Resources/status.sh`, ({ path, uid, gid, mtimeSeconds }) => ({
          kind: 'symlink',
          path,
          uid,
          gid,
          mtimeSeconds,
          mode: 0o755,
          target: '/tmp/status.sh',
        })),
      ),
    ),
  ];
}
