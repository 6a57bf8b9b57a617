import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { UsageError } from '../../src/base/errors.ts';
import type { StageContext, StageResult } from '../run.ts';
import type { BuiltFile } from './assemble-payload.ts';

/** What the scripts are told about the product; every value ends up in `scripts/lib/values.sh`. */
export interface ScriptInput {
  /** Name for people and for the guard's folder, such as `Escrow Buddy`. */
  readonly productName: string;
  /** Name of the bundle, with or without `.bundle`; its executable has the same name without it. */
  readonly bundleName: string;
  readonly packageIdentifier: string;
  /** Also the settings domain and the tag of log lines. */
  readonly bundleIdentifier: string;
  /** Entry of the login right, such as `Escrow Buddy:Invoke,privileged`. */
  readonly mechanism: string;
  /** Entry that the mechanism stands in front of, such as `loginwindow:done`. */
  readonly anchor: string;
  readonly version: string;
  /** Folder of the bundle, such as `/Library/Security/SecurityAgentPlugins`. */
  readonly installLocation: string;
  /** Team that signs; null when nobody does. */
  readonly teamIdentifier: string | null;
  /** Oldest macOS the package installs on, such as `10.14.4`. */
  readonly minimumMacOS: string;
  readonly guardIdentifier: string;
  readonly uninstallIdentifier: string;
  /** Whether the bundle carries a signature codesign can judge; false for ad-hoc and unsigned builds. */
  readonly codeSigned: boolean;
}

/** Which package a script belongs to: the product's own, or one of the two extra ones without a payload. */
export type ScriptPackage = 'product' | 'guard' | 'uninstall';

/** One script as it lies in a package. */
export interface ScriptFile {
  readonly package: ScriptPackage;
  /** Template in `scripts/`. */
  readonly template: string;
  /** `Scripts/NAME`: in the Scripts archive. `Contents/Resources/NAME`: inside the bundle. */
  readonly path: string;
  readonly mode: number;
}

/** A script with its text. */
export interface RenderedScript extends ScriptFile {
  readonly text: string;
}

/** Returns the text of a template by its path below `scripts/`, such as `lib/report.sh`. */
export type ReadTemplate = (path: string) => string;

/** Every script of every package. `guard.sh` lies beside the postinstall that copies it into place. */
export const SCRIPT_FILES: readonly ScriptFile[] = [
  { package: 'product', template: 'preinstall.sh', path: 'Scripts/preinstall', mode: 0o755 },
  { package: 'product', template: 'postinstall.sh', path: 'Scripts/postinstall', mode: 0o755 },
  { package: 'product', template: 'guard.sh', path: 'Scripts/guard.sh', mode: 0o755 },
  { package: 'product', template: 'AuthDBSetup.sh', path: 'Contents/Resources/AuthDBSetup.sh', mode: 0o755 },
  { package: 'product', template: 'AuthDBTeardown.sh', path: 'Contents/Resources/AuthDBTeardown.sh', mode: 0o755 },
  { package: 'product', template: 'status.sh', path: 'Contents/Resources/status.sh', mode: 0o755 },
  { package: 'product', template: 'uninstall.sh', path: 'Contents/Resources/uninstall.sh', mode: 0o755 },
  { package: 'guard', template: 'guard-postinstall.sh', path: 'Scripts/postinstall', mode: 0o755 },
  { package: 'guard', template: 'guard.sh', path: 'Scripts/guard.sh', mode: 0o755 },
  { package: 'uninstall', template: 'uninstall-postinstall.sh', path: 'Scripts/postinstall', mode: 0o755 },
];

/**
 * Returns all scripts of all packages, rendered.
 *
 * @throws UsageError when a value cannot be used in a script, TypeError when a template is wrong
 * @example renderScripts(input, templateReader('scripts')).find((script) => script.path === 'Scripts/postinstall')?.text
 */
