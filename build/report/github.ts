import { appendFile } from 'node:fs/promises';
import { UsageError } from '../../src/base/errors.ts';

/** What a command tells the GitHub Actions job it runs in; everywhere else each of these does nothing. */
export interface GitHubReport {
  /** Sets an output of the step. */
  output(name: string, value: string): Promise<void>;
  /** Adds Markdown to the page of the run. */
  summary(markdown: string): Promise<void>;
}

/** Returns the report of a job: the files that its environment names are its only channel. */
export function githubReport(env: Readonly<NodeJS.ProcessEnv>): GitHubReport {
  return {
    async output(name, value) {
      // The file has one `name=value` a line; what spans lines could set other outputs.
      if (/[\r\n]/.test(value)) throw new UsageError('OUTPUT_LINES', `output ${name} has more than one line`);
      if (env.GITHUB_OUTPUT) await appendFile(env.GITHUB_OUTPUT, `${name}=${value}\n`);
    },
    async summary(markdown) {
      if (env.GITHUB_STEP_SUMMARY) await appendFile(env.GITHUB_STEP_SUMMARY, `${markdown.trimEnd()}\n\n`);
    },
  };
}

/** Variables whose decoded form must not show in a log either; GitHub masks only the text that it stores. */
const ENCODED = ['APPLICATION_P12_BASE64', 'INSTALLER_P12_BASE64', 'NOTARY_KEY'] as const;
const WHOLE = ['APPLICATION_P12_PASSWORD', 'INSTALLER_P12_PASSWORD'] as const;

/**
 * Returns the workflow commands that make GitHub's log hide what can be derived from secrets: every line of a key that came in
 * base64, and passwords. Empty outside GitHub Actions.
 *
 * @see https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands#masking-a-value-in-a-log
 */
export function maskCommands(env: Readonly<NodeJS.ProcessEnv>): string {
  if (env.GITHUB_ACTIONS !== 'true') return '';
  const values = [
    ...WHOLE.map((name) => env[name] ?? ''),
    ...ENCODED.flatMap((name) => [env[name] ?? '', decoded(env[name] ?? '')].flatMap((text) => text.split(/\r?\n/))),
  ];
  // A short line masked everywhere would hide half the log and no secret.
  const masked = [...new Set(values.map((value) => value.trim()))].filter((value) => value.length >= 8);
  return masked
    .filter((value) => !value.startsWith('-----'))
    .map((value) => `::add-mask::${escapeData(value)}\n`)
    .join('');
}

/** Binary content, such as a .p12, has no lines that a log could show. */
function decoded(base64: string): string {
  const text = Buffer.from(base64, 'base64').toString('utf8');
  return /^[\x09\x0a\x0d\x20-\x7e]*$/.test(text) ? text : '';
}

function escapeData(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}
