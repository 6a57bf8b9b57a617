import { wrap } from './fold.ts';

/** What a running stage can say about itself. */
export interface StageProgress {
  /** Replaces the text behind the stage's name while it runs. */
  update(text: string): void;
}

/** Where a run is reported: one line a stage. */
export interface Progress {
  /** A stage begins; `place` says which of how many it is, such as `3/10`. */
  begin(stage: string, place?: string): StageProgress;
  /** The stage that began last is over. */
  end(outcome: 'done' | 'failed' | 'skipped', text: string, seconds: number): void;
  /** A line of its own: a warning, a fact that must not be lost, or detail under --verbose. */
  note(kind: 'warning' | 'fact' | 'detail', text: string): void;
  /** Ends a line that is being rewritten, so that other output starts on a line of its own. */
  close(): void;
}

/** A stream that lines are written to; the terminal's, or a test's. */
export interface LineStream {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  write(text: string): unknown;
}

export interface ProgressOptions {
  readonly stream: LineStream;
  readonly verbose: boolean;
  /** False where NO_COLOR is set: neither colours nor lines that are rewritten. */
  readonly color: boolean;
}

const MARKS = { done: '✓', failed: '✗', skipped: '-' } as const;
const COLORS = { done: 32, failed: 31, skipped: 2, warning: 33, fact: 0, detail: 2 } as const;
const SPINNER = [...'⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏'];
const NAME_WIDTH = 17;
const PLACE_WIDTH = 6; // ' 10/10'
const TIME_WIDTH = 11; // "60 min 05 s"
const REDRAW_MS = 100;
const REMIND_MS = 60_000;
/** Columns of a stream that is not a terminal, and the most that are used of one that is. */
const COLUMNS = 100;
const COLUMNS_LEAST = 40;

/**
 * Returns a reporter: a line that is rewritten with the time it takes on a terminal, plain lines elsewhere. On a terminal no line is
 * longer than it is wide: what a stage did goes onto lines of its own where it does not fit.
 *
 * @example
 * ✓  1/10 compile           clang 14.0.6, x86_64 and arm64                       0.4 s
 */
export function createProgress(options: ProgressOptions): Progress {
  const { stream } = options;
  const live = options.color && stream.isTTY === true;
  const columns = () => Math.max(COLUMNS_LEAST, Math.min(stream.columns ?? COLUMNS, COLUMNS));
  const folded = (text: string, indent: string) =>
    stream.isTTY ? wrap(text, columns() - indent.length).map((part) => indent + part) : [indent + text];
  const paint = (kind: keyof typeof COLORS, text: string) => (live ? `\x1b[${COLORS[kind]}m${text}\x1b[0m` : text);
  const line = liveLine(stream, live);
  let head = '';
  return {
    begin(stage, place = '') {
      head = `${place === '' ? ' ' : place.padStart(PLACE_WIDTH).padEnd(PLACE_WIDTH + 1)}${stage.padEnd(NAME_WIDTH)}`;
      line.begin(head);
      return { update: line.update };
    },
    end(outcome, summary, seconds) {
      line.clear();
      const width = columns() - head.length - TIME_WIDTH - 3;
      const here = summary.length <= width || !stream.isTTY ? summary : '';
      const time = outcome === 'skipped' ? '' : formatSeconds(seconds);
      const text = `${head} ${here.padEnd(width)} ${time.padStart(TIME_WIDTH)}`.trimEnd();
      stream.write(`${paint(outcome, MARKS[outcome])}${text}\n`);
      if (here !== summary) for (const part of folded(summary, '    ')) stream.write(`${part}\n`);
    },
    note(kind, text) {
      if (kind === 'detail' && !options.verbose) return;
      line.interrupt(() => {
        const lines = text.split('\n').flatMap((part) => folded(part, '  '));
        if (kind === 'warning') lines[0] = `!${lines[0]?.slice(1)}`;
        for (const part of lines) stream.write(`${paint(kind, part)}\n`);
      });
    },
    close: line.clear,
  };
}

/** Returns seconds as a person reads them: `0.4 s`, `2 min 05 s`. */
export function formatSeconds(seconds: number): string {
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, '0')} s`;
}

/** The last line of a terminal while a stage runs; off a terminal it shows what `update` says as lines of their own. */
function liveLine(stream: LineStream, live: boolean) {
  let current: { head: string; text: string; since: number; timer?: NodeJS.Timeout } | undefined;
  let frame = 0;
  const draw = () => {
    if (!live || !current) return;
    frame = (frame + 1) % SPINNER.length;
    const seconds = formatSeconds((performance.now() - current.since) / 1000);
    const start = `${SPINNER[frame]}${current.head} `;
    const room = (stream.columns ?? 80) - start.length - seconds.length - 2;
    const text = current.text.length > room ? `${current.text.slice(0, Math.max(0, room - 1))}…` : current.text;
    stream.write(`\r\x1b[K${start}${text} ${seconds}`);
  };
  // A log that says nothing for long looks like one that stopped.
  const remind = () => {
    if (!current) return;
    const seconds = formatSeconds((performance.now() - current.since) / 1000);
    stream.write(` ${current.head} ${current.text === '' ? '' : `${current.text}, `}still running after ${seconds}\n`);
  };
  const clear = () => {
    if (!current) return;
    clearInterval(current.timer);
    current = undefined;
    if (live) stream.write('\r\x1b[K');
  };
  return {
    begin(head: string) {
      clear();
      current = { head, text: '', since: performance.now() };
      current.timer = (live ? setInterval(draw, REDRAW_MS) : setInterval(remind, REMIND_MS)).unref();
      draw();
    },
    update(text: string) {
      if (!current || current.text === text) return;
      current.text = text;
      if (live) draw();
      else stream.write(` ${current.head} ${text}\n`);
    },
    interrupt(write: () => void) {
      if (live && current) stream.write('\r\x1b[K');
      write();
      draw();
    },
    clear,
  };
}