export function renderScripts(input: ScriptInput, readTemplate: ReadTemplate): RenderedScript[] {
  const values = scriptValues(input);
  return SCRIPT_FILES.map((file) => ({ ...file, text: renderScript(file.template, values, readTemplate) }));
}

/** Returns a reader of the templates in `folder`. */
export function templateReader(folder: string): ReadTemplate {
  return (path) => readFileSync(join(folder, path), 'utf8');
}

const INCLUDE = /^# @include (\S+)$/;
const VALUE_LINE = /^([A-Z_]+)=@([A-Z_]+)@$/;
const DIRECTIVE = /^# shellcheck shell=/;

/**
 * Returns a template with its includes and values put in: a script that stands alone.
 *
 * A line `# @include lib/NAME.sh` is replaced by that file, a line `KEY=@KEY@` by `KEY='value'`. Functions, values and
 * one-line variables that the script never uses are left out, together with the comment above them.
 *
 * @param name template below `scripts/`
 * @param values by placeholder name, any text without NUL
 * @throws TypeError on an unknown or misplaced placeholder, a file included twice, in a circle, or without any use
 */
export function renderScript(
  name: string,
  values: Readonly<Record<string, string>>,
  readTemplate: ReadTemplate,
): string {
  const parts: Part[] = [];
  collect(name, readTemplate, [], parts);
  refuseIdleParts(name, parts);
  const blocks = dropUnused(parts.flatMap((part) => [...blocksOf(part), BLANK]));
  const lines = blocks.flatMap((block) => block.lines.map((line) => fillIn(block.file, line, values)));
  return `${lines
    .join('\n')
    .replace(/\n{3,}/g, '\n\n')
    .trimEnd()}\n`;
}

/** A run of lines that is kept or left out as a whole: a function or a variable with its comment, or any other line. */
interface Block {
  readonly file: string;
  /** Name it defines, if it does nothing else. */
  readonly defines: string | undefined;
  readonly lines: readonly string[];
}

const BLANK: Block = { file: '', defines: undefined, lines: [''] };

