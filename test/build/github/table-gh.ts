import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { CommandContext } from '../../../build/command.ts';
import { createProgress } from '../../../build/report/progress.ts';

/** A stand-in for `gh` that answers `gh api` from a table of paths, and keeps what it was asked. */
export interface TableGh {
  /** What a command is given; `gh` is the first on its PATH while `run` lasts. */
  run<T>(work: (context: CommandContext) => Promise<T>, env?: NodeJS.ProcessEnv, root?: string): Promise<T>;
  /** Calls so far, one line each: words, and behind ` < ` what was sent. */
  calls(): string[];
}

/**
 * Returns a stand-in in a new folder below `scratch`.
 *
 * @param answers JSON by method and path, such as `GET repos/owner/name/releases`; what is not there fails as HTTP 403
 * @param other shell for calls that are no `gh api`
 */
export function tableGh(scratch: string, answers: Readonly<Record<string, unknown>>, other = 'exit 0'): TableGh {
  const folder = mkdtempSync(join(scratch, 'gh-'));
  for (const [call, answer] of Object.entries(answers)) {
    mkdirSync(dirname(join(folder, call)), { recursive: true });
    writeFileSync(join(folder, `${call}.json`), answer === undefined ? '' : JSON.stringify(answer));
  }
  const script = `#!/bin/sh
sent=''
case " $* " in *' --input '*) sent=" < $(cat)" ;; esac
printf '%s%s\\n' "$*" "$sent" >>"${folder}/calls"
if [ "$1" != api ]; then ${other}; exit; fi
[ -f "${folder}/$3 $4.json" ] || { printf 'first\\nHTTP 403\\n' >&2; exit 1; }
cat "${folder}/$3 $4.json"
`;
  writeFileSync(join(folder, 'calls'), '');
  writeFileSync(join(folder, 'gh'), script, { mode: 0o755 });
  return {
    calls: () => readFileSync(join(folder, 'calls'), 'utf8').split('\n').slice(0, -1),
    async run(work, env = {}, root = process.cwd()) {
      const before = process.env.PATH;
      process.env.PATH = `${folder}:${before}`;
      const progress = createProgress({ stream: { write: () => undefined }, verbose: false, color: false });
      const context = { root, program: '', progress, signal: new AbortController().signal, argv: [] };
      const all = { ...process.env, GITHUB_REPOSITORY: 'owner/name', GITHUB_SHA: 'a'.repeat(40), ...env };
      try {
        return await work({ ...context, json: false, verbose: false, env: all });
      } finally {
        process.env.PATH = before;
      }
    },
  };
}
