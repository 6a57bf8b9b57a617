import { SETTINGS, type Setting } from './settings.ts';
import { ANSWERS, answerOf, SCRIPT_EXIT_CODES, type Vocabulary } from './vocabulary.ts';

/** A table for people; cells may hold `code` and **strong words**. */
export interface Table {
  readonly title: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** Returns the words of the product, a table a subject: for the kit, the release page and docs/deploying.md. */
export function vocabularyTables({ outcomes, fdesetup, lines }: Vocabulary, version: string): Record<TableName, Table> {
  const statuses = (['isactive', 'changerecovery'] as const).flatMap((verb) =>
    fdesetup[verb].map(({ status, outcome, meaning }) => [`\`fdesetup ${verb}\``, status, code(outcome), meaning]),
  );
  return {
    answers: {
      title: 'Is a key on its way, made, or stuck, and why',
      head: ['answer', 'means', 'group it as'],
      rows: ANSWERS.map(({ word, rest, means, group }) => [
        `\`${word}${rest.replace('VERSION', version)}\``,
        means,
        group,
      ]),
    },
    outcomes: {
      title: 'Outcomes (LastOutcome)',
      head: ['outcome', 'answer', 'request', 'meaning', 'what to do'],
      rows: outcomes.map((outcome) => [
        code(outcome.name),
        answerOf(outcome),
        outcome.request,
        outcome.meaning,
        outcome.admin,
      ]),
    },
    settings: { title: 'Settings', head: ['key', 'type', 'default', 'means'], rows: SETTINGS.map(settingRow) },
    exitCodes: { title: 'Exit codes of the scripts', head: ['script', 'exit code'], rows: SCRIPT_EXIT_CODES },
    statuses: {
      title: 'Exit statuses of fdesetup (LastExitStatus)',
      head: ['command', 'status', 'outcome', 'meaning'],
      rows: statuses,
    },
    lines: {
      title: 'Log lines',
      head: ['line', 'category', 'level', 'when'],
      // A format holds no backtick of its own but in one line, which names a command.
      rows: lines.map(({ text, category, level, when }) => [code(text.replaceAll('`', "'")), category, level, when]),
    },
  };
}

type TableName = 'answers' | 'outcomes' | 'settings' | 'exitCodes' | 'statuses' | 'lines';

const code = (text: string | null) => (text === null ? '' : `\`${text}\``);

function settingRow({ key, type, fallback, minimum, maximum, example, description }: Setting): string[] {
  const range = minimum === undefined ? (example ?? type) : `${type}, ${minimum} to ${maximum}`;
  return [code(key), range, fallback === undefined ? 'none' : String(fallback), description];
}

/** Returns a table in Markdown. */
export function renderTable({ head, rows }: Pick<Table, 'head' | 'rows'>): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), `|${head.map(() => '---|').join('')}`, ...rows.map(line)].join('\n');
}
