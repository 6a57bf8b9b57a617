import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { CONFIG_SCHEMA, parseConfig, readConfig } from '../../../build/plan/config.ts';
import { UsageError } from '../../../src/base/errors.ts';
import { jsonSchemaText } from '../../support/json-schema.ts';

const SOURCE = readFileSync('release.config.json', 'utf8');

/** Returns the message for the project's configuration after `change`. */
function messageAfter(change: (config: Record<string, never>) => void): string {
  const config = JSON.parse(SOURCE);
  change(config);
  try {
    parseConfig(JSON.stringify(config), 'release.config.json');
  } catch (error) {
    expect(error).toBeInstanceOf(UsageError);
    return (error as Error).message;
  }
  return 'accepted';
}

describe('parseConfig', () => {
  it('accepts the configuration of this project', () => {
    expect(parseConfig(SOURCE, 'release.config.json').bundle.identifier).toBe('com.netflix.Escrow-Buddy');
  });

  it('reports all problems of a file at once, each with path, value and what is allowed', () => {
    const message = messageAfter((config: Record<string, any>) => {
      config.bundle.identifier = 'not an identifier';
      config.macOS.arm64 = 11;
      delete config.package.installLocation;
      config.signing.toolchain = 'xcode';
      config.output.packge = 'x.pkg';
    });
    expect(message).toContain('release.config.json has 5 problems:');
    expect(message).toContain('bundle.identifier: "not an identifier": allowed is a reverse-DNS identifier');
    expect(message).toContain('macOS.arm64: 11: allowed is a macOS version such as 11.0');
    expect(message).toContain('package.installLocation: missing; allowed is an absolute path');
    expect(message).toContain('signing.toolchain: "xcode": allowed is portable, apple or auto');
    expect(message).toContain('output.packge: no such setting');
  });

  it.each([
    ['installLocation', (c: any) => (c.package.installLocation = '/Library/../etc'), /package\.installLocation/],
    ['installLocation', (c: any) => (c.package.installLocation = 'Library'), /package\.installLocation/],
    [
      'teamIdentifier',
      (c: any) => (c.signing.teamIdentifier = 'abc'),
      /signing\.teamIdentifier: "abc": allowed is 10 capital/,
    ],
    ['output.package', (c: any) => (c.output.package = '../{version}.pkg'), /output\.package/],
    ['output.package', (c: any) => (c.output.package = 'Product.pkg'), /output\.package: .* contains \{version\}/],
    [
      'services',
      (c: any) => (c.services.notary = 'ftp://example.org'),
      /services\.notary: "ftp:.*: allowed is an http or https/,
    ],
    [
      'mechanism',
      (c: any) => (c.authorization.mechanism = 'Other:Invoke,privileged'),
      /must begin with the name of the bundle/,
    ],
    ['identifiers', (c: any) => (c.package.guardIdentifier = c.package.identifier), /must differ/],
  ])('refuses a wrong %s', (_name, change, expected) => {
    expect(messageAfter(change)).toMatch(expected);
  });

  it.each([
    ['arm64 below 11.0', (c: any) => (c.macOS.arm64 = '10.15'), /macOS\.arm64: "10\.15": allowed is 11\.0 or later/],
    ['installer below the plug-in', (c: any) => (c.macOS.installer = '10.13.6'), /macOS\.installer: .*does not load/],
    ['SDK below the plug-in', (c: any) => (c.macOS.sdk = '10.15'), /macOS\.sdk: "10\.15": must not be below/],
    [
      'name told apart by capitals',
      (c: any) => (c.output.guard = 'escrow.buddy-{version}.pkg'),
      /output: .*must differ/,
    ],
  ])('refuses what each value allows and both do not: %s', (_name, change, expected) => {
    expect(messageAfter(change)).toMatch(expected);
  });

  it.each([
    ['arm64 11.0 itself', { arm64: '11.0', sdk: '11.0', x86_64: '10.14', installer: '10.14' }, 'accepted'],
    ['all versions equal', { arm64: '12.0', sdk: '12.0', x86_64: '12.0', installer: '12.0' }, 'accepted'],
    ['SDK below arm64 alone', { arm64: '12.1', sdk: '12.0', x86_64: '10.14', installer: '10.14' }, 'macOS.sdk: "12.0"'],
    ['SDK below x86_64 alone', { arm64: '11.0', sdk: '12.0', x86_64: '12.1', installer: '12.1' }, 'macOS.sdk: "12.0"'],
    ['installer below by a digit', { x86_64: '10.14.5', installer: '10.14.4' }, 'macOS.installer: "10.14.4"'],
  ])('compares versions of macOS: %s', (_name, versions, expected) => {
    expect(messageAfter((config: Record<string, any>) => Object.assign(config.macOS, versions))).toContain(expected);
  });

  it.each([
    ['guardIdentifier', 'uninstallIdentifier'],
    ['uninstallIdentifier', 'requestIdentifier'],
    ['requestIdentifier', 'identifier'],
  ])('refuses %s that is %s', (one, other) => {
    expect(messageAfter((config: any) => (config.package[one] = config.package[other]))).toMatch(
      /identifiers must differ/,
    );
  });

  it.each([null, 7, 'aa', []])('says of wrong sections %j no more than that they are wrong', (value) => {
    const sections = Object.keys(JSON.parse(SOURCE)).filter((key) => key !== '$schema');
    const message = messageAfter((config: Record<string, any>) => {
      for (const section of sections) config[section] = value;
    });
    expect(message).toMatch(new RegExp(`has ${sections.length} problems`));
  });

  it('passes over parts of a contradiction whose type is wrong', () => {
    const message = messageAfter((config: Record<string, any>) => {
      config.authorization.mechanism = 7;
      config.package.identifier = 7;
      config.output.package = 7;
      config.macOS.arm64 = 'x';
    });
    expect(message).toMatch(/has 4 problems/);
    expect(messageAfter((config: Record<string, any>) => (config.bundle.name = 7))).toMatch(/has 1 problem:/);
  });

  describe('an external signer', () => {
    const identity = { command: ['a'], certificates: 'certificates/a.pem' };
    const signer = (change: object) => (config: Record<string, any>) => {
      config.signing.externalSigner = { application: { ...identity, ...change }, installer: identity };
    };

    it('signs SHA-256 alone and is given no variable unless it says so', () => {
      const config = JSON.parse(SOURCE);
      signer({ hashes: ['sha1', 'sha256'], environment: ['A_1'] })(config);
      const { application, installer } = parseConfig(JSON.stringify(config), 'x').signing.externalSigner!;
      expect(application).toMatchObject({ hashes: ['sha1', 'sha256'], environment: ['A_1'] });
      expect(installer).toMatchObject({ hashes: ['sha256'], environment: [] });
    });

    it.each([
      ['no program', { command: [] }],
      ['an empty word', { command: ['a', ''] }],
      ['no digest', { hashes: [] }],
      ['another digest', { hashes: ['md5'] }],
      ['a variable that is none', { environment: ['A-B'] }],
      ['an absolute path', { certificates: '/a.pem' }],
      ['a path that leads out', { certificates: 'a/../../b.pem' }],
      ['another key', { note: '' }],
    ])('is refused with %s', (_name, change) => {
      expect(messageAfter(signer(change))).toMatch(/signing\.externalSigner\.application/);
    });

    it('is refused for one of two keys', () => {
      const one = messageAfter((config: any) => (config.signing.externalSigner = { application: identity }));
      expect(one).toMatch(/signing\.externalSigner\.installer: missing/);
    });
  });

  it('names the schema for editors in the next step', () => {
    try {
      parseConfig('{}', 'release.config.json');
    } catch (error) {
      expect((error as UsageError).hint).toContain('docs/schemas/release.config.schema.json');
    }
    expect.assertions(1);
  });

  it('reports contradictions beside wrong values, and a wrong section once', () => {
    const message = messageAfter((config: Record<string, any>) => {
      config.macOS.sdk = 14;
      config.package.guardIdentifier = config.package.identifier;
      config.output = 'aa';
    });
    expect(message).toMatch(/has 3 problems/);
    expect(message).toContain('macOS.sdk: 14');
    expect(message).toContain('identifiers must differ');
    expect(message).toMatch(/output: "aa": allowed is object$/m);
  });

  it.each(['null', '[]', '7', '{}'])('refuses the file %s', (source) => {
    expect(() => parseConfig(source, 'release.config.json')).toThrow(UsageError);
  });

  it('names no place in broken JSON that it does not know', () => {
    expect(() => parseConfig('{\n  "a": \n}\n\n\n', 'x')).toThrow(
      /^x is not valid JSON: (line 3, column 1: )?\S*Unexpected token/,
    );
  });

  it('says where JSON is broken', () => {
    expect(() => parseConfig('{\n  "product": {,}\n}', 'release.config.json')).toThrow(
      /is not valid JSON: line 2, column 15/,
    );
  });
});

