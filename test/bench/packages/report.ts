import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, release, totalmem, type } from 'node:os';
import type { Measurement } from '../measure.ts';
import type { Contest, Row } from './bench.ts';
import { drawChart } from './chart.ts';

const PAGE = 'docs/performance.md';
const CHART = 'docs/pictures/performance.svg';
/** What is measured stands between these; all else on the page is written by hand. */
const BEGIN = '<!-- measured: npm run bench -- packages -->';
const END = '<!-- end of what is measured -->';

/** Puts the measurements into docs/performance.md and draws its picture. */
export function writeReport(contests: readonly Contest[]): void {
  const page = readFileSync(PAGE, 'utf8');
  const [before, after] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (before < 0 || after < before) throw new Error(`${PAGE} has no place for what is measured`);
  const measured = [machine(), table(contests), growth(contests), absent(contests)].join('\n\n');
  writeFileSync(PAGE, `${page.slice(0, before + BEGIN.length)}\n\n${measured}\n\n${page.slice(after)}`);
  writeFileSync(CHART, drawChart(contests.filter(({ rows }) => rows.length > 1)));
  process.stdout.write(`written: ${PAGE}, ${CHART}\n`);
}

/** Prints one contest. */
export function printRows({ name, runs, rows, skipped }: Contest): void {
  process.stdout.write(`\n${name}, median of ${runs}\n`);
  for (const row of rows) {
    const [wall, cpu, memory] = figures(row.measured);
    const words = [row.maker.padEnd(22), row.makes.padEnd(14), ...[wall, cpu, memory].map((text) => text.padStart(9))];
    process.stdout.write(
      `  ${words.join(' ')}  wall × ${ratio(row, rows, 'wall')}, cpu × ${ratio(row, rows, 'cpu')}\n`,
    );
  }
  for (const { maker, needs } of skipped) process.stdout.write(`  ${maker.padEnd(22)} skipped: needs ${needs}\n`);
}

/** Against ours. */
function ratio(row: Row, rows: readonly Row[], key: keyof Measurement): string {
  return (row.measured[key] / (rows[0] as Row).measured[key]).toFixed(2);
}

function figures({ wall, cpu, memory }: Measurement): [string, string, string] {
  return [`${wall.toFixed(2)} s`, `${cpu.toFixed(2)} s`, `${memory.toFixed(0)} MiB`];
}

function machine(): string {
  const load = loadavg().map((value) => value.toFixed(1));
  const memory = Math.round(totalmem() / 2 ** 30);
  return (
    `Measured on ${new Date().toISOString().slice(0, 10)}: ${cpus()[0]?.model ?? 'a processor'}, ${availableParallelism()} cores, ` +
    `${memory} GiB, ${type()} ${release()}, Node ${process.versions.node}. Load averages at the end: ${load.join(', ')}; ` +
    `above ${availableParallelism()}, others use the machine too, and processor time says more than wall time.`
  );
}

function table(contests: readonly Contest[]): string {
  const lines = contests.flatMap(({ name, rows, runs }) =>
    rows.map((row, index) => {
      const cells = [index === 0 ? `**${name}** (${runs})` : '', row.maker, row.makes, ...figures(row.measured)];
      return `| ${[...cells, ratio(row, rows, 'wall'), ratio(row, rows, 'cpu')].join(' | ')} |`;
    }),
  );
  return [
    '| what (runs) | who | makes | wall | processor | peak | wall × ours | processor × ours |',
    '|---|---|---|---:|---:|---:|---:|---:|',
    ...lines,
  ].join('\n');
}

/** What one more file of 500 bytes costs us: the difference to the tree before, divided by the files it has more. */
function growth(contests: readonly Contest[]): string {
  const steps = contests.filter(({ name }, index) => index === 0 || name.endsWith('× 500 B'));
  const lines = steps.slice(1).map(({ name, files, rows }, index) => {
    const before = steps[index] as Contest;
    const [own, less] = [rows[0], before.rows[0]] as [Row, Row];
    const perFile = (key: keyof Measurement, unit: number) =>
      (((own.measured[key] - less.measured[key]) / (files - before.files)) * unit).toFixed(3);
    const cells = [`${before.name} → ${name}`, `${perFile('cpu', 1000)} ms`, `${perFile('wall', 1000)} ms`];
    return `| ${[...cells, `${perFile('memory', 1024)} KiB`].join(' | ')} |`;
  });
  return [
    'What one more file costs this project, from tree to tree:',
    '',
    '| from → to | processor a file | wall a file | memory a file |',
    '|---|---:|---:|---:|',
    ...lines,
  ].join('\n');
}

function absent(contests: readonly Contest[]): string {
  const all = new Map(contests.flatMap(({ skipped }) => skipped).map(({ maker, needs }) => [maker, needs]));
  const lines = [...all].map(([maker, needs]) => `- ${maker}: skipped: needs ${needs}`);
  return lines.length > 0 ? ['Who could not take part:', '', ...lines].join('\n') : 'Nobody was left out.';
}
