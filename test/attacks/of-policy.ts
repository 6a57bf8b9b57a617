import { buildFat, parseFat } from '../../src/macho/fat.ts';
import type { PayloadEntry } from '../../src/tree/entry.ts';
import { assemble, contentOf, packScripts, payloadParts, type Sample } from '../mutation/sample.ts';
import type { Attack } from './attack.ts';
import {
  DEMANDS,
  file,
  folder,
  forbidden,
  forbiddenElement,
  link,
  PLACE,
  policyAttack,
  withEntries,
} from './policy-attack.ts';
import { withText } from './rebuild.ts';

const BUNDLE = './Escrow Buddy.bundle';

/** Ways around a policy, in packages that are signed with the right key. */
export function policyAttacks(): Attack[] {
  return [...paths(), ...links(), ...mechanisms(), ...versions(), ...teams(), ...abilities()];
}

function paths(): Attack[] {
  const place = (name: string, location: string, expect: RegExp, allowed: readonly string[] = [PLACE]) =>
    policyAttack(name, { allowedPaths: allowed }, expect, (sample) =>
      withText(
        sample,
        'packageInfo',
        /install-location="[^"]*"/,
        location === '' ? '' : `install-location="${location}"`,
      ),
    );
  const document = (name: string, from: string | RegExp, to: string, expect: RegExp) =>
    policyAttack(name, DEMANDS.paths, expect, (sample) => withText(sample, 'distribution', from, to));
  return [
    place('a way up in the place', `${PLACE}/../../../etc`, /\/etc\/Escrow Buddy\.bundle.* is not allowed/),
    place('a folder whose name only begins alike', `${PLACE}Evil`, /SecurityAgentPluginsEvil.* is not allowed/),
    place('a folder with a dot more', `${PLACE}.d`, /SecurityAgentPlugins\.d.* is not allowed/),
    place('no place at all', '', /^policy-paths: .*\/Escrow Buddy\.bundle is not allowed/),
    place('the root as place', '/', /\/Escrow Buddy\.bundle is not allowed/),
    place('slashes in the place', '//etc//', /\/etc.* is not allowed/),
    place('the volume of data by its other name', '/System/Volumes/Data/etc', /\/etc.* is not allowed/),
    place('a link that every Mac has', '/private/etc', /\/etc.* is not allowed/, ['/private/etcetera']),
    place('a place that is allowed in another case only', PLACE.toLowerCase(), /is not allowed/),
    document(
      'a choice with a place of its own',
      'visible="false"',
      'visible="false" customLocation="/usr/local"',
      /\/usr\/local.* is not allowed/,
    ),
    document(
      'options with a place of their own',
      '<options ',
      '<options customLocation="/usr/local" ',
      /\/usr\/local.* is not allowed/,
    ),
    document(
      'a package from a server',
      '</installer-gui-script>',
      '<pkg-ref id="x">http://example.com/x.pkg</pkg-ref></installer-gui-script>',
      /not looked at: .*http/,
    ),
    document('for one user', 'enable_currentUserHome="false"', 'enable_currentUserHome="true"', /home folder/),
    document(
      'a bundle that may lie elsewhere',
      '<bundle-version/>',
      '<relocate><bundle id="x"/></relocate>',
      /laid down elsewhere/,
    ),
    policyAttack('a component that may lie elsewhere', DEMANDS.paths, /laid down elsewhere/, (sample) =>
      withText(sample, 'packageInfo', 'relocatable="false"', 'relocatable="true"'),
    ),
    policyAttack('files from outside', DEMANDS.paths, /external-root/, (sample) =>
      withText(sample, 'packageInfo', '<payload ', '<payload external-root="/tmp" '),
    ),
    policyAttack('a payload nobody can read', DEMANDS.paths, /was not read/, (sample) =>
      assemble(sample, { payload: Buffer.from('no archive') }),
    ),
    policyAttack(
      'a payload nobody can read, and only a team asked for',
      DEMANDS.team,
      /^policy-team: .*was not read/,
      (sample) => assemble(sample, { payload: Buffer.from('no archive') }),
    ),
    policyAttack(
      'a payload nobody can read, and only mechanisms asked for',
      DEMANDS.mechanisms,
      /^policy-mechanisms: .*was not read/,
      (sample) => assemble(sample, { payload: Buffer.from('no archive') }),
    ),
    policyAttack('scripts nobody can read', DEMANDS.mechanisms, /^policy-mechanisms: .*was not read/, (sample) =>
      assemble(sample, { scripts: Buffer.from('no archive') }),
    ),
  ];
}

