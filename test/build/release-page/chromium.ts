import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Arguments of every run: nothing of the person's own browser, and nothing fetched that was not asked for. */
const QUIET = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-background-networking', '--no-first-run'];

/**
 * Runs Chromium without a window and returns what it printed.
 *
 * @throws when it fails or does not end within two minutes
 */
export async function chromium(...args: readonly string[]): Promise<string> {
  const profile = mkdtempSync(join(tmpdir(), 'chromium-'));
  try {
    return await new Promise<string>((resolve, reject) => {
      const child = spawn('chromium', [...QUIET, `--user-data-dir=${profile}`, ...args], {
        stdio: ['ignore', 'pipe', 'ignore'],
        timeout: 120_000,
        killSignal: 'SIGKILL',
      });
      const parts: Buffer[] = [];
      child.stdout.on('data', (part: Buffer) => parts.push(part));
      child.on('error', reject);
      child.on('close', (code) =>
        code === 0
          ? resolve(Buffer.concat(parts).toString('utf8'))
          : reject(new Error(`chromium ended with ${code ?? 'a signal'}`)),
      );
    });
  } finally {
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  }
}
