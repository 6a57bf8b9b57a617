import { printable } from '../report/printable.ts';
import type { ComponentChange, FactChange, FileChange, ListChange, PackageComparison } from './compare.ts';

/** Most changed lines of one file that are shown without --verbose. */
const LINES_SHOWN = 12;

/** Returns a comparison as a person reads it: one group a subject, and what is the same is said in one line. */
export function renderComparison(comparison: PackageComparison, verbose: boolean): string {
  const groups: [title: string, lines: string[]][] = [
    ['Identity', factLines(comparison.identity)],
    ['Where it installs', factLines(comparison.installation)],
    ...comparison.components.map((change): [string, string[]] => [
      `Component ${change.identifier}`,
      componentLines(change, verbose),
    ]),
    ['Mechanisms named by scripts', listLines(comparison.mechanisms)],
    ['Settings named by scripts', listLines(comparison.settings)],
  ];
  const changed = groups.filter(([, lines]) => lines.length > 0);
  const same = groups.filter(([, lines]) => lines.length === 0).map(([title]) => title.toLowerCase());
  const body = changed.flatMap(([title, lines]) => [title, ...lines.map((line) => `  ${line}`), '']);
  return [
    `${comparison.old} → ${comparison.new}`,
    '',
    ...body,
    same.length > 0 ? `Unchanged: ${same.join(', ')}.` : '',
    '',
  ]
    .map(printable)
    .join('\n');
}

function factLines(changes: readonly FactChange[]): string[] {
  return changes.map(({ name, old, new: now }) => `${name}: ${old ?? 'none'} → ${now ?? 'none'}`);
}

function listLines({ removed, added }: ListChange): string[] {
  return [...removed.map((word) => `- ${word}`), ...added.map((word) => `+ ${word}`)];
}

function componentLines({ change, facts, files, scripts }: ComponentChange, verbose: boolean): string[] {
  if (change !== 'changed')
    return [`${change}: ${counted(files.length, 'path')}, ${counted(scripts.length, 'script')}`];
  return [
    ...factLines(facts),
    ...scripts.flatMap((file) => fileLines(file, 'script ', verbose)),
    ...files.flatMap((file) => fileLines(file, '', verbose)),
  ];
}

const MARKS = { removed: '-', added: '+', changed: '~' } as const;

function fileLines({ path, change, facts, lines }: FileChange, prefix: string, verbose: boolean): string[] {
  // Of a file that holds nothing but digests of others, those others say more.
  const shown = verbose ? lines : path.endsWith('/_CodeSignature/CodeResources') ? [] : lines.slice(0, LINES_SHOWN);
  const more = lines.length - shown.length;
  return [
    `${MARKS[change]} ${prefix}${path}`,
    // A digest that differs says no more than that the file does.
    ...factLines(facts.filter(({ name }) => verbose || name !== 'sha256')).map((line) => `    ${line}`),
    ...shown.map((line) => `    ${line.replaceAll('\t', '  ')}`),
    ...(more > 0 ? [`    ${more} more lines; --verbose shows them`] : []),
  ];
}

const counted = (count: number, what: string) => `${count} ${what}${count === 1 ? '' : 's'}`;
