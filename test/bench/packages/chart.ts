import type { Contest, Row } from './bench.ts';

const WIDTH = 760;
const LEFT = 190;
const BAR = 16;
const GAP = 26;
/** Longest bar, as a multiple of ours; a longer one is cut and says its number. */
const MOST = 8;

/**
 * Returns bars of processor time for each contest, ours being 1, as SVG.
 *
 * @param contests each with ours first
 */
export function drawChart(contests: readonly Contest[]): string {
  const parts: string[] = [];
  let y = 34;
  for (const { name, rows } of contests) {
    parts.push(`<text x="10" y="${y}" class="head">${escaped(name)}</text>`);
    y += 8;
    for (const row of rows) {
      parts.push(bar(row, rows[0] as Row, y));
      y += BAR + 4;
    }
    y += GAP;
  }
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y}" role="img" font-family="sans-serif" font-size="12">`,
    '<title>Processor time of packaging and signing, as a multiple of this project</title>',
    '<style>.head{font-weight:bold}.ours{fill:#1a6fb5}.theirs{fill:#9a9a9a}text{fill:#1c1c1c}</style>',
    `<rect width="${WIDTH}" height="${y}" fill="#ffffff"/>`,
    '<text x="10" y="14">Processor time, this project = 1; shorter is better</text>',
    ...parts,
    '</svg>',
    '',
  ].join('\n');
}

function bar(row: Row, ours: Row, y: number): string {
  const multiple = row.measured.cpu / ours.measured.cpu;
  const width = Math.max(2, Math.round((Math.min(multiple, MOST) / MOST) * (WIDTH - LEFT - 60)));
  const middle = y + BAR - 4;
  return [
    `<text x="${LEFT - 6}" y="${middle}" text-anchor="end">${escaped(row.maker)}</text>`,
    `<rect x="${LEFT}" y="${y}" width="${width}" height="${BAR}" class="${row === ours ? 'ours' : 'theirs'}"/>`,
    `<text x="${LEFT + width + 5}" y="${middle}">${multiple.toFixed(2)}</text>`,
  ].join('');
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