function blocksOf({ file, lines }: Part): Block[] {
  const blocks: Block[] = [];
  for (let start = 0; start < lines.length; ) {
    let head = start;
    while (lines[head]?.startsWith('#') && !lines[head]?.startsWith('#!')) head++;
    const line = lines[head] ?? '';
    const functionName = /^([a-z_]+)\(\) \{$/.exec(line)?.[1];
    const variable = /^([A-Z_]+)=(?:[^'"]*|'[^']*'|"[^"]*")(?:\s+#.*)?$/.exec(line)?.[1];
    let end = head + 1;
    if (functionName !== undefined) end = lines.indexOf('}', head) + 1;
    blocks.push({ file, defines: functionName ?? variable, lines: lines.slice(start, Math.max(end, start + 1)) });
    start = Math.max(end, start + 1);
  }
  return blocks;
}

/** Leaves out every definition that no other block names, until none is left. */
function dropUnused(blocks: readonly Block[]): readonly Block[] {
  const named = blocks.map((block) => wordsOf(block.lines.filter((line) => !/^\s*#/.test(line))));
  const uses = new Map<string, number>();
  const count = (words: ReadonlySet<string>, step: 1 | -1) => {
    for (const word of words) uses.set(word, (uses.get(word) ?? 0) + step);
  };
  for (const words of named) count(words, 1);
  const kept = new Set(blocks.keys());
  for (let before = -1; before !== kept.size; ) {
    before = kept.size;
    for (const index of kept) {
      const { defines } = blocks[index] as Block;
      // A block that defines a name also holds it: one use is its own.
      if (defines === undefined || (uses.get(defines) ?? 0) > 1) continue;
      kept.delete(index);
      count(named[index] as ReadonlySet<string>, -1);
    }
  }
  return blocks.filter((_, index) => kept.has(index));
}

function wordsOf(lines: readonly string[]): ReadonlySet<string> {
  return new Set(lines.join('\n').match(/\w+/g) ?? []);
}

/** Lines of one file in the order they end up in; a template is cut in parts by its includes. */
interface Part {
  readonly file: string;
  readonly lines: string[];
}

function collect(file: string, readTemplate: ReadTemplate, path: readonly string[], parts: Part[]): void {
  if (path.includes(file)) throw new TypeError(`${file} includes itself: ${[...path, file].join(' > ')}`);
  if (parts.some((part) => part.file === file)) throw new TypeError(`${path[0]}: ${file} is included twice`);
  let part: Part = { file, lines: [] };
  parts.push(part);
  for (const line of readTemplate(file).replace(/\n+$/, '').split('\n')) {
    const include = INCLUDE.exec(line)?.[1];
    if (include !== undefined) {
      collect(include, readTemplate, [...path, file], parts);
      part = { file: `${file} (continued)`, lines: [] };
      parts.push(part);
    } else if (/^\s*# ?@include/.test(line)) {
      throw new TypeError(`${file}: not an include: ${line}`);
    } else if (!DIRECTIVE.test(line)) {
      part.lines.push(line);
    }
  }
}

/** An included file that only defines things, none of which is named anywhere else, only makes the script longer. */
function refuseIdleParts(name: string, parts: readonly Part[]): void {
  const named = parts.map((part) => wordsOf(part.lines));
  for (const part of parts.slice(1)) {
    const names = part.lines.flatMap((line) => /^(?:([a-z_]+)\(\)|([A-Z_]+)=)/.exec(line)?.slice(1) ?? []);
    const defined = names.filter((word) => word !== undefined);
    const acts = part.lines.some((line) => /^[a-z]/.test(line) && !/^[a-z_]+\(\)/.test(line));
    if (defined.length === 0 || acts) continue;
    const used = defined.some((word) => named.some((words, other) => parts[other] !== part && words.has(word)));
    if (!used) throw new TypeError(`${name}: nothing of ${part.file} is used`);
  }
}

function fillIn(file: string, line: string, values: Readonly<Record<string, string>>): string {
  const [, key, placeholder] = VALUE_LINE.exec(line) ?? [];
  if (key === undefined || placeholder === undefined) {
    if (/@[A-Z_]+@/.test(line)) throw new TypeError(`${file}: a placeholder stands alone, as KEY=@KEY@: ${line}`);
    return line;
  }
  const value = Object.hasOwn(values, placeholder) ? values[placeholder] : undefined;
  if (value === undefined) throw new TypeError(`${file}: @${placeholder}@ is no known value`);
  return `${key}=${quoteWord(value)}`;
}

/**
 * Returns `text` as one word of a POSIX shell that stands for exactly these characters.
 *
 * @throws UsageError on NUL, which no shell word can hold
 * @see POSIX Shell Command Language, 2.2.2 Single-Quotes
 * @example quoteWord("it's") // 'it'\''s'
 */
export function quoteWord(text: string): string {
  if (text.includes('\0')) throw new UsageError('VALUE_INVALID', 'a value of the scripts contains NUL');
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/**
 * Returns the values of `scripts/lib/values.sh`, by placeholder.
 *
 * @throws UsageError when a value would not survive a property list or a PlistBuddy command
 */
export function scriptValues(input: ScriptInput): Record<string, string> {
  const executable = input.bundleName.replace(/\.bundle$/, '');
  const values = {
    PRODUCT_NAME: input.productName,
    VERSION: input.version,
    DOMAIN: input.bundleIdentifier,
    PACKAGE_IDENTIFIER: input.packageIdentifier,
    GUARD_IDENTIFIER: input.guardIdentifier,
    UNINSTALL_IDENTIFIER: input.uninstallIdentifier,
    PLUG_IN_FOLDER: input.installLocation,
    BUNDLE: `${input.installLocation}/${executable}.bundle`,
    EXECUTABLE: executable,
    MECHANISM: input.mechanism,
    ANCHOR: input.anchor,
    MINIMUM_MACOS: input.minimumMacOS,
  };
  for (const [key, value] of Object.entries(values)) {
    // They become parts of XML, of shell messages and of PlistBuddy's own quoting.
    if (!/^[^\0-\x1f\x7f<>&'"\\`$]+$/.test(value)) {
      throw new UsageError(
        'VALUE_INVALID',
        `${key} of the scripts: ${JSON.stringify(value)}: no control characters, quotes or <>&\\\`$`,
      );
    }
  }
  return {
    ...values,
    BUNDLE_NAME_ANY_CASE: anyCasePattern(executable),
    CODE_SIGNED: input.codeSigned ? 'yes' : 'no',
    CODE_REQUIREMENT: codeRequirement(input),
  };
}

/** Returns a shell pattern that matches `text` in any ASCII case and nothing else: `Ab c` is `[Aa][Bb][ ][Cc]`. */
function anyCasePattern(text: string): string {
  return [...text]
    .map((c) => (/[a-z]/i.test(c) ? `[${c.toUpperCase()}${c.toLowerCase()}]` : /[!\]^-]/.test(c) ? `\\${c}` : `[${c}]`))
    .join('');
}

/** Returns the requirement `codesign -R` is given; a rehearsal's certificate does not lead to Apple, so it has none. */
function codeRequirement({ codeSigned, teamIdentifier }: ScriptInput): string {
  if (!codeSigned || teamIdentifier === null || teamIdentifier === 'REHEARSAL0') return '';
  if (!/^[A-Z0-9]{10}$/.test(teamIdentifier)) {
    throw new UsageError(
      'VALUE_INVALID',
      `team identifier: ${JSON.stringify(teamIdentifier)}: ten capital letters or digits`,
    );
  }
  return `=anchor apple generic and certificate leaf[subject.OU] = "${teamIdentifier}"`;
}

/** The scripts of this version: what is sealed inside the bundle, and what Installer runs for each package. */
export interface GeneratedScripts {
  readonly kind: 'generated-scripts';
  /** Files of the bundle, with paths below it. */
  readonly resources: readonly BuiltFile[];
  /** Files of each package's Scripts archive. */
  readonly installer: Readonly<Record<ScriptPackage, readonly BuiltFile[]>>;
}

/** Renders every script of every package from the templates in scripts/. */
export async function generateScripts(
  signing: { readonly codeSigned: boolean; readonly teamIdentifier: string | null },
  { plan }: Pick<StageContext, 'plan'>,
): Promise<StageResult<GeneratedScripts>> {
  const { bundle, authorization, package: settings, product, macOS } = plan.config;
  const scripts = renderScripts(
    {
      productName: product.title,
      bundleName: bundle.name,
      packageIdentifier: settings.identifier,
      bundleIdentifier: bundle.identifier,
      mechanism: authorization.mechanism,
      anchor: authorization.before,
      version: plan.version,
      installLocation: settings.installLocation,
      minimumMacOS: macOS.installer,
      guardIdentifier: settings.guardIdentifier,
      uninstallIdentifier: settings.uninstallIdentifier,
      ...signing,
    },
    templateReader(join(plan.root, 'scripts')),
  );
  const filesOf = (owner: ScriptPackage): BuiltFile[] =>
    scripts
      .filter((script) => script.package === owner && script.path.startsWith('Scripts/'))
      .map((script) => ({ path: script.path.slice('Scripts/'.length), data: Buffer.from(script.text) }));
  const resources = scripts
    .filter((script) => script.path.startsWith('Contents/'))
    .map((script) => ({ path: script.path, data: Buffer.from(script.text) }));
  const installer = { product: filesOf('product'), guard: filesOf('guard'), uninstall: filesOf('uninstall') };
  return {
    value: { kind: 'generated-scripts', resources, installer },
    words: `${resources.length} in the bundle, ${installer.product.length} for Installer`,
  };
}