function links(): Attack[] {
  const added = (name: string, expect: RegExp, ...more: readonly PayloadEntry[]) =>
    policyAttack(name, { allowedPaths: [PLACE] }, expect, (sample) => withEntries(sample, ...more));
  return [
    added(
      'a link out of the allowed folder',
      /the link .*\/out leads to \/etc, which is not allowed/,
      link('./out', '/etc'),
    ),
    added('a relative link out of it', /leads to \/Library\/LaunchDaemons/, link('./out', '../../LaunchDaemons')),
    added('a link to a link out of it', /leads to \/etc/, link('./one', 'two'), link('./two', '/etc')),
    added(
      'a link out of the bundle',
      /leads to \/tmp/,
      link(`${BUNDLE}/Contents/Resources/link`, '../../../../../../tmp'),
    ),
    policyAttack('a folder beside the allowed one', DEMANDS.paths, /\/Other is not allowed/, (sample) =>
      withEntries(sample, folder('./Other')),
    ),
  ];
}

function mechanisms(): Attack[] {
  const script = (name: string, text: string, expect = /names the mechanism .*[Ee]vil/) =>
    policyAttack(`a script with ${name}`, DEMANDS.mechanisms, expect, async (sample) =>
      assemble(sample, { scripts: await packScripts([...sample.scripts, file('./helper', `#!/bin/sh\n${text}\n`)]) }),
    );
  const write = (entry: string) => `security authorizationdb write system.login.console ${entry}`;
  const long = `${'# padding\n'.repeat(500_000)}`;
  return [
    script('a mechanism in quotes', "M='Evil:login,privileged'"),
    script('a mechanism without quotes', write('Evil:login,privileged')),
    script('a mechanism without privileges', `${write('x')}; M='Evil:login'`),
    script('a mechanism without privileges and quotes', write('Evil:login')),
    script('a mechanism with a blank in its name', `${write('x')}; M="Evil Plug:login"`),
    script('a mechanism with an escaped blank', write('Evil\\ Plug:login,privileged'), /Plug:login/),
    script('privileges in capitals', "M='Evil:login,PRIVILEGED'"),
    script(
      'a mechanism put together from quotes',
      write(`Ev"il":'login',privileged`),
      /il:?'?:?login|login,privileged|names the mechanism/,
    ),
    script('a mechanism put together from variables', 'A=Evil; B=login; M="$A:$B,privileged"', /\$A:\$B,privileged/),
    script('a mechanism in a property list', `${write('x')} <<END\n<array><string>Evil:login</string></array>\nEND`),
    script('a mechanism in a command’s result', `${write('x')}; M=$(echo Evil:login)`),
    script('a mechanism for PlistBuddy', `PlistBuddy -c "Add :mechanisms:0 string Evil:login" x`),
    script('a mechanism behind five megabytes', `${long}M='Evil:login,privileged'`),
    script(
      'a mechanism behind thousands of others',
      `${'# builtin:x,privileged\n'.repeat(25_000)}M='Evil:login,privileged'`,
      /among more than 20000 words/,
    ),
    script('a mechanism across a piece of 64 KiB', `${'#'.repeat(65_520)}\nM='Evil:login,privileged'`),
    script('the allowed name in another case', "M='escrow buddy:Invoke,privileged'", /escrow buddy:Invoke/),
    script('the allowed name with more in front', "M='Not Escrow Buddy:Invoke,privileged'", /Not Escrow Buddy/),
    script('another mechanism of the allowed plug-in', `${write('x')}; M='Escrow Buddy:Other'`, /Escrow Buddy:Other/),
    script(
      'the allowed mechanism without its privileges',
      `${write('x')}; M='Escrow Buddy:Invoke'`,
      /mechanism Escrow Buddy:Invoke($|;)/,
    ),
    script('the plug-in that it installs, in another file', "x='Escrow Buddy:Other'", /Escrow Buddy:Other/),
    policyAttack(
      'a payload file with a mechanism',
      DEMANDS.mechanisms,
      /Payload: \.\/tool names the mechanism Evil:login/,
      (sample) => withEntries(sample, file('./tool', "#!/bin/sh\nM='Evil:login,privileged'\n")),
    ),
    policyAttack('a binary payload file with a mechanism', DEMANDS.mechanisms, /Evil:login/, (sample) =>
      withEntries(sample, file('./tool', Buffer.from('\x00\x01Evil:login,privileged\x00'))),
    ),
    policyAttack(
      'a package inside its scripts',
      DEMANDS.mechanisms,
      /archive, which was not looked into/,
      async (sample) =>
        assemble(sample, { scripts: await packScripts([...sample.scripts, file('./inner.pkg', 'xar!....')]) }),
    ),
    policyAttack(
      'a package from a server, and only mechanisms asked for',
      DEMANDS.mechanisms,
      /not looked at/,
      (sample) =>
        withText(
          sample,
          'distribution',
          '</installer-gui-script>',
          '<pkg-ref id="x">http://example.com/x.pkg</pkg-ref></installer-gui-script>',
        ),
    ),
  ];
}

