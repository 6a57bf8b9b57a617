// Prints how large the house is and how tidy: npm run figures [-- FOLDER --json].
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { functionsIn } from './functions.mjs';
import { circlesIn, functionsForTestsAlone, moduleOf, namesFromTwoFiles } from './modules.mjs';

const FOLDERS = ['src', 'build', 'payload', 'scripts'];

/** Every file of a checkout that ships or helps to ship, hidden ones and modules of others left out. */
function filesBelow(root, folder) {
  const entries = readdirSync(join(root, folder), { withFileTypes: true });
  return entries
    .filter(({ name }) => !name.startsWith('.') && name !== 'node_modules')
    .flatMap((entry) => {
      const path = `${folder}/${entry.name}`;
      return entry.isDirectory() ? filesBelow(root, path) : [path];
    })
    .sort();
}

function figuresOf(root) {
  const files = FOLDERS.flatMap((folder) => filesBelow(root, folder));
  const text = new Map(files.map((file) => [file, readFileSync(join(root, file), 'utf8')]));
  const functions = files.flatMap((file) => functionsIn(file, text.get(file)).map((one) => ({ file, ...one })));
  const modules = files
    .filter((file) => /^(src|build)\/.*\.(ts|mjs)$/.test(file))
    .map((file) => moduleOf(file, text.get(file)));
  const lines = (folder) =>
    files
      .filter((file) => file.startsWith(`${folder}/`))
      .reduce((sum, file) => sum + text.get(file).split('\n').length - 1, 0);
  const lengths = functions.map((one) => one.lines).sort((a, b) => a - b);
  const at = (share) => lengths[Math.floor((lengths.length - 1) * share)];
  return {
    folders: foldersOf(files.filter((file) => /^(src|build)\//.test(file))),
    circles: circlesIn(modules),
    functions: { count: lengths.length, median: at(0.5), p90: at(0.9), longest: lengths.at(-1) },
    longFunctions: functions.filter((one) => one.lines > 60),
    lines: Object.fromEntries(FOLDERS.map((folder) => [folder, lines(folder)])),
    twice: namesFromTwoFiles(modules),
    forTestsAlone: functionsForTestsAlone(modules),
  };
}

function foldersOf(files) {
  const counts = {};
  for (const file of files) counts[dirname(file)] = (counts[dirname(file)] ?? 0) + 1;
  return counts;
}

function render(figures) {
  const folders = Object.entries(figures.folders).sort(([, a], [, b]) => b - a);
  const names = (list) => (list.length === 0 ? '' : ` (${list.slice(0, 5).join(', ')}${list.length > 5 ? ', …' : ''})`);
  const { functions, circles, longFunctions, lines, twice, forTestsAlone } = figures;
  const rows = [
    ['folders in src and build', folders.length],
    [
      'largest folders',
      folders
        .slice(0, 3)
        .map(([name, count]) => `${name} ${count}`)
        .join(', '),
    ],
    ['folders with more than 14 files', folders.filter(([, count]) => count > 14).length],
    ['import circles', `${circles.length}${names(circles.map((one) => `${one.length} files`))}`],
    ['functions', functions.count],
    ['lines a function: median, p90, longest', `${functions.median}, ${functions.p90}, ${functions.longest}`],
    [
      'functions over 60 lines',
      `${longFunctions.length}${names(longFunctions.map((one) => `${one.file} ${one.name} ${one.lines}`))}`,
    ],
    ...Object.entries(lines).map(([folder, count]) => [`lines of ${folder}`, count]),
    ['names importable from two files', `${twice.length}${names(twice.map(({ name }) => name))}`],
    ['functions that only tests call', `${forTestsAlone.length}${names(forTestsAlone.map(({ name }) => name))}`],
  ];
  return ['| figure | value |', '|---|---|', ...rows.map(([name, value]) => `| ${name} | ${value} |`)].join('\n');
}

const argv = process.argv.slice(2);
const folders = argv.filter((argument) => argument !== '--json');
const root = resolve(folders[0] ?? '.');
if (folders.length > 1 || !existsSync(resolve(root, 'src'))) {
  process.stderr.write(
    `figures: ${folders.join(' ') || root} is not one checkout, a folder with a src in it\nusage: npm run figures [-- FOLDER --json]\n`,
  );
  process.exit(2);
}
const figures = figuresOf(root);
process.stdout.write(`${argv.includes('--json') ? JSON.stringify(figures, null, 2) : render(figures)}\n`);
