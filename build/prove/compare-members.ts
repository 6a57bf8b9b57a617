import type { Check } from '../../src/base/check.ts';
import { CheckList } from '../../src/base/check.ts';
import type { BomRecord } from '../../src/bom/bom.ts';
import { decodeBom } from '../../src/bom/decode.ts';
import { isCode } from '../../src/macho/first-bytes.ts';
import { bytesAt, firstDifference, textDifference } from '../../src/verify/own-form/difference.ts';
import { codeDifference } from './code-difference.ts';
import type { MemberContent, TreeFile } from './content.ts';

/** What the comparison of members found. */
export interface MemberComparison {
  readonly checks: readonly Check[];
  /** Whether every member stands for the same bytes. */
  readonly sameContent: boolean;
  /** What programs say of other tools that made them. */
  readonly tools: readonly string[];
  /** Whether a program differs. */
  readonly otherCode: boolean;
}

/**
 * Compares the members of a finished package with those that the sources make.
 *
 * @param otherZlib why compressed streams of the same content may differ; null: they may not
 */
export function compareMembers(
  found: readonly MemberContent[],
  expected: readonly MemberContent[],
  otherZlib: string | null,
): MemberComparison {
  const list = new CheckList('package');
  const [theirs, ours] = [byPath(found), byPath(expected)];
  list.check('rebuilt-members', [
    ...expected.map(({ path }) => !theirs.has(path) && `${path} is missing`),
    ...found.map(({ path }) => !ours.has(path) && `${path} is there, which the sources make none of`),
    ...found.map(({ path }, at) => found.findIndex((other) => other.path === path) < at && `${path} is there twice`),
  ]);
  const tools: string[] = [];
  let otherCode = false;
  for (const own of expected.filter(({ kind }) => kind === 'file')) {
    const member = theirs.get(own.path);
    if (!member) continue;
    const of = new CheckList(own.path);
    if (own.files === undefined) of.check('rebuilt-document', documentProblems(member, own));
    else {
      const code = compareTree(of, member, own);
      tools.push(...code.tools);
      otherCode ||= code.differs;
    }
    if (member.content.equals(own.content)) checkStream(of, member, own, otherZlib);
    list.add(of.checks);
  }
  const failed = list.checks.some(({ id, status }) => status === 'fail' && id !== 'rebuilt-compression');
  return { checks: list.checks, sameContent: !failed, tools, otherCode };
}

const byPath = (members: readonly MemberContent[]) => new Map(members.map((member) => [member.path, member]));

function documentProblems({ path, content }: MemberContent, own: MemberContent): (string | undefined)[] {
  if (!path.endsWith('/Bom')) return [textDifference(path, content, own.content)];
  const at = firstDifference(content, own.content);
  if (at === undefined) return [];
  const records = new Map(decodeBom(content).records.map((record) => [record.path, record]));
  const named = decodeBom(own.content).records.map((record) => {
    const there = records.get(record.path);
    if (!there) return `${record.path} is not in the Bom`;
    const fields = Object.entries(record).filter(
      ([key, value]) => shown(there[key as keyof BomRecord]) !== shown(value),
    );
    const difference = fields.map(
      ([key, value]) => `${key} ${shown(there[key as keyof BomRecord])}, expected ${shown(value)}`,
    );
    return difference.length > 0 ? `the Bom's record of ${record.path}: ${difference.join(', ')}` : undefined;
  });
  return [...named, `${path}, byte ${at}: expected ${bytesAt(own.content, at)}, found ${bytesAt(content, at)}`];
}

const shown = (value: unknown) => (typeof value === 'object' ? JSON.stringify(value) : String(value));

function checkStream(list: CheckList, found: MemberContent, own: MemberContent, otherZlib: string | null): void {
  const at = firstDifference(found.archived, own.archived);
  const difference =
    at === undefined
      ? undefined
      : `the same content in another compressed stream: byte ${at}: expected ${bytesAt(own.archived, at)}, found ${bytesAt(found.archived, at)}`;
  const allowed = difference !== undefined && otherZlib !== null;
  list.check('rebuilt-compression', [allowed ? undefined : difference], [allowed && `${difference}: ${otherZlib}`]);
}

function compareTree(
  list: CheckList,
  found: MemberContent,
  own: MemberContent,
): { readonly tools: readonly string[]; readonly differs: boolean } {
  const [theirs, ours] = [found.files ?? [], own.files ?? []];
  const places = new Map(theirs.map((file) => [file.path, file]));
  const tools: string[] = [];
  const problems: string[] = [];
  let differs = false;
  for (const file of ours) {
    const other = places.get(file.path);
    if (!other) problems.push(`${file.path} is missing`);
    else {
      problems.push(...factProblems(other, file));
      const code = isCode(file.content) ? codeDifference(other.content, file.content) : undefined;
      tools.push(...(code?.tools ?? []));
      differs ||= (code?.problems.length ?? 0) > 0;
      const difference = code
        ? code.problems.map((problem) => `${file.path}: ${problem}`)
        : contentProblem(other, file);
      problems.push(...difference);
    }
  }
  const known = new Set(ours.map(({ path }) => path));
  problems.push(...theirs.filter(({ path }) => !known.has(path)).map(({ path }) => `${path} does not belong in it`));
  if (problems.length === 0) problems.push(...archiveProblem(found, own));
  list.check('rebuilt-tree', problems);
  return { tools, differs };
}

function factProblems({ path, facts }: TreeFile, own: TreeFile): string[] {
  return Object.entries(own.facts)
    .filter(([name, value]) => facts[name] !== value)
    .map(([name, value]) => `${path}: ${name} ${facts[name]}, expected ${value}`);
}

/** Of a text the line is named, of anything else the byte. */
function contentProblem({ path, content }: TreeFile, own: TreeFile): string[] {
  const at = firstDifference(content, own.content);
  if (at === undefined) return [];
  const bytes = `byte ${at}: expected ${bytesAt(own.content, at)}, found ${bytesAt(content, at)}`;
  if (own.content.includes(0) || content.includes(0)) return [`${path}, ${bytes}`];
  const line = own.content.subarray(0, at).toString('latin1').split('\n').length;
  const text = (data: Buffer) => JSON.stringify(data.toString('utf8').split('\n')[line - 1]);
  return [`${path}, line ${line}, ${bytes}: expected ${text(own.content)}, found ${text(content)}`];
}

/** What is in no file: order, numbers and links in headers, the trailer and its padding. */
function archiveProblem(found: MemberContent, own: MemberContent): string[] {
  const at = firstDifference(found.content, own.content);
  if (at === undefined) return [];
  const file = found.files?.findLast(({ offset }) => offset <= at);
  return [
    `byte ${at} of the archive, at ${file?.path ?? 'its start'}: expected ${bytesAt(own.content, at)}, found ${bytesAt(found.content, at)}`,
  ];
}
