import type { Attack } from './attack.ts';
import { withText } from './rebuild.ts';

type Part = 'distribution' | 'packageInfo';

const END = { distribution: '</installer-gui-script>', packageInfo: '</pkg-info>' } as const;

function edited(part: Part, name: string, from: string | RegExp, to: string, expect: RegExp): Attack {
  return { name, on: 'ours', expect, make: ({ ours }) => withText(ours, part, from, to) };
}

/** An element is put in front of the end of the document; the reason must show it. */
function added(part: Part, name: string, xml: string): Attack {
  const tag = /^<([\w-]+)/.exec(xml)?.[1] ?? '!--';
  return edited(part, name, END[part], `${xml}${END[part]}`, new RegExp(`<${tag}`));
}

/** Hostile Distributions and PackageInfos of ours, signed with the right key. */
export function documentAttacks(): Attack[] {
  return [...saidByDocuments(), ...forms()];
}

/** Those that say something else, in whatever way it is written: Apple's tools would not have said it either. */
export function saidByDocuments(): Attack[] {
  return [...distributionElements(), ...distributionValues(), ...infoElements(), ...infoValues()];
}

function distributionElements(): Attack[] {
  const more = (name: string, xml: string) => added('distribution', `Distribution: ${name}`, xml);
  return [
    more('JavaScript that runs a program', '<script>system.run("x")</script>'),
    more('JavaScript from a file', '<script src="x.js"/>'),
    more('installation-check with a script', '<installation-check script="system.run(\'x\')"/>'),
    more('a second volume-check with a script', '<volume-check script="true"/>'),
    more('a reference to another package on a server', '<pkg-ref id="x">http://example.com/x.pkg</pkg-ref>'),
    more('a reference to a package beside this one', '<pkg-ref id="x">file:./x.pkg</pkg-ref>'),
    more('a second reference to the same component', '<pkg-ref id="x">#com.netflix.Escrow-Buddy.pkg</pkg-ref>'),
    more('a choice with a place of its own', '<choice id="x" customLocation="/tmp"/>'),
    more('a choice selected by JavaScript', '<choice id="x" start_selected="system.run(\'x\')"/>'),
    more('a page with a license', '<license file="license.html"/>'),
    more('a page that welcomes', '<welcome file="welcome.html"/>'),
    more('a readme', '<readme file="readme.html"/>'),
    more('a conclusion', '<conclusion file="conclusion.html"/>'),
    more('a background', '<background file="x.png"/>'),
    more('a search of the disk', '<locator><search id="x" type="component"/></locator>'),
    more('titles in other languages', '<strings language="en"/>'),
    more('a second outline', '<choices-outline/>'),
    more('a second product', '<product id="com.netflix.Escrow-Buddy" version="1.1.0"/>'),
    more('a second title', '<title>Other</title>'),
    more('a second list of options', '<options customize="always" rootVolumeOnly="false"/>'),
    more('second domains', '<domains enable_anywhere="true"/>'),
    more('an element nobody knows', '<unknown-element/>'),
  ];
}

function distributionValues(): Attack[] {
  const change = (name: string, from: string | RegExp, to: string, expect: RegExp) =>
    edited('distribution', `Distribution: ${name}`, from, to, expect);
  return [
    change('other volumes allowed', 'enable_anywhere="false"', 'enable_anywhere="true"', /enable_anywhere=.{0,2}true/),
    change(
      'installable for one user',
      'enable_currentUserHome="false"',
      'enable_currentUserHome="true"',
      /enable_currentUserHome/,
    ),
    change(
      'external scripts allowed',
      'customize="never"',
      'customize="never" allow-external-scripts="true"',
      /allow-external-scripts/,
    ),
    change('scripts required', 'require-scripts="false"', 'require-scripts="true"', /require-scripts/),
    change(
      'i386 allowed too',
      'hostArchitectures="arm64,x86_64"',
      'hostArchitectures="arm64,x86_64,i386"',
      /hostArchitectures|i386/,
    ),
    change('no newer macOS', 'min="10.14.4"', 'min="10.14.4" before="11.0"', /before=/),
    change('a second range of versions', '<os-version', '<os-version min="10.0"/><os-version', /os-version/),
    change(
      'a restart asked for',
      'onConclusion="none"',
      'onConclusion="RequireRestart"',
      /onConclusion|RequireRestart/,
    ),
    change('no administrator asked', 'auth="root">#', 'auth="none">#', /auth=|none/),
    change('another size of updates', 'updateKBytes="0"', 'updateKBytes="1"', /updateKBytes/),
    change('the member written in another way', '#com.netflix.', '#com%2Enetflix.', /%2Enetflix/),
    change(
      'an application that must close',
      '<bundle-version/>',
      '<must-close><app id="x"/></must-close>',
      /must-close/,
    ),
    change('a bundle that may lie elsewhere', '<bundle-version/>', '<relocate><bundle id="x"/></relocate>', /relocate/),
    change(
      'a bundle version to compare',
      '<bundle-version/>',
      '<bundle-version><bundle id="x"/></bundle-version>',
      /<bundle/,
    ),
    change('a choice that is shown', 'visible="false"', 'visible="true"', /visible/),
    change('a choice that JavaScript shows', 'visible="false"', 'visible="system.run(1)"', /system\.run/),
    change('another title', '<title>Escrow Buddy<', '<title>Escrow Buddy 2<', /Escrow Buddy 2/),
    change('an older dialect', 'minSpecVersion="2"', 'minSpecVersion="1"', /minSpecVersion/),
  ];
}

