import type { Change } from './change.ts';

interface Operator {
  readonly kind: string;
  readonly from: RegExp;
  /** What the match becomes; undefined when this match is left alone. */
  readonly to: (match: RegExpMatchArray, original: string) => string | undefined;
}

const plain = (kind: string, from: RegExp, to: string): Operator => ({ kind, from, to: () => to });

/** Faults of C: the same as those of TypeScript, by pattern. */
const OF_C: readonly Operator[] = [
  plain('edge', /(?<= )<(?= )/g, '<='),
  plain('edge', /(?<= )<=(?= )/g, '<'),
  plain('edge', /(?<= )>(?= )/g, '>='),
  plain('edge', /(?<= )>=(?= )/g, '>'),
  plain('flip', /==/g, '!='),
  plain('flip', /!=/g, '=='),
  plain('flip', /&&/g, '||'),
  plain('flip', /\|\|/g, '&&'),
  plain('flip', /!(?=[a-z_(])/g, ''),
  plain('flip', /\btrue\b/g, 'false'),
  plain('flip', /\bfalse\b/g, 'true'),
  plain('swap', /(?<= )-(?= )/g, '+'),
  plain('swap', /(?<= )\+(?= )/g, '-'),
  // Of which element the size is asked does not matter, and an array with one place more holds the same.
  {
    kind: 'off by one',
    from: /(?<![\w.]|sizeof \w+\[|\b(?:int|char|uint8_t) \w+\[)\d+(?![\w.]|\] = \{)/g,
    to: ([number]) => String(Number(number) + 1),
  },
  {
    kind: 'never',
    from: /\bif \(.*\)(?= \{$|$)/gm,
    to: (_, original) => `if (0 && ${original.slice('if '.length)})`,
  },
  // A statement of its own on a line: a call or an assignment.
  {
    kind: 'drop',
    from: /^ +(?!return|break|continue|static|const|char|int|bool|CF|size_t)[\w>*.()[\]-]+( [|+-]?= .*|\(.*\));$/gm,
    to: () => ';',
  },
];

/** Faults of shell scripts. */
const OF_SHELL: readonly Operator[] = [
  {
    kind: 'swap',
    from: /(?<=\[[^\]\n]*) -(eq|ne|lt|le|gt|ge|z|n|e|f|L|d)(?= )/g,
    to: ([, test]) => ` -${SHELL_TESTS[test as string]}`,
  },
  plain('flip', /(?<=\[ .*)(?<! !) = (?=.*\])/g, ' != '),
  plain('flip', / != /g, ' = '),
  plain('flip', / && /g, ' || '),
  plain('flip', / \|\| /g, ' && '),
  plain('flip', /(?<=^| )! (?=[[a-z])/gm, ''),
  // Of what a function returns, callers ask only whether it is 0.
  { kind: 'flip', from: /(?<=return )\d+\b/g, to: ([number]) => (number === '0' ? '1' : '0') },
  {
    kind: 'off by one',
    from: /(?<=exit |[-+]e?q? |\+ |- |le |lt |gt |ge )\d+\b/g,
    to: ([number]) => String(Number(number) + 1),
  },
  // A line that is a command of its own; the lines that open, close or part a structure stay.
  {
    kind: 'drop',
    from: /^ +(?!.*(\\|\||&&|\{|\($|;;|\bthen|\bdo)$)(?!(if|for|while|case|done|fi|esac|else|elif|then|do|\}|\)|\*|'|"|local)\b)[a-z_][\w-]*([ =].*)?$/gm,
    to: ([line]) => (/[)]\s|^\s+[\w*|' -]+\)/.test(line) || /['"]/.test(unpaired(line)) ? undefined : ':'),
  },
];

const SHELL_TESTS: Readonly<Record<string, string>> = {
  eq: 'ne',
  ne: 'eq',
  lt: 'le',
  le: 'lt',
  gt: 'ge',
  ge: 'gt',
  z: 'n',
  n: 'z',
  e: 'L',
  f: 'd',
  L: 'f',
  d: 'f',
};

/** The last quote of a line that opens and does not close. */
function unpaired(line: string): string {
  return line.replace(/'[^']*'|"(?:[^"\\]|\\.)*"/g, '');
}

/** Comments and text in quotes, as spaces of the same length: no operator looks there. */
function blanked(source: string, what: RegExp): string {
  return source.replace(what, (piece) => piece.replace(/[^\n]/g, ' '));
}

/** Returns every fault that can be put into a C file. */
export function changesInC(file: string, source: string): Change[] {
  const text = /\/\*[\s\S]*?\*\/|\/\/.*|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|^#.*(?:\\\n.*)*$/gm;
  return changesIn(file, source, blanked(source, text), OF_C);
}

/** Returns every fault that can be put into a shell script; what is inside quotes may be a test, and is looked at. */
export function changesInShell(file: string, source: string): Change[] {
  return changesIn(file, source, blanked(source, /(?<=^|\s)#.*$/gm), OF_SHELL);
}

function changesIn(file: string, source: string, visible: string, operators: readonly Operator[]): Change[] {
  const changes = operators.flatMap(({ kind, from, to }) =>
    [...visible.matchAll(from)].flatMap((match) => {
      const [start, end] = [match.index, match.index + match[0].length];
      const original = source.slice(start, end);
      const replaced = to(match, original);
      if (replaced === undefined) return [];
      const line = source.slice(0, start).split('\n').length;
      return [{ file, line, kind, start, end, from: original, to: replaced }];
    }),
  );
  return changes.sort((a, b) => a.start - b.start);
}
