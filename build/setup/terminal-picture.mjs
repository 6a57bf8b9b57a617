// Draws what a command prints on a terminal as an SVG: terminal-picture.mjs FILE COLUMNS TITLE -- COMMAND ARGUMENT...
//
// The command is really run, on a pseudo-terminal (script(1)); what it leaves on the screen, colours included, is drawn. A command
// that fails draws nothing. After rm -rf out, docs/pictures/start.svg is made anew with:
// terminal-picture.mjs docs/pictures/start.svg 88 'npm start' -- sh build/setup/run.sh release
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';

const LINE_HEIGHT = 20;
const CHARACTER_WIDTH = 8.4;
const MARGIN = 16;
const BAR = 34;
const COLORS = { 31: '#ff7b72', 32: '#7ee787', 33: '#e3b341', 2: '#8b949e', 0: '#e6edf3' };

const [file, columns, title, separator, ...command] = process.argv.slice(2);
if (separator !== '--' || command.length === 0) {
  process.stderr.write('usage: terminal-picture.mjs FILE COLUMNS TITLE -- COMMAND ARGUMENT...\n');
  process.exit(64);
}
const quoted = command.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ');
const typescript = execFileSync('script', ['-q', '-e', '-c', `stty cols ${columns}; ${quoted}`, '/dev/null'], {
  encoding: 'utf8',
  env: { ...process.env, TERM: 'xterm-256color', NO_COLOR: '' },
});
const lines = [`$ ${title}`, ...screenOf(typescript)];
writeFileSync(file, svgOf(lines));

/** What is left on the screen: a carriage return with "erase line" begins a line anew. */
function screenOf(text) {
  const left = text
    .replaceAll('\r\n', '\n')
    .split('\n')
    .map((line) => line.split('\r\x1b[K').at(-1));
  while (left.at(-1)?.trim() === '') left.pop();
  return left;
}

function svgOf(lines) {
  const width = Number(columns) * CHARACTER_WIDTH + 2 * MARGIN;
  const height = BAR + lines.length * LINE_HEIGHT + 2 * MARGIN;
  const rows = lines.map(
    (line, index) => `<text x="${MARGIN}" y="${BAR + MARGIN + 14 + index * LINE_HEIGHT}">${spansOf(line)}</text>`,
  );
  const plain = lines.map((line) => line.replace(/\x1b\[\d*m/g, '')).join('\n');
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escaped(`A terminal after ${title}`)}">
<desc>${escaped(plain)}</desc>
<style>text { font: 14px ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace; white-space: pre; fill: ${COLORS[0]}; }</style>
<rect width="${width}" height="${height}" rx="8" fill="#0d1117" stroke="#30363d"/>
<circle cx="20" cy="18" r="6" fill="#ff5f57"/><circle cx="40" cy="18" r="6" fill="#febc2e"/><circle cx="60" cy="18" r="6" fill="#28c840"/>
${rows.join('\n')}
</svg>
`;
}

/** A line's text, a span a colour. */
function spansOf(line) {
  const parts = line.split(/\x1b\[(\d*)m/);
  return parts
    .map((part, index) =>
      index % 2 === 0 && part !== ''
        ? `<tspan fill="${COLORS[parts[index - 1] || 0] ?? COLORS[0]}">${escaped(part)}</tspan>`
        : '',
    )
    .join('');
}

function escaped(text) {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
