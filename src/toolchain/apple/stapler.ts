import { systemClock } from '../../base/clock.ts';
import { NetworkError } from '../../base/errors.ts';
import { digestFile } from '../../base/files.ts';
import { checkStapled } from '../../notary/ticket/staple.ts';
import type { Trust } from '../../pki/x509/apple-roots.ts';
import type { Stapler, StapleWait, WorkOptions } from '../toolchain.ts';
import { runAppleTool } from './run-apple-tool.ts';

/** Both subcommands ask Apple's ticket service. */
const TIMEOUT_MS = 120_000;
const DEFAULT_WAIT_MS = 300_000;
const DEFAULT_PAUSE_MS = 5_000;

/** Returns the stapler that runs stapler; what it wrote is read back, and must be a ticket of this package that `trust` believes. */
export function appleStapler(trust: Trust): Stapler {
  return {
    async staple({ path }, options) {
      const before = await digestFile(path);
      await stapleInTime(path, options);
      const ticket = await checkStapled(path, trust);
      const after = await digestFile(path);
      return { kind: 'stapled-product', ...after, ...ticket, unchanged: before.sha256 === after.sha256 };
    },
  };
}

/** stapler itself never waits: a ticket may need minutes to spread after the verdict. */
async function stapleInTime(path: string, options: StapleWait): Promise<void> {
  const { maxWaitMs = DEFAULT_WAIT_MS, pauseMs = DEFAULT_PAUSE_MS, tell, goOn, signal } = options;
  const until = systemClock.now().getTime() + maxWaitMs;
  for (;;) {
    try {
      return await runStapler('staple', path, { signal });
    } catch (error) {
      if (!(error instanceof NetworkError) || error.code !== 'TICKET_NOT_FOUND') throw error;
      const left = until - systemClock.now().getTime();
      if (left <= 0) {
        const message = `no ticket within ${Math.round(maxWaitMs / 1000)} s: ${error.message}`;
        throw new NetworkError('TICKET_LATE', message, { cause: error, hint: goOn });
      }
      tell('no ticket yet');
      await systemClock.sleep(Math.min(left, pauseMs), signal);
    }
  }
}

/** Runs `stapler staple` or `stapler validate` on a file; throws the failure its words name. */
export async function runStapler(command: 'staple' | 'validate', path: string, options: WorkOptions): Promise<void> {
  await runAppleTool('stapler', [command, '-v', path], { ...options, timeoutMs: TIMEOUT_MS });
}
