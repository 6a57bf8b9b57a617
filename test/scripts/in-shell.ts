import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { BUNDLE, PRODUCT } from './product.ts';

/** A question to the functions of scripts/lib: shell that prints, and what it prints. */
export type Case = readonly [code: string, prints: string];

const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;
const VALUES = {
  PRODUCT_NAME: PRODUCT.productName,
  VERSION: PRODUCT.version,
  DOMAIN: PRODUCT.bundleIdentifier,
  GUARD_IDENTIFIER: PRODUCT.guardIdentifier,
  PLUG_IN_FOLDER: PRODUCT.installLocation,
  BUNDLE,
  EXECUTABLE: PRODUCT.executable,
  BUNDLE_NAME_ANY_CASE: '[Ee][Ss][Cc][Rr][Oo][Ww]\\ [Bb][Uu][Dd][Dd][Yy]',
  LOGIN_RIGHT: PRODUCT.loginRight,
  MECHANISM: PRODUCT.mechanism,
  ANCHOR: PRODUCT.anchor,
  CODE_REQUIREMENT: 'r',
};

/**
 * Makes a test of each case; all are asked in one process, with `$T` for a folder of theirs and `$N` for the case's own number.
 *
 * @param files of scripts/lib, without their ending
 * @param stubs shell that is read behind them
 */
export function testCases(files: readonly string[], stubs: string, cases: readonly Case[]): void {
  const folder = mkdtempSync(join(tmpdir(), 'in-shell-'));
  const pieces = cases.map(([code], at) => `N=${at}; ${code}`);
  const printed = inShell(files, `${stubs}\nT=${folder}`, pieces);
  rmSync(folder, { recursive: true });

  it.each(cases.map(([code, expected], at) => [code, expected, printed[at]]))(
    '%s prints %j',
    (_code, expected, found) => {
      expect(found).toBe(expected);
    },
  );
}

/**
 * Returns what each piece of shell prints with files of scripts/lib, all in one process. Tools lose their folders there, so that a
 * function can stand for each: `stat() { echo '0 755'; }`.
 *
 * @param stubs shell that is read behind the files
 */
function inShell(files: readonly string[], stubs: string, pieces: readonly string[]): string[] {
  const values = Object.entries(VALUES).map(([name, value]) => `${name}=${quoted(value)}`);
  const library = files.map((name) =>
    readFileSync(`scripts/lib/${name}.sh`, 'utf8').replace(/\/(usr\/)?s?(bin|libexec|sbin)\/(?=[A-Za-z])/g, ''),
  );
  const questions = pieces.map((piece) => `(${piece}\n) 2>&1\nprintf '\\036'`);
  const script = ['set -u', 'LC_ALL=C', ...values, ...library, stubs, ...questions].join('\n');
  const { stdout, stderr, status } = spawnSync('/bin/sh', ['-c', script], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`the shell ends with ${status}: ${stderr}`);
  return stdout.split('\x1e').slice(0, -1);
}
