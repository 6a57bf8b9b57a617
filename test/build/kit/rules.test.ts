import { beforeAll, describe, expect, it } from 'vitest';
import { fileFacts, identityOf, scriptValuesIn } from '../../../build/kit/facts.ts';
import { downloadUrl, readKitInput } from '../../../build/kit/make-kit.ts';
import { escapeXml, releaseRepositoryOf, renderYaml } from '../../../build/kit/render.ts';
import { rescueCommands } from '../../../build/kit/rescue-card.ts';
import type { KitInput } from '../../../build/kit/system.ts';
import { SYSTEMS } from '../../../build/kit/systems.ts';
import { answerOf } from '../../../build/kit/vocabulary.ts';
import { kitSource } from './made-kit.ts';

let good: KitInput;
beforeAll(async () => {
  const input = await readKitInput(kitSource());
  // A release and no rehearsal, whose name no download tool takes for one.
  const file = { ...input.facts.file, name: 'Escrow.Buddy-1.1.0.pkg' };
  const signer = 'Developer ID Installer: Example (ABCDE12345)';
  const signing = {
    signer,
    teamIdentifier: 'ABCDE12345',
    authorities: [signer, 'Developer ID Certification Authority', 'Apple Root CA'],
  };
  good = { ...input, facts: { ...input.facts, file, signing } };
});

/** The ways to install whose rules an input does not meet, each with the reasons. */
function failing(change: Partial<KitInput> = {}, facts: Partial<KitInput['facts']> = {}): Record<string, string[]> {
  const input = { ...good, ...change, facts: { ...good.facts, ...facts } };
  const all = SYSTEMS.flatMap(({ name, paths }) =>
    paths.map((path) => [`${name}: ${path.name}`, path.rules.flatMap(({ problem }) => problem(input) ?? [])] as const),
  );
  return Object.fromEntries(all.filter(([, problems]) => problems.length > 0));
}
/** The reasons alone, each once. */
const reasons = (...parameters: Parameters<typeof failing>) =>
  [...new Set(Object.values(failing(...parameters)).flat())].sort();
const signedBy = (signer: string) => ({ signing: { ...good.facts.signing!, signer } });

describe('the rules of each way to install', () => {
  it('are met by a release', () => expect(failing()).toEqual({}));

  it('have a rule and a source each', () => {
    for (const { rule, source } of SYSTEMS.flatMap(({ paths }) => paths.flatMap(({ rules }) => rules)))
      expect([rule, source]).toEqual([expect.stringMatching(/\.$/), expect.stringMatching(/./)]);
  });

  it('ask for a signature, and for the right one', () => {
    const unsigned = 'it is not signed by a Developer ID';
    expect(reasons({}, { signing: null })).toEqual([
      unsigned,
      'the package has no chain of three certificates',
      'the signer is nobody',
    ]);
    expect(reasons({}, signedBy('Developer ID Application: Example (ABCDE12345)'))).toEqual([unsigned]);
    expect(reasons({}, signedBy('Not Developer ID Installer: Example (ABCDE12345)'))).toEqual([unsigned]);
    expect(reasons({}, signedBy('Developer ID Installer: (Example) (ABCDE12345)'))).toEqual([
      'the signer is Developer ID Installer: (Example) (ABCDE12345)',
    ]);
    expect(reasons({}, signedBy('Developer ID Installer: Example'))).toEqual([
      'the signer is Developer ID Installer: Example',
    ]);
    for (const authorities of [
      ['a', 'b'],
      ['a', 'b', 'c', 'd'],
    ])
      expect(reasons({}, { signing: { ...good.facts.signing!, authorities } })).toEqual([
        'the package has no chain of three certificates',
      ]);
  });

  it('ask for an address, and for the right one', () => {
    const placeholder = 'https://example.invalid/a.pkg';
    expect(reasons({ url: placeholder })).toEqual([
      `${placeholder} is a placeholder: give --url`,
      `${placeholder} is not such an address: give --url`,
      `${placeholder} is not the address of a GitHub release`,
    ]);
    const plain = 'http://example.com/a.pkg';
    expect(reasons({ url: plain })).toEqual([
      `${plain} does not begin with https://`,
      `${plain} is not such an address: give --url`,
      `${plain} is not the address of a GitHub release`,
    ]);
    const other = 'https://example.com/a.pkg';
    const behind = `${other}?${placeholder}`;
    expect(reasons({ url: behind })).toEqual([`${behind} is not the address of a GitHub release`]);
    expect(reasons({ url: other })).toEqual([`${other} is not the address of a GitHub release`]);
  });

  it('ask for the name of a release', () => {
    const named = (name: string) => reasons({}, { file: { ...good.facts.file, name } });
    for (const name of [
      'Escrow.Buddy-1.1.0-rehearsal.pkg',
      'Escrow.Buddy.Guard-1.1.0.pkg',
      'Escrow.Buddy-1.1.0.pkg.zip',
    ])
      expect(named(name)).toEqual([expect.stringMatching(new RegExp(`^${name} does not match `)), `it is ${name}`]);
  });

  it('ask for a size, a version, a title and a Distribution', () => {
    const file = (size: number) => ({ file: { ...good.facts.file, size } });
    expect(reasons({}, file(7_999_999_999))).toEqual([]);
    expect(reasons({}, file(8_000_000_000))).toEqual(['it has 8000000000 bytes']);
    expect(reasons({}, { version: '' })).toEqual(['the package has no version']);
    expect(reasons({}, { minimumMacOS: '' })).toEqual(['it has no Distribution']);
    for (const title of ['A & B', '<A>', 'A/B', "A's", 'A "B"'])
      expect(reasons({}, { title })).toEqual([`the title is ${title}`]);
  });

  it.each([
    ['install', 200_000],
    ['request-unrecorded', 200_000],
    ['state', 20_000],
  ])('ask for a script %s of at most %i bytes', (name, most) => {
    const found = (text: string) => reasons({ scripts: { ...good.scripts, [name]: text } });
    expect(found('é'.repeat(most / 2))).toEqual([]);
    expect(found(`${'é'.repeat(most / 2)}a`)).toEqual([`it has ${most + 1} bytes`]);
  });
});

