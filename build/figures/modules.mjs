import { dirname, join, normalize } from 'node:path';
import { parseAst } from 'rolldown/parseAst';
import { visit } from './functions.mjs';

/**
 * Returns what a module gives and takes.
 *
 * @param {string} file its path from the root
 * @param {string} text
 * @returns {{ file: string, targets: string[], imports: { from: string, name: string }[], exports: string[],
 *   again: { from: string, name: string, as: string }[], functions: string[], uses: Map<string, number> }}
 *   `targets` are the files it imports, types and dynamic imports included; `again` is what it exports of others; `functions` are
 *   those of `exports` that can be called; `uses` counts every name in it
 */
export function moduleOf(file, text) {
  const { body } = parseAst(text, { lang: file.endsWith('.ts') ? 'ts' : 'js' });
  const module = { file, targets: [], imports: [], exports: [], again: [], functions: [], uses: new Map() };
  const target = (source) => {
    if (!source.startsWith('.')) return undefined;
    const path = normalize(join(dirname(file), source));
    module.targets.push(path);
    return path;
  };
  visit(body, (node) => {
    if (node.type === 'Identifier') module.uses.set(node.name, (module.uses.get(node.name) ?? 0) + 1);
    if (node.type === 'ImportExpression' && node.source.type === 'Literal') {
      const from = target(node.source.value);
      if (from) module.imports.push({ from, name: '*' });
    }
    if (node.type === 'TSImportType' && node.source?.type === 'Literal') target(node.source.value);
  });
  for (const node of body) {
    const from = node.source && target(node.source.value);
    if (node.type === 'ImportDeclaration' && from) module.imports.push(...importedNames(node, from));
    else if (node.type === 'ExportAllDeclaration' && from) module.again.push({ from, name: '*', as: '*' });
    else if (node.type === 'ExportNamedDeclaration') exportedNames(node, from, module);
  }
  return module;
}

function importedNames(node, from) {
  return node.specifiers.map((one) => ({ from, name: one.type === 'ImportSpecifier' ? nameOf(one.imported) : '*' }));
}

function exportedNames(node, from, module) {
  for (const { local, exported } of node.specifiers) {
    if (from) module.again.push({ from, name: nameOf(local), as: nameOf(exported) });
    else module.exports.push(nameOf(exported));
  }
  for (const one of node.declaration?.declarations ?? (node.declaration ? [node.declaration] : [])) {
    if (!one.id?.name) continue;
    module.exports.push(one.id.name);
    if (node.declaration.type === 'FunctionDeclaration' || /Function/.test(one.init?.type ?? '')) {
      module.functions.push(one.id.name);
    }
  }
}

const nameOf = (node) => node.name ?? node.value;

/** Returns every group of modules that import each other, by Tarjan's algorithm. */
export function circlesIn(modules) {
  const targets = new Map(modules.map(({ file, targets }) => [file, targets]));
  const found = [];
  const order = new Map();
  const low = new Map();
  const open = [];
  const visitFile = (file) => {
    order.set(file, order.size);
    low.set(file, order.get(file));
    open.push(file);
    for (const target of targets.get(file) ?? []) {
      if (!order.has(target)) visitFile(target);
      if (open.includes(target)) low.set(file, Math.min(low.get(file), low.get(target)));
    }
    if (low.get(file) !== order.get(file)) return;
    const group = open.splice(open.indexOf(file));
    if (group.length > 1) found.push(group.sort());
  };
  for (const file of targets.keys()) if (!order.has(file)) visitFile(file);
  return found;
}

/** Returns the names that more than one module gives, with the modules: defined twice, or given on by another. */
export function namesFromTwoFiles(modules) {
  const byFile = new Map(modules.map((module) => [module.file, module]));
  const givenBy = ({ exports, again }) => [
    ...exports,
    ...again.flatMap(({ from, name, as }) => (name === '*' ? givenBy(byFile.get(from) ?? EMPTY) : [as])),
  ];
  const places = new Map();
  for (const module of modules) {
    for (const name of new Set(givenBy(module))) places.set(name, [...(places.get(name) ?? []), module.file]);
  }
  return [...places].filter(([, files]) => files.length > 1).map(([name, files]) => ({ name, files }));
}

const EMPTY = { exports: [], again: [] };

/** Returns the functions that nothing but a test calls: no other module takes them, and their own does not name them again. */
export function functionsForTestsAlone(modules) {
  const taken = new Set(
    modules.flatMap(({ imports, again }) => [...imports, ...again]).map(({ from, name }) => `${from} ${name}`),
  );
  return modules.flatMap(({ file, functions, uses }) =>
    functions
      .filter((name) => uses.get(name) === 1 && !taken.has(`${file} ${name}`) && !taken.has(`${file} *`))
      .map((name) => ({ file, name })),
  );
}
