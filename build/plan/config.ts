import { join } from 'node:path';
import * as z from 'zod';
import { parseDocument, show } from '../../src/base/document.ts';
import { UsageError } from '../../src/base/errors.ts';
import { compareVersions, isVersion } from '../../src/base/version.ts';
import { readWhole } from '../../src/base/with-file.ts';

const text = (allowed: string, pattern: RegExp) => z.string(allowed).regex(pattern, allowed).describe(allowed);

/**
 * What no line of text here may hold: control characters, line separators, halves of characters (they have no UTF-8 form) and the
 * two characters that XML forbids. Patterns with it need the flag `u`, as JSON Schema reads all of them.
 */
const NO_TEXT = String.raw`\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff`;
const line = (pattern: string) => new RegExp(pattern.replaceAll('NO_TEXT', NO_TEXT), 'u');

const identifier = text(
  'a reverse-DNS identifier of letters, digits, dots and hyphens, such as com.example.Product, at most 200 long',
  /^(?=.{1,200}$)[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$/u,
);
const fileName = text(
  'a file name without slash, colon or control character, at most 200 long',
  line('^(?!\\.{1,2}$)[^/:NO_TEXT]{1,200}$'),
);
/** A name that begins with a dot is hidden, one with a hyphen is an option to many tools. */
const outputName = (extension: string) =>
  text(
    `a file name that contains {version} and ends in .${extension}, such as Product-{version}.${extension}, at most 200 long`,
    line(`^(?![.-])(?=.{1,200}$)[^/:NO_TEXT]*\\{version\\}[^/:NO_TEXT]*\\.${extension}$`),
  );
const packageName = outputName('pkg');
const macOSVersion = text('a macOS version such as 11.0 or 10.14.4', /^(0|[1-9][0-9]{0,2})(\.(0|[1-9][0-9]?)){1,2}$/u);
const mechanism = text(
  'PLUGIN:MECHANISM or PLUGIN:MECHANISM,privileged',
  line('^[^:,NO_TEXT]+:[^:,NO_TEXT]+(,privileged)?$'),
);
const externalIdentity = z.strictObject({
  command: z
    .array(z.string().min(1))
    .min(1)
    .describe('Program and arguments; it reads {"schema":1,"hash","digest"} and prints the RSA signature in base64'),
  certificates: text('path of a PEM file in the project, leaf first', line('^(?!/)(?!.*\\.\\.)[^NO_TEXT]+$')),
  hashes: z
    .array(z.enum(['sha1', 'sha256'], 'sha1 or sha256'))
    .min(1)
    .default(['sha256'])
    .describe('Digests the key signs; without sha1 a package has the CMS signature alone'),
  environment: z
    .array(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/u))
    .default([])
    .describe('Environment variables that the command is given beside PATH and HOME, such as AWS_SESSION_TOKEN'),
});
/** Addresses that would have to be mended, hold a password, or cannot have a path put behind them, are none. `more`: what else a path may hold. */
const address = (words: string, more = '') =>
  text(
    words,
    new RegExp(
      `^https?://([A-Za-z0-9.-]+|\\[[0-9A-Fa-f:.]+\\])(:[0-9]{1,5})?(/([A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2}${more})*)?$`,
      'u',
    ),
  ).refine((value) => URL.canParse(value), 'an http or https address, its port below 65536');
const url = address('an http or https address without user, query or fragment');
const folderUrl = address(
  'an http or https address without user, query or fragment; {version} in its path stands for the version',
  '|\\{version\\}',
);

/** Schema of release.config.json; the JSON Schema beside that file is made from it. */
export const CONFIG_SCHEMA = z.strictObject({
  $schema: z.string().optional(),
  product: z.strictObject({
    title: text('the name that Installer shows, one line of at most 200', line('^(?=.*\\S)[^NO_TEXT]{1,200}$')),
  }),
  bundle: z.strictObject({
    name: text('a file name that ends in .bundle, at most 200 long', line('^(?![.])[^/:,NO_TEXT]{1,193}\\.bundle$')),
    executable: fileName,
    identifier,
  }),
  authorization: z.strictObject({
    right: text('the name of a right, such as system.login.console', /^[a-z0-9.-]+$/u),
    mechanism,
    before: mechanism,
  }),
  package: z.strictObject({
    identifier,
    installLocation: text(
      'an absolute path without .. or a slash at its end',
      line('^(?=.{1,500}$)(?!.*/\\.{1,2}(/|$))(/[^/NO_TEXT]+)+$'),
    ),
    guardIdentifier: identifier,
    uninstallIdentifier: identifier,
    requestIdentifier: identifier,
  }),
  macOS: z.strictObject({
    sdk: macOSVersion,
    installer: macOSVersion,
    x86_64: macOSVersion,
    arm64: macOSVersion,
  }),
  output: z.strictObject({
    package: packageName,
    guard: packageName,
    uninstall: packageName,
    request: packageName,
    kit: outputName('zip'),
  }),
  signing: z.strictObject({
    teamIdentifier: text('10 capital letters or digits, as Apple assigned them', /^[A-Z0-9]{10}$/u)
      .nullable()
      .describe('Team that must have signed a release; null accepts the team of the certificates given'),
    toolchain: z.enum(['portable', 'apple', 'auto'], 'portable, apple or auto'),
    externalSigner: z
      .strictObject({ application: externalIdentity, installer: externalIdentity })
      .optional()
      .describe('Keys that stay in a key service, a smart card or a hardware module'),
  }),
  services: z.strictObject({
    timestamp: url,
    notary: url,
    tickets: url,
    downloads: folderUrl
      .nullable()
      .describe(
        'Folder from which a released version is downloaded, {version} put in; null: the kit names a placeholder',
      ),
  }),
});

