import { UsageError } from '../base/errors.ts';
import { findOnPath } from '../base/run-tool.ts';
import type { TimestampSource } from './portable/code-signer.ts';
import { portableToolchain } from './portable/portable-toolchain.ts';
import type { Toolchain } from './toolchain.ts';

export type { Toolchain } from './toolchain.ts';

/** Tools whose presence says that this is a Mac with Xcode or its command line tools. */
const APPLE_TOOLS = ['xcrun', 'pkgbuild'];
const APPLE_TIMESTAMP_URL = 'http://timestamp.apple.com/ts01';

/**
 * Returns the toolchain asked for; the code of the other one is not loaded.
 *
 * @param choice `auto` takes `apple` when xcrun and pkgbuild are on PATH, else `portable`, which runs on every machine
 * @param timestamp where the portable tools get timestamps; Apple's unless told
 * @throws UsageError `TOOLCHAIN_UNAVAILABLE`
 * @example (await selectToolchain('auto')).name // 'apple' on a Mac with Xcode
 */
export async function selectToolchain(
  choice: 'portable' | 'apple' | 'auto',
  timestamp: TimestampSource = appleTimestamps(),
): Promise<Toolchain> {
  const missing = APPLE_TOOLS.filter((tool) => findOnPath(tool) === undefined);
  if (choice === 'portable' || (choice === 'auto' && missing.length > 0)) return portableToolchain(timestamp);
  if (missing.length === 0) return (await import('./apple/apple-toolchain.ts')).appleToolchain();
  throw new UsageError('TOOLCHAIN_UNAVAILABLE', `the apple toolchain needs ${missing.join(' and ')} on PATH`, {
    hint: 'On a Mac run `xcode-select --install`; elsewhere use --toolchain portable, which makes the same package.',
  });
}

/** Certificates, and all that reads them, are loaded only when a timestamp is really asked for. */
function appleTimestamps(): TimestampSource {
  return async (signature, signal) => {
    const { appleTrust } = await import('../pki/x509/apple-roots.ts');
    const { timestampClient } = await import('../pki/timestamp/timestamp.ts');
    return timestampClient({ url: APPLE_TIMESTAMP_URL, trust: appleTrust() }).token(signature, signal);
  };
}