function versions(): Attack[] {
  const document = (
    name: string,
    part: 'distribution' | 'packageInfo',
    from: string | RegExp,
    to: string,
    expect: RegExp,
  ) => policyAttack(name, DEMANDS.macOS, expect, (sample) => withText(sample, part, from, to));
  const end = '</installer-gui-script>';
  const plist = (value: string) =>
    `<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">\n<plist version="1.0"><dict><key>LSMinimumSystemVersion</key><string>${value}</string></dict></plist>`;
  const info = (name: string, text: string, expect: RegExp) =>
    policyAttack(name, DEMANDS.macOS, expect, (sample) =>
      withEntries(
        sample,
        folder('./B.bundle'),
        folder('./B.bundle/Contents'),
        file('./B.bundle/Contents/Info.plist', text),
      ),
    );
  return [
    document(
      'a version in PackageInfo',
      'packageInfo',
      '<pkg-info ',
      '<pkg-info minimumSystemVersion="99.0" ',
      /asks for macOS 99\.0/,
    ),
    document(
      'a version outside of volume-check',
      'distribution',
      end,
      `<installation-check><allowed-os-versions><os-version min="99.0"/></allowed-os-versions></installation-check>${end}`,
      /asks for macOS 99\.0/,
    ),
    document(
      'a second version',
      'distribution',
      '<os-version',
      '<os-version min="99.0"/><os-version',
      /asks for macOS 99\.0/,
    ),
    document(
      'a last version',
      'distribution',
      'min="10.14.4"',
      'min="10.13" before="10.14"',
      /refuses macOS 10\.14 and later/,
    ),
    document('a version that is none', 'distribution', 'min="10.14.4"', 'min="x"', /"x", which is none/),
    document('an empty version', 'distribution', 'min="10.14.4"', 'min=""', /"", which is none/),
    document('a version in another notation', 'distribution', 'min="10.14.4"', 'min="0x63"', /which is none/),
    document(
      'JavaScript that decides',
      'distribution',
      '<volume-check',
      '<volume-check script="f()"',
      /JavaScript may refuse/,
    ),
    info('a version in an Info.plist', plist('99.0'), /Info\.plist asks for macOS 99\.0/),
    info('a version in an Info.plist that is none', plist('soon'), /"soon", which is none/),
    info('an Info.plist nobody can read', 'x', /Info\.plist was not read/),
  ];
}