/** What release.config.json says. */
export type Config = z.infer<typeof CONFIG_SCHEMA>;

/** Where the configuration lies in a project folder. */
export const CONFIG_FILE = 'release.config.json';

/**
 * Returns the configuration of the project in `root`.
 *
 * @throws UsageError `CONFIG_INVALID` that lists every problem of the file: path, value, what is allowed
 */
export async function readConfig(root: string): Promise<Config> {
  const path = join(root, CONFIG_FILE);
  return parseConfig(await readBytes(path), CONFIG_FILE);
}

/** Returns the checked configuration in `source`; `name` is the file's name in messages. */
export function parseConfig(source: Buffer | string, name: string): Config {
  return parseDocument(source, {
    name,
    schema: CONFIG_SCHEMA,
    code: 'CONFIG_INVALID',
    hint: `Mend ${name}; an editor shows what each key allows, from docs/schemas/${CONFIG_FILE.replace('.json', '.schema.json')}.`,
    contradictions: (value) => contradictions(value as LooseConfig),
  });
}

/** A configuration of which any part may be missing or of another type. */
type LooseConfig = { readonly [Section in keyof Config]?: Readonly<Record<string, unknown>> | null } | null;

/** What the shapes allow and yet cannot be meant; parts whose shape is wrong are passed over. */
function contradictions(config: LooseConfig): string[] {
  const problems: string[] = [];
  const { bundle, authorization, package: settings, output } = config ?? {};
  const plugin = typeof authorization?.mechanism === 'string' ? authorization.mechanism.split(':')[0] : undefined;
  if (plugin !== undefined && typeof bundle?.name === 'string' && `${plugin}.bundle` !== bundle.name) {
    problems.push(
      `authorization.mechanism: ${show(authorization?.mechanism)}: must begin with the name of the bundle, ${show(bundle.name.replace(/\.bundle$/, ''))}`,
    );
  }
  const identifiers = texts([
    settings?.identifier,
    settings?.guardIdentifier,
    settings?.uninstallIdentifier,
    settings?.requestIdentifier,
  ]);
  if (new Set(identifiers.map((name) => name.toLowerCase())).size < identifiers.length) {
    problems.push(
      `package: ${show(identifiers)}: the identifiers must differ in more than capitals, each is a receipt of its own`,
    );
  }
  // Most Macs keep files in a file system that does not tell capitals from small letters.
  const names = texts(typeof output === 'object' ? Object.values(output ?? {}) : []);
  if (new Set(names.map((name) => name.normalize('NFD').toLowerCase())).size < names.length) {
    problems.push(`output: ${show(names)}: the names must differ, in more than capitals and Unicode normalisation`);
  }
  return [...problems, ...versionProblems(config?.macOS ?? {})];
}

/** Returns what is wrong between versions of macOS. */
function versionProblems(macOS: Readonly<Record<string, unknown>>): string[] {
  const isBelow = (one: unknown, other: unknown) =>
    [one, other].every((version) => typeof version === 'string' && isVersion(version)) &&
    compareVersions(one as string, other as string) < 0;
  const { sdk, installer, x86_64, arm64 } = macOS;
  return [
    ...(isBelow(arm64, '11.0')
      ? [`macOS.arm64: ${show(arm64)}: allowed is 11.0 or later, the first for Apple silicon`]
      : []),
    ...(isBelow(installer, x86_64)
      ? [
          `macOS.installer: ${show(installer)}: must not be below macOS.x86_64, or the package installs where the plug-in does not load`,
        ]
      : []),
    ...(isBelow(sdk, x86_64) || isBelow(sdk, arm64)
      ? [`macOS.sdk: ${show(sdk)}: must not be below x86_64 or arm64`]
      : []),
  ];
}

function texts(values: readonly unknown[]): string[] {
  return values.filter((value): value is string => typeof value === 'string');
}

async function readBytes(path: string): Promise<Buffer> {
  try {
    return await readWhole(path);
  } catch (cause) {
    throw new UsageError('CONFIG_MISSING', `cannot read ${path}`, {
      cause,
      hint: 'Run this in the folder of the project, the one with release.config.json.',
    });
  }
}
