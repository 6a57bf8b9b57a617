import { parseAst } from 'rolldown/parseAst';
import type { Change } from './change.ts';

interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [member: string]: unknown;
}
type Put = (kind: string, node: { start: number; end: number }, to: string) => void;
type Text = (node: Node) => string;

/** Comparisons, at their edge and turned round. */
const OPERATORS: Readonly<Record<string, readonly [kind: string, to: string][]>> = {
  '<': [['edge', '<=']],
  '<=': [['edge', '<']],
  '>': [['edge', '>=']],
  '>=': [['edge', '>']],
  '===': [['flip', '!==']],
  '!==': [['flip', '===']],
  '&&': [['flip', '||']],
  '||': [['flip', '&&']],
  '-': [['swap', '+']],
  '*': [['swap', '+']],
  '/': [['swap', '*']],
  '%': [['swap', '*']],
  '&': [['swap', '|']],
  '|': [['swap', '&']],
  '<<': [['swap', '>>']],
  '>>': [['swap', '<<']],
  '>>>': [['swap', '<<']],
};

/** Calls that are easily mistaken for one another. */
const CALLS = new Map(
  Object.entries({
    some: 'every',
    every: 'some',
    startsWith: 'includes',
    endsWith: 'includes',
    min: 'max',
    max: 'min',
    readUInt32BE: 'readUInt32LE',
    readUInt16BE: 'readUInt16LE',
    indexOf: 'lastIndexOf',
    find: 'findLast',
  }),
);

/** Text for people: what an error or a reason says is checked by eye, and by the tests of messages. */
const WORDS = /^(new \w*Error|.*\b(reason|hint|describe|message|say|log|fail|told|words)\b)/i;

/**
 * Returns every fault that can be put into a TypeScript file: comparisons at their edge and turned round, checks and statements
 * dropped, conditions fixed, constants one off, calls swapped. Types and words for people are left alone.
 */
export function changesInTypeScript(file: string, source: string): Change[] {
  const changes: Change[] = [];
  const lineAt = (offset: number) => source.slice(0, offset).split('\n').length;
  const put: Put = (kind, { start, end }, to) =>
    changes.push({ file, line: lineAt(start), kind, start, end, from: source.slice(start, end), to });
  const text: Text = ({ start, end }) => source.slice(start, end);
  walk(parseAst(source, { lang: 'ts' }) as unknown as Node, (node) => changesAt(node, put, text));
  return changes.filter((change) => !isOfAnOrder(source, change));
}

/** Of what a comparison of two elements gives, `a < b ? -1 : 1`, the sign alone counts. */
function isOfAnOrder(source: string, { kind, start, end }: Change): boolean {
  if (kind !== 'off by one') return false;
  const [before, behind] = [source.slice(Math.max(0, start - 12), start), source.slice(end, end + 12)];
  return (/\? -$/.test(before) && /^ : 1\b/.test(behind)) || /\? -1 : $/.test(before);
}

function walk(value: unknown, see: (node: Node) => boolean): void {
  if (Array.isArray(value)) for (const item of value) walk(item, see);
  else if (value !== null && typeof value === 'object') {
    const node = value as Node;
    if (typeof node.type === 'string' && !see(node)) return;
    for (const child of Object.values(node)) walk(child, see);
  }
}

const LEAVE =
  /^(TS(Type|Interface|Enum|Module|Declare|Index|Method|Property|Literal|Array|Union|Function)|Import|ExportAll)/;

/** Puts the faults of one node; returns whether what is below it is looked at too. */
function changesAt(node: Node, put: Put, text: Text): boolean {
  if (LEAVE.test(node.type)) return false;
  switch (node.type) {
    case 'ThrowStatement':
      put('drop', node, ';');
      return false;
    case 'NewExpression':
    case 'TemplateLiteral':
      return !/Error/.test(text(node).slice(0, 40)) && node.type !== 'TemplateLiteral';
    case 'ExpressionStatement':
      atStatement(node, put, text);
      return true;
    case 'IfStatement':
      put('always', node.test as Node, 'true');
      put('never', node.test as Node, 'false');
      return true;
    case 'ConditionalExpression':
      put(
        'swap',
        node,
        `((${text(node.test as Node)}) ? (${text(node.alternate as Node)}) : (${text(node.consequent as Node)}))`,
      );
      return true;
    case 'BinaryExpression':
    case 'LogicalExpression':
      atOperator(node, put, text);
      return true;
    case 'UnaryExpression':
      if (node.operator === '!') put('flip', node, text(node.argument as Node));
      return true;
    case 'Literal':
      atLiteral(node, put);
      return false;
    case 'CallExpression':
      return atCall(node, put, text);
    default:
      return true;
  }
}

function atStatement(node: Node, put: Put, text: Text): void {
  const words = text(node);
  const { type } = node.expression as Node;
  if (/^(Call|Await|Assignment|Update|Yield)Expression$/.test(type) && !words.startsWith('super('))
    put('drop', node, ';');
}

function atOperator(node: Node, put: Put, text: Text): void {
  const operator = String(node.operator);
  const [left, right] = [node.left as Node, node.right as Node];
  if (operator === '??') put('drop', node, `(${text(left)})`);
  // A plus between strings joins them; only one beside a number adds.
  if (operator === '+' && [left, right].some(({ type, value }) => type === 'Literal' && typeof value === 'number'))
    put('swap', node, `((${text(left)}) - (${text(right)}))`);
  for (const [kind, to] of OPERATORS[operator] ?? []) put(kind, node, `((${text(left)}) ${to} (${text(right)}))`);
}

function atLiteral(node: Node, put: Put): void {
  const { value, bigint } = node as { value?: unknown; bigint?: string };
  if (typeof value === 'number') put('off by one', node, String(value + 1));
  else if (typeof bigint === 'string') put('off by one', node, `${BigInt(bigint) + 1n}n`);
  else if (typeof value === 'boolean') put('flip', node, String(!value));
}

function atCall(node: Node, put: Put, text: Text): boolean {
  const callee = node.callee as Node;
  if (WORDS.test(text(callee))) return false;
  if (callee.type !== 'MemberExpression') return true;
  const property = callee.property as Node;
  const name = String(property.name);
  const to = CALLS.get(name);
  if (to) put('swap', property, to);
  if (name === 'filter') put('drop', node, text(callee.object as Node));
  return true;
}