describe('facts of a file', () => {
  const PART = 10 * 1024 * 1024;

  it('are those of others, of the whole and of each part', () => {
    // printf abc | md5sum, sha256sum, sha512sum; openssl dgst -sha3-512
    expect(fileFacts('a', Buffer.from('abc'))).toEqual({
      name: 'a',
      size: 3,
      md5: '900150983cd24fb0d6963f7d28e17f72',
      sha256: 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
      sha512:
        'ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f',
      sha3_512:
        'b751850b1a57168a5693cd924b6b096e08f621827444f70d884f5d0240d2712e10e116e9192af3c91a7ec57647e3934057340b4cf408d5a56592f8274eec53f0',
      chunks: {
        size: 3,
        md5s: ['900150983cd24fb0d6963f7d28e17f72'],
        sha256s: ['ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
      },
    });
  });

  it.each([
    [0, 1, 0],
    [PART - 1, 1, PART - 1],
    [PART, 1, PART],
    [PART + 1, 2, PART],
  ])('of %i bytes name %i parts of %i bytes', (size, parts, partSize) => {
    const { chunks } = fileFacts('a', Buffer.alloc(size));
    expect([chunks.sha256s.length, chunks.md5s.length, chunks.size]).toEqual([parts, parts, partSize]);
    // Each part but the last is whole. head -c 10485760 /dev/zero | md5sum; the last holds what is left.
    if (size >= PART) expect(chunks.md5s[0]).toBe('f1c9645dbc14efddc7d8a322685f26eb');
    if (size > PART) expect(chunks.md5s[1]).toBe('93b885adfe0da089cdf634904fd59f71');
  });

  it('of what is no package say so', async () => {
    expect(await identityOf(Buffer.from('text'))).toMatch(/^not a package that can be read \(./);
  });

  it('in a script are the lines that a generated one begins with', () => {
    const script =
      "#!/bin/sh\nA='one'\nB_C='it'\\''s'\nEMPTY=''\n D='indented'\nlower='x'\nE=\"double\"\nF='more' # words\n";
    expect([...scriptValuesIn(script)]).toEqual([
      ['A', 'one'],
      ['B_C', "it's"],
      ['EMPTY', ''],
    ]);
  });
});

describe('an address', () => {
  const config = (downloads: string | null) => ({ services: { downloads } }) as never;

  it.each([
    ['https://example.com/a', 'https://example.com/a/b%20c.pkg'],
    ['https://example.com/a/', 'https://example.com/a/b%20c.pkg'],
    ['https://example.com/{version}/{version}', 'https://example.com/1.1.0/1.1.0/b%20c.pkg'],
    [null, 'https://example.invalid/b%20c.pkg'],
  ])('below %s is %s', (downloads, expected) => {
    expect(downloadUrl(config(downloads), '1.1.0', 'b c.pkg')).toBe(expected);
  });

  it.each([
    ['https://github.com/a.b/c-d/releases/download/v1/x.pkg', 'a.b/c-d'],
    ['https://github.com/a/b/releases/x.pkg', undefined],
    ['https://github.com/a/releases/download/x.pkg', undefined],
    ['http://github.com/a/b/releases/download/v1/x.pkg', undefined],
    ['https://example.com/https://github.com/a/b/releases/download/v1/x.pkg', undefined],
  ])('%s is that of a release of %s', (url, repository) => expect(releaseRepositoryOf(url)).toBe(repository));
});

describe('words', () => {
  it('stand in XML and YAML for what they are', () => {
    expect(escapeXml('<a & "b">')).toBe('&lt;a &amp; "b"&gt;');
    expect(renderYaml({ a: 'yes', b: 'no more', c: 1 })).toBe('a: "yes"\nb: no more\nc: 1\n');
  });

  it.each([
    ['rotated', 'cleared', 'Rotated'],
    ['rotated-unconfirmed', 'cleared', 'Unconfirmed'],
    ['anything', 'none', 'Idle'],
    ['guest-login', 'none', 'Idle'],
    ['guest-login', 'kept', 'Waiting'],
    ['filevault-busy', 'kept', 'Waiting'],
    ['authentication-failed', 'kept', 'Stuck'],
    ['anything', 'cleared', 'Stuck'],
  ] as const)('of a login that ended with %s and a request that is %s: %s', (name, request, word) => {
    expect(answerOf({ name, request })).toBe(word);
  });

  it('that rescue take out the entries of the plug-in alone', () => {
    const commands = rescueCommands({ MECHANISM: 'Escrow Buddy:Invoke,privileged' });
    expect(commands).toContain("grep -v 'Escrow Buddy:' /private/tmp/right.plist > /private/tmp/right.new.plist");
    expect(commands.split('\n').slice(-2)).toEqual([
      'plutil -lint /private/tmp/right.new.plist &&',
      '  security authorizationdb write system.login.console < /private/tmp/right.new.plist',
    ]);
  });
});