function infoElements(): Attack[] {
  const more = (name: string, xml: string) => added('packageInfo', `PackageInfo: ${name}`, xml);
  return [
    more('an application that must close', '<must-close><app id="x"/></must-close>'),
    edited(
      'packageInfo',
      'PackageInfo: a second payload',
      END.packageInfo,
      `<payload numberOfFiles="1" installKBytes="1"/>${END.packageInfo}`,
      /one element payload, found two/,
    ),
    more('a second list of scripts', '<scripts><preflight file="./preinstall"/></scripts>'),
    more('another bundle', '<bundle path="./Escrow Buddy.bundle" id="x"/>'),
    more('a search of the disk', '<locator/>'),
    more('a patch', '<patch/>'),
    more('an element nobody knows', '<unknown-element/>'),
    edited(
      'packageInfo',
      'PackageInfo: a script of old Installers',
      '<scripts>',
      '<scripts><preupgrade file="./preinstall"/>',
      /preupgrade/,
    ),
    edited(
      'packageInfo',
      'PackageInfo: a script in the place of another',
      './preinstall"',
      './postinstall"',
      /in <preinstall>.*found `file="\.\/postinstall/,
    ),
    edited(
      'packageInfo',
      'PackageInfo: a bundle that may lie elsewhere',
      '<relocate/>',
      '<relocate search="x"/>',
      /relocate/,
    ),
    edited(
      'packageInfo',
      'PackageInfo: a second bundle replaced as a whole',
      '</upgrade-bundle>',
      '<bundle id="com.apple.x"/></upgrade-bundle>',
      /com\.apple\.x/,
    ),
  ];
}

function infoValues(): Attack[] {
  const change = (name: string, from: string | RegExp, to: string, expect: RegExp) =>
    edited('packageInfo', `PackageInfo: ${name}`, from, to, expect);
  const attribute = (name: string, text: string) =>
    change(name, '<pkg-info ', `<pkg-info ${text} `, new RegExp(text.slice(0, text.indexOf('='))));
  return [
    attribute('written by another tool, it says', 'generator-version="InstallCmds-860 (24A335)"'),
    attribute('files from outside', 'external-root="/tmp"'),
    attribute('files compressed on the disk', 'useHFSPlusCompression="true"'),
    attribute('another kind of content', 'content-type="preference-pane"'),
    attribute('an oldest macOS', 'minimumSystemVersion="99.0"'),
    attribute('attributes kept', 'preserve-xattr="true"'),
    attribute('an attribute nobody knows', 'x="y"'),
    change('the payload from outside', '<payload ', '<payload external-root="/tmp" ', /external-root/),
    change('an older format', 'format-version="2"', 'format-version="1"', /format-version/),
    change('nothing said of places', 'relocatable="false" ', '', /relocatable|identifier/),
    change('log out at the end', 'postinstall-action="none"', 'postinstall-action="logout"', /logout/),
    change('another spelling of root', 'auth="root"', 'auth="Root"', /auth/),
    change('a slash behind the place', 'SecurityAgentPlugins"', 'SecurityAgentPlugins/"', /SecurityAgentPlugins\//),
    change('a way up in the place', '/Library/Security/', '/Library/../Library/Security/', /\.\./),
    change('no time limit for a script', ' timeout="600"', '', /timeout/),
    change('a time limit of zero', 'timeout="600"', 'timeout="0"', /timeout/),
    change(
      'the path of the bundle written in another way',
      './Escrow Buddy.bundle"',
      './Escrow Buddy.bundle/"',
      /Escrow Buddy\.bundle\//,
    ),
    change('a build number that is not of this version', 'CFBundleVersion="10100"', 'CFBundleVersion="10099"', /10099/),
  ];
}

/** Other ways to write the same document, in which something could hide from one reader and not from another. */
function forms(): Attack[] {
  return (['distribution', 'packageInfo'] as const).flatMap((part) => {
    const root = part === 'distribution' ? '<installer-gui-script' : '<pkg-info';
    const words = part === 'distribution' ? 'Distribution' : 'PackageInfo';
    const change = (name: string, from: string | RegExp, to: string, expect: RegExp) =>
      edited(part, `${words}: ${name}`, from, to, expect);
    return [
      change('a comment', END[part], `<!-- x -->${END[part]}`, /<!-- x/),
      change('a processing instruction', END[part], `<?x y?>${END[part]}`, /\?x y/),
      change('a foreign namespace', `${root} `, `${root} xmlns:x="http://example.com/" `, /xmlns/),
      change('a newline at the end', END[part], `${END[part]}\n`, /the end/),
      change('a comment in front', root, `<!-- x -->${root}`, /<!-- x/),
      change('single quotes', /="([^"]*)"(?=\/?>)/, "='$1'", /'/),
      change('another declaration', 'encoding="utf-8"', 'encoding="UTF-8"', /UTF-8/),
      change('a byte order mark', '<?xml', '\ufeff<?xml', new RegExp(`${words}, byte 0`)),
    ];
  });
}
