import { parseAst } from 'rolldown/parseAst';

/**
 * Returns the functions of a source file that have a name, with their lines: declarations, methods and constants that hold one.
 * A callback without a name is part of the function around it.
 *
 * @param {string} file its name says which language it is in
 * @param {string} text
 * @returns {{ name: string, line: number, lines: number }[]}
 */
export function functionsIn(file, text) {
  if (/\.(ts|mjs)$/.test(file)) return scriptFunctions(file, text);
  if (/\.[ch]$/.test(file)) return cFunctions(text);
  return file.endsWith('.sh') ? shellFunctions(text) : [];
}

/** Parts of the tree that give the function inside them its name. */
const NAMED = {
  FunctionDeclaration: (node) => [node.id?.name ?? 'default', node],
  MethodDefinition: (node) => [node.key.name ?? node.key.value ?? 'method', node.value],
  PropertyDefinition: (node) => [node.key.name ?? 'property', node.value],
  Property: (node) => [node.key.name ?? node.key.value ?? 'property', node.value],
  VariableDeclarator: (node) => [node.id.name ?? 'pattern', node.init],
};

function scriptFunctions(file, text) {
  const found = [];
  const lineOf = lineCounter(text);
  visit(parseAst(text, { lang: file.endsWith('.ts') ? 'ts' : 'js' }), (node) => {
    const [name, body] = NAMED[node.type]?.(node) ?? [];
    if (!/^(FunctionDeclaration|FunctionExpression|ArrowFunctionExpression)$/.test(body?.type ?? '')) return;
    const line = lineOf(node.start);
    found.push({ name, line, lines: lineOf(body.end) - line + 1 });
  });
  return found;
}

/** Calls `see` with every node of a syntax tree. */
export function visit(node, see) {
  if (Array.isArray(node)) for (const item of node) visit(item, see);
  if (node === null || typeof node !== 'object' || Array.isArray(node)) return;
  if (typeof node.type === 'string') see(node);
  for (const child of Object.values(node)) visit(child, see);
}

/** A definition begins in the first column and ends with a brace there. */
function cFunctions(text) {
  const plain = withoutCommentsAndText(text);
  const lineOf = lineCounter(text);
  return [...plain.matchAll(/^[A-Za-z_][^;{}=#]*?\b(\w+)\s*\([^;{}]*\)\s*\{/gm)].map((match) => {
    const line = lineOf(match.index);
    return { name: match[1], line, lines: lineOf(plain.indexOf('\n}', match.index) + 1) - line + 1 };
  });
}

function withoutCommentsAndText(text) {
  const blank = (piece) => piece.replace(/[^\n]/g, ' ');
  return text.replace(/\/\*[\s\S]*?\*\/|\/\/.*|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'/g, blank);
}

function shellFunctions(text) {
  const lineOf = lineCounter(text);
  return [...text.matchAll(/^(\w+)\(\) ?[{(](.*)$/gm)].map((match) => {
    const line = lineOf(match.index);
    const isOneLine = /[})]\s*$/.test(match[2]);
    const end = isOneLine ? match.index : /\n[})]/g.exec(text.slice(match.index)).index + match.index + 1;
    return { name: match[1], line, lines: lineOf(end) - line + 1 };
  });
}

/** Returns a function from an offset to its line, counted from 1. */
function lineCounter(text) {
  const starts = [0];
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return (offset) => {
    let low = 0;
    let high = starts.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (starts[middle] <= offset) low = middle;
      else high = middle;
    }
    return low + 1;
  };
}
