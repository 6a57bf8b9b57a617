import type { ComponentDescription, Facts, FileDescription, PackageDescription } from './describe.ts';
import { lineDifference } from './line-difference.ts';

/** What differs between two packages; every list is empty when nothing does. */
export interface PackageComparison {
  readonly old: string;
  readonly new: string;
  /** Of the whole package: who made it, which version, when. */
  readonly identity: readonly FactChange[];
  readonly installation: readonly FactChange[];
  readonly components: readonly ComponentChange[];
  /** Entries of authorization rights that scripts name, one per package: what may change at the login window. */
  readonly mechanisms: ListChange;
  /** Names in capital letters and property-list keys that scripts read or write through `defaults`. */
  readonly settings: ListChange;
}

/** A fact that is not the same. */
export interface FactChange {
  readonly name: string;
  readonly old: string | null;
  readonly new: string | null;
}

/** What is only in one of two lists. */
export interface ListChange {
  readonly removed: readonly string[];
  readonly added: readonly string[];
}

/** A component that is in one package only, or that differs. */
export interface ComponentChange {
  readonly identifier: string;
  readonly change: 'removed' | 'added' | 'changed';
  readonly facts: readonly FactChange[];
  readonly files: readonly FileChange[];
  readonly scripts: readonly FileChange[];
}

/** A file that is in one package only, or that differs. */
export interface FileChange {
  readonly path: string;
  readonly change: 'removed' | 'added' | 'changed';
  readonly facts: readonly FactChange[];
  /** Lines of a text that went and came, `-` and `+` before them; empty for what is not text. */
  readonly lines: readonly string[];
}

/** Returns what differs between two packages, whoever made them. */
export function comparePackages(one: PackageDescription, other: PackageDescription): PackageComparison {
  return {
    old: one.file,
    new: other.file,
    identity: factChanges(one.identity, other.identity),
    installation: factChanges(one.installation, other.installation),
    components: componentChanges(one.components, other.components),
    mechanisms: listChange(namesIn(one, mechanismsIn), namesIn(other, mechanismsIn)),
    settings: listChange(namesIn(one, settingsIn), namesIn(other, settingsIn)),
  };
}

/** Whether nothing differs but who signed when, and the version. */
export function isSameContent({ installation, components, mechanisms, settings }: PackageComparison): boolean {
  const lists = [mechanisms, settings].every(({ removed, added }) => removed.length + added.length === 0);
  return lists && installation.length === 0 && components.length === 0;
}

function factChanges(one: Facts, other: Facts): FactChange[] {
  const names = [...new Set([...Object.keys(one), ...Object.keys(other)])];
  return names
    .map((name) => ({ name, old: one[name] ?? null, new: other[name] ?? null }))
    .filter((change) => change.old !== change.new);
}

function componentChanges(
  one: PackageDescription['components'],
  other: PackageDescription['components'],
): ComponentChange[] {
  const identifiers = [...new Set([...one.keys(), ...other.keys()])];
  return identifiers.flatMap((identifier) => {
    const [before, after] = [one.get(identifier), other.get(identifier)];
    const change = changeOf(before, after);
    const facts = factChanges(before?.facts ?? {}, after?.facts ?? {});
    const files = fileChanges(before, after, 'files');
    const scripts = fileChanges(before, after, 'scripts');
    return facts.length + files.length + scripts.length === 0 && change === 'changed'
      ? []
      : [{ identifier, change, facts, files, scripts }];
  });
}

function fileChanges(
  one: ComponentDescription | undefined,
  other: ComponentDescription | undefined,
  list: 'files' | 'scripts',
): FileChange[] {
  const [before, after] = [one?.[list] ?? new Map(), other?.[list] ?? new Map()];
  const paths = [...new Set([...before.keys(), ...after.keys()])].sort();
  return paths.flatMap((path) => {
    const [was, is] = [before.get(path), after.get(path)];
    const change = changeOf(was, is);
    const facts = change === 'changed' ? factChanges(factsOf(was), factsOf(is)) : [];
    if (change === 'changed' && facts.length === 0) return [];
    return [{ path, change, facts, lines: lineDifference(was?.text ?? null, is?.text ?? null) }];
  });
}

function factsOf(file: FileDescription): Facts {
  const slices = file.slices.flatMap(({ architecture, facts }) =>
    Object.entries(facts).map(([name, value]) => [`${architecture} ${name}`, value] as const),
  );
  return {
    kind: file.kind,
    mode: file.mode,
    owner: file.owner,
    size: String(file.size),
    sha256: file.sha256,
    ...Object.fromEntries(slices),
  };
}

const changeOf = (was: unknown, is: unknown) =>
  was === undefined ? ('added' as const) : is === undefined ? ('removed' as const) : ('changed' as const);

function listChange(one: ReadonlySet<string>, other: ReadonlySet<string>): ListChange {
  return {
    removed: [...one].filter((word) => !other.has(word)).sort(),
    added: [...other].filter((word) => !one.has(word)).sort(),
  };
}

/** Every word that `find` sees in the texts of a package: its scripts, and the texts it lays down. */
function namesIn({ components }: PackageDescription, find: (text: string) => Iterable<string>): ReadonlySet<string> {
  const texts = [...components.values()].flatMap(({ files, scripts }) =>
    [...files.values(), ...scripts.values()].flatMap(({ text }) => text ?? []),
  );
  return new Set(texts.flatMap((text) => [...find(text)]));
}

/** `Plug-in:mechanism` with or without `,privileged`, in a string of XML or in quotes. */
function* mechanismsIn(text: string): Iterable<string> {
  for (const match of text.matchAll(
    /(?:['"]|<string>)([A-Za-z][^'"<>:,/$\n]*:[\w-]+(,privileged)?)(?:['"]|<\/string>)/g,
  )) {
    const [, word, privileged] = match as unknown as [string, string, string | undefined];
    if (privileged || /^(loginwindow|builtin|HomeDirMechanism|MCXMechanism|PKINITMechanism):/.test(word)) yield word;
  }
}

/** The key behind `defaults read`, `write` or `delete` with its domain. */
function* settingsIn(text: string): Iterable<string> {
  for (const [, key] of text.matchAll(
    /\bdefaults"?\s+(?:-\w+\s+)?(?:read|write|delete)\s+\S+\s+"?'?([A-Za-z][\w-]+)/g,
  )) {
    yield key as string;
  }
}
