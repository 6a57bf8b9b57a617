/** What a running stage can say about itself. */
export interface StageProgress {
  /** Replaces the words behind the stage's name while it runs. */
  update(words: string): void;
}

/** Where the story of a run is told: one line a stage. */
export interface Progress {
  /** A stage begins. */
  begin(stage: string): StageProgress;
  /** The stage that began last is over. */
  end(stage: string, outcome: 'done' | 'failed' | 'skipped', words: string, seconds: number): void;
  /** A line of its own: a warning, a fact that must not be lost, or detail under --verbose. */
  note(kind: 'warning' | 'fact' | 'detail', words: string): void;
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
const NAME_WIDTH = 17;
const REDRAW_MS = 100;

/**
 * Returns a reporter: a line that is rewritten with the time it takes on a terminal, plain lines elsewhere.
 *
 * @example
 * ✓ compile           clang 14.0.6, x86_64 and arm64                       0.4 s
 */
export function createProgress(options: ProgressOptions): Progress {
  const live = options.color && options.stream.isTTY === true;
  const paint = (kind: keyof typeof COLORS, words: string) => (live ? `\x1b[${COLORS[kind]}m${words}\x1b[0m` : words);
  const line = liveLine(options.stream, live);
  return {
    begin(stage) {
      line.begin(stage);
      return { update: line.update };
    },
    end(stage, outcome, words, seconds) {
      line.clear();
      const width = Math.max(40, Math.min(options.stream.columns ?? 100, 100)) - NAME_WIDTH - 12;
      const text = `${stage.padEnd(NAME_WIDTH)} ${words.padEnd(width)} ${formatSeconds(seconds).padStart(7)}`;
      options.stream.write(`${paint(outcome, MARKS[outcome])} ${text}\n`);
    },
    note(kind, words) {
      if (kind === 'detail' && !options.verbose) return;
      line.interrupt(() => {
        for (const part of words.split('\n')) {
          options.stream.write(`${paint(kind, kind === 'warning' ? `! ${part}` : `  ${part}`)}\n`);
        }
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
  let current: { stage: string; words: string; since: number; timer?: NodeJS.Timeout } | undefined;
  const draw = () => {
    if (!live || !current) return;
    const seconds = formatSeconds((performance.now() - current.since) / 1000);
    const text = `  ${current.stage.padEnd(NAME_WIDTH)} ${current.words} ${seconds}`;
    stream.write(`\r\x1b[K${text.slice(0, (stream.columns ?? 80) - 1)}`);
  };
  const clear = () => {
    if (!current) return;
    clearInterval(current.timer);
    current = undefined;
    if (live) stream.write('\r\x1b[K');
  };
  return {
    begin(stage: string) {
      clear();
      current = { stage, words: '', since: performance.now() };
      if (live) current.timer = setInterval(draw, REDRAW_MS).unref();
      draw();
    },
    update(words: string) {
      if (!current || current.words === words) return;
      current.words = words;
      if (live) draw();
      else stream.write(`  ${current.stage.padEnd(NAME_WIDTH)} ${words}\n`);
    },
    interrupt(write: () => void) {
      if (live && current) stream.write('\r\x1b[K');
      write();
      draw();
    },
    clear,
  };
}