describe('readConfig', () => {
  it('reads the file of a project, and says where to run when there is none', async () => {
    expect(await readConfig('.')).toEqual(parseConfig(SOURCE, 'release.config.json'));
    await expect(readConfig('docs')).rejects.toMatchObject({ name: 'UsageError', code: 'CONFIG_MISSING' });
  });
});

describe('text that cannot be in a package', () => {
  it.each([
    ['product', 'title', ['\ud800', 'a\nb', 'a\x85', '\u2028', '\uffff', ' ', 'x'.repeat(201)]],
    ['bundle', 'executable', ['..', 'a/b', 'a:b', '\udc00', 'x'.repeat(201)]],
    ['output', 'package', ['a.pkg', '../{version}.pkg', '.{version}.pkg', '-{version}.pkg', '\ud800{version}.pkg']],
    ['package', 'installLocation', ['/', '/a/../b', '/\ud800']],
    ['macOS', 'sdk', ['014.4', '14', '14.4\n']],
    [
      'services',
      'notary',
      [' http://a', 'http://a\n', 'http://user:word@a', 'http://a?b', 'http://a:99999', 'ftp://a'],
    ],
  ])('%s.%s refuses it, and so does the schema', (section, key, values) => {
    const { pattern } = JSON.parse(jsonSchemaText(CONFIG_SCHEMA, 'input')).properties[section].properties[key];
    for (const value of values) {
      const message = messageAfter((config: Record<string, any>) => {
        config[section][key] = value;
      });
      expect(message, JSON.stringify(value)).toContain(`${section}.${key}: `);
      // A port's size is beyond a pattern.
      if (!value.includes(':99999')) expect(new RegExp(pattern, 'u').test(value), JSON.stringify(value)).toBe(false);
    }
  });

  it.each([
    [/must differ in more than capitals/, 'package', 'guardIdentifier', 'COM.netflix.escrow-buddy'],
    [/must differ, in more than capitals and Unicode normalisation/, 'output', 'guard', 'e\u0301-{version}.pkg'],
  ])('names that one Mac takes for the same: %s', (message, section, key, value) => {
    const found = messageAfter((config: Record<string, any>) => {
      if (section === 'output') config.output.package = 'É-{version}.pkg';
      config[section][key] = value;
    });
    expect(found).toMatch(message);
  });
});

describe('the folder of downloads', () => {
  const said = (key: string, value: string) =>
    messageAfter((config: Record<string, any>) => {
      config.services[key] = value;
    });

  it.each([
    'https://dl.example.org/v{version}',
    'https://dl.example.org/{version}/{version}/',
    'https://dl.example.org',
  ])('may be %s: the version is put in', (value) => expect(said('downloads', value)).toBe('accepted'));

  it.each([
    ['downloads', 'https://{version}.example.org'],
    ['downloads', 'https://dl.example.org/{other}'],
    ['downloads', 'https://dl.example.org/?v={version}'],
    ['notary', 'https://example.org/{version}'],
  ])('is no place for it elsewhere: %s of %s', (key, value) => {
    expect(said(key, value)).toContain('an http or https address without user, query or fragment');
  });
});

describe('the JSON Schema for editors', () => {
  it('is the one that the code checks with (after a change: npx vitest run test/build/plan/config.test.ts -u)', async () => {
    await expect(jsonSchemaText(CONFIG_SCHEMA, 'input')).toMatchFileSnapshot(
      '../../../docs/schemas/release.config.schema.json',
    );
  });
});