function teams(): Attack[] {
  const program = (sample: Sample) => contentOf(sample.payload, `${BUNDLE}/Contents/MacOS/Escrow Buddy`);
  const added = (name: string, place: string, expect: RegExp, make: (program: Buffer) => Buffer) =>
    policyAttack(name, DEMANDS.team, expect, async (sample) =>
      withEntries(sample, file(place, make(await program(sample)))),
    );
  const thin = (data: Buffer) => Buffer.from(parseFat(data)[0]!.data);
  /** Its load command of the signature becomes one that nobody knows. */
  const unsigned = (data: Buffer) => {
    const copy = thin(data);
    const at = copy.indexOf(Buffer.from('1d00000010000000', 'hex'));
    copy.writeUInt32LE(0x1f1f, at);
    return copy;
  };
  const otherTeam = (data: Buffer) => {
    const copy = Buffer.from(data);
    for (let at = copy.indexOf('REHEARSAL0'); at >= 0; at = copy.indexOf('REHEARSAL0', at + 1))
      copy.write('ABCDE12345', at, 'latin1');
    return copy;
  };
  return [
    added('a program that nobody signed', './tool', /tool \(x86_64\) is signed by team none/, unsigned),
    added(
      'a program of another team in its resources',
      `${BUNDLE}/Contents/Resources/tool`,
      /tool.*(team none|ABCDE12345|cannot be read)/,
      otherTeam,
    ),
    added('a program nobody can read', './tool', /looks like code and cannot be read/, (data) =>
      data.subarray(0, 4096),
    ),
    added('a universal file of another form', './tool', /looks like code|cannot be read/, (data) => {
      const copy = Buffer.from(data);
      copy.writeUInt32BE(0xcafebabf, 0);
      return copy;
    }),
    added('a program for old processors', './tool', /looks like code and cannot be read/, (data) => {
      const copy = thin(data);
      copy.writeUInt32BE(0xfeedface, 0);
      return copy;
    }),
    added('a changed program', './tool', /tool/, (data) => {
      const copy = buildFat(parseFat(data).map((slice) => Buffer.from(slice.data)));
      copy.fill(0, copy.length - 15_000);
      return copy;
    }),
    policyAttack(
      'a program of another team in its scripts',
      DEMANDS.team,
      /Scripts: \.\/tool.*(none|ABCDE12345|cannot be read)/,
      async (sample) =>
        assemble(sample, {
          scripts: await packScripts([...sample.scripts, file('./tool', otherTeam(await program(sample)))]),
        }),
    ),
  ];
}

function abilities(): Attack[] {
  return [
    forbiddenElement('javaScript', '<script>x</script>'),
    forbiddenElement('javaScript', '<installation-check script="f()"/>'),
    forbiddenElement('javaScript', '<choice id="x" start_visible="f()"/>'),
    forbiddenElement('javaScript', '<pkg-ref id="x" active="f()"/>'),
    forbiddenElement('javaScript', '<pkg-ref id="x" onConclusionScript="f()"/>'),
    forbidden('externalScripts', 'distribution', '<options ', '<options allow-external-scripts="yes" '),
    forbiddenElement('externalPackages', '<pkg-ref id="x">file:./x.pkg</pkg-ref>'),
    forbiddenElement('customLocation', '<choice id="x" customLocation="/tmp"/>'),
    forbiddenElement('customLocation', '<choice id="x" customLocationAllowAlternateVolumes="true"/>'),
    forbiddenElement('mustClose', '<pkg-ref id="x"><must-close><app id="y"/></must-close></pkg-ref>'),
    forbidden('mustClose', 'packageInfo', '</pkg-info>', '<must-close><app id="y"/></must-close></pkg-info>'),
    forbidden('relocate', 'packageInfo', '<relocate/>', '<relocate><bundle id="x"/></relocate>'),
    forbidden('restart', 'packageInfo', 'postinstall-action="none"', 'postinstall-action="restart"'),
    forbidden('restart', 'distribution', 'onConclusion="none"', 'onConclusion="RequireRestart"'),
    forbidden('otherScripts', 'packageInfo', '<scripts>', '<scripts><postflight file="./postinstall"/>'),
    forbidden('otherScripts', 'packageInfo', '<postinstall ', '<postinstall component-id="x" '),
    forbidden('externalRoot', 'packageInfo', '<payload ', '<payload external-root="/tmp" '),
    forbidden('otherVolumes', 'distribution', 'enable_anywhere="false"', 'enable_anywhere="true"'),
    forbiddenElement('unknownElements', '<unheard-of/>'),
    policyAttack('forbidden scripts: any', { forbid: ['scripts'] }, /run as root: .*preinstall/, (sample) =>
      payloadlike(sample),
    ),
    policyAttack('forbidden rootAuthorization: any', { forbid: ['rootAuthorization'] }, /auth="root"/, (sample) =>
      payloadlike(sample),
    ),
  ];
}

/** The package as it is. */
async function payloadlike(sample: Sample): Promise<Buffer> {
  return assemble(sample, await payloadParts(sample, sample.payload));
}
