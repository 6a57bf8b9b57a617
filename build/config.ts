import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { UsageError } from '../src/base/errors.ts';

const text = (allowed: string, pattern: RegExp) => z.string(allowed).regex(pattern, allowed).describe(allowed);

const identifier = text(
  'a reverse-DNS identifier of letters, digits, dots and hyphens, such as com.example.Product',
  /^[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$/,
);
const fileName = text('a file name without slash or control character', /^(?!\.{1,2}$)[^/\x00-\x1f\x7f]+$/);
const packageName = text(
  'a file name that contains {version} and ends in .pkg, such as Product-{version}.pkg',
  /^[^/\x00-\x1f]*\{version\}[^/\x00-\x1f]*\.pkg$/,
);
const macOSVersion = text('a macOS version such as 11.0 or 10.14.4', /^\d{1,3}(\.\d{1,2}){1,2}$/);
const mechanism = text(
  'PLUGIN:MECHANISM or PLUGIN:MECHANISM,privileged',
  /^[^:,\x00-\x1f]+:[^:,\x00-\x1f]+(,privileged)?$/,
);
const externalIdentity = z.strictObject({
  command: z
    .array(z.string().min(1))
    .min(1)
    .describe('Program and arguments; it reads {"schema":1,"hash","digest"} and prints the RSA signature in base64'),
  certificates: text('path of a PEM file in the project, leaf first', /^(?!\/)(?!.*\.\.)[^\x00-\x1f]+$/),
  hashes: z
    .array(z.enum(['sha1', 'sha256'], 'sha1 or sha256'))
    .min(1)
    .default(['sha256'])
    .describe('Digests the key signs; without sha1 a package has the CMS signature alone'),
});
const url = z.url({ protocol: /^https?$/, error: 'an http or https address' }).describe('an http or https address');

/** Schema of release.config.json; the JSON Schema beside that file is made from it. */
export const CONFIG_SCHEMA = z.strictObject({
  $schema: z.string().optional(),
  product: z.strictObject({ title: text('the name that Installer shows, one line', /^[^\x00-\x1f\x7f]+$/) }),
  bundle: z.strictObject({
    name: text('a file name that ends in .bundle', /^[^/\x00-\x1f:,]+\.bundle$/),
    executable: fileName,
    identifier,
  }),
  authorization: z.strictObject({
    right: text('the name of a right, such as system.login.console', /^[a-z0-9.-]+$/),
    mechanism,
    before: mechanism,
  }),
  package: z.strictObject({
    identifier,
    installLocation: text(
      'an absolute path without .. or a slash at its end',
      /^(?!.*\/\.{1,2}(\/|$))(\/[^/\x00-\x1f]+)+$/,
    ),
    guardIdentifier: identifier,
    uninstallIdentifier: identifier,
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
    kit: text('a file name that contains {version} and ends in .zip', /^[^/\x00-\x1f]*\{version\}[^/\x00-\x1f]*\.zip$/),
  }),
  signing: z.strictObject({
    teamIdentifier: text('10 capital letters or digits, as Apple assigned them', /^[A-Z0-9]{10}$/)
      .nullable()
      .describe('Team that must have signed a release; null accepts the team of the certificates given'),
    toolchain: z.enum(['portable', 'apple', 'auto'], 'portable, apple or auto'),
    externalSigner: z
      .strictObject({ application: externalIdentity, installer: externalIdentity })
      .optional()
      .describe('Keys that stay in a key service, a smart card or a hardware module'),
  }),
  services: z.strictObject({ timestamp: url, notary: url, tickets: url }),
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
  return parseConfig(await readText(path), CONFIG_FILE);
}

/** Returns the checked configuration in `source`; `name` is the file's name in messages. */
export function parseConfig(source: string, name: string): Config {
  const value = parseJson(source, name);
  const checked = CONFIG_SCHEMA.safeParse(value);
  const problems = [...(checked.success ? [] : checked.error.issues.flatMap((issue) => describeIssue(issue, value)))];
  if (checked.success) problems.push(...contradictions(checked.data));
  if (problems.length > 0 || !checked.success) {
    const list = problems.map((problem) => `  ${problem}`).join('\n');
    throw new UsageError('CONFIG_INVALID', `${name} has ${count(problems.length, 'problem')}:\n${list}`, {
      hint: `Mend ${name}; an editor shows what each key allows, from ${CONFIG_FILE.replace('.json', '.schema.json')}.`,
    });
  }
  return checked.data;
}

/** Returns the JSON Schema (draft 2020-12) of release.config.json, for editors. */
export function configJsonSchema(): string {
  return `${JSON.stringify(z.toJSONSchema(CONFIG_SCHEMA, { io: 'input' }), null, 2)}\n`;
}

/** What the shapes allow and yet cannot be meant. */
function contradictions(config: Config): string[] {
  const problems: string[] = [];
  const plugin = config.authorization.mechanism.split(':')[0];
  if (`${plugin}.bundle` !== config.bundle.name) {
    problems.push(
      `authorization.mechanism: ${show(config.authorization.mechanism)}: must begin with the name of the bundle, ${show(config.bundle.name.replace(/\.bundle$/, ''))}`,
    );
  }
  const identifiers = [config.package.identifier, config.package.guardIdentifier, config.package.uninstallIdentifier];
  if (new Set(identifiers).size < identifiers.length) {
    problems.push(`package: ${show(identifiers)}: the three identifiers must differ, each is a receipt of its own`);
  }
  const names = Object.values(config.output);
  if (new Set(names).size < names.length) problems.push(`output: ${show(names)}: the names must differ`);
  return problems;
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new UsageError('CONFIG_MISSING', `cannot read ${path}`, {
      cause,
      hint: 'Run this in the folder of the project, the one with release.config.json.',
    });
  }
}

/** Returns what JSON text says. Throws UsageError `JSON_INVALID` naming line and column. */
export function parseJson(source: string, name: string): unknown {
  try {
    return JSON.parse(source);
  } catch (cause) {
    const position = /position (\d+)/.exec((cause as Error).message)?.[1];
    const before = source.slice(0, Number(position ?? source.length)).split('\n');
    const place = `line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}`;
    throw new UsageError('JSON_INVALID', `${name} is no JSON: ${place}: ${(cause as Error).message}`, {
      cause,
      hint: 'JSON wants double quotes and no comma behind the last element.',
    });
  }
}

type Issue = z.core.$ZodIssue;

function describeIssue(issue: Issue, root: unknown): string[] {
  const at = issue.path.map(String).join('.') || '(the whole file)';
  const value = issue.path.reduce<unknown>(
    (found, key) => (found as Record<PropertyKey, unknown> | undefined)?.[key],
    root,
  );
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => `${[...issue.path, key].join('.')}: no such setting; remove it or mend its name`);
  }
  if (value === undefined)
    return [`${at}: missing; allowed is ${issue.message.replace(/^Invalid input: expected /, '')}`];
  return [`${at}: ${show(value)}: allowed is ${issue.message.replace(/^Invalid input: expected /, '')}`];
}

function show(value: unknown): string {
  const shown = JSON.stringify(value) ?? String(value);
  return shown.length > 80 ? `${shown.slice(0, 77)}...` : shown;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
