import type { WorkOptions } from '../toolchain.ts';
import { runAppleTool } from './run-apple-tool.ts';

/** What Gatekeeper would do with a file. */
export interface Assessment {
  readonly accepted: boolean;
  /** Why, such as `Notarized Developer ID`; null when it does not say. */
  readonly source: string | null;
  /** Common name of the signer. */
  readonly origin: string | null;
}

/** A first assessment asks Apple's servers. */
const TIMEOUT_MS = 120_000;
/** Denied, and nothing else went wrong. Source: spctl(8), DIAGNOSTICS. */
const DENIED = 3;

/** Returns Gatekeeper's assessment of a package; a denial is an answer too. */
export async function assessPackage(path: string, options: WorkOptions): Promise<Assessment> {
  const argv = ['--assess', '-vv', '--type', 'install', path];
  const { exitCode, stdout, stderr } = await runAppleTool('spctl', argv, {
    ...options,
    timeoutMs: TIMEOUT_MS,
    allowedExitCodes: [DENIED],
  });
  const assessment = parseAssessment(`${stdout}\n${stderr}`);
  return { ...assessment, accepted: assessment.accepted && exitCode === 0 };
}

/**
 * Returns what `spctl --assess -vv` prints, on either stream: `PATH: accepted`, `source=…`, `origin=…`.
 *
 * @example parseAssessment('a.pkg: accepted\nsource=Notarized Developer ID\n').source // 'Notarized Developer ID'
 */
export function parseAssessment(output: string): Assessment {
  return {
    accepted: /: accepted\s*$/m.test(output) && !/: rejected\b/.test(output),
    source: /^source=(.*?)\s*$/m.exec(output)?.[1] ?? null,
    origin: /^origin=(.*?)\s*$/m.exec(output)?.[1] ?? null,
  };
}
