import { UsageError } from '../base/errors.ts';
import { findOnPath } from '../base/run-tool.ts';
import { appleToolchain } from './apple/apple-toolchain.ts';
import type { TimestampSource } from './portable/code-signer.ts';
import { portableToolchain } from './portable/portable-toolchain.ts';
import type { Toolchain } from './toolchain.ts';

/** Tools whose presence says that this is a Mac with Xcode or its command line tools. */
const APPLE_TOOLS = ['xcrun', 'pkgbuild'];

/**
 * Returns the toolchain asked for.
 *
 * @param choice `auto` takes `apple` when xcrun and pkgbuild are on PATH, else `portable`, which runs on every machine
 * @param timestamp where the portable tools get timestamps; without it they cannot sign
 * @param now the time that signatures of the portable tools state; the clock's by default
 * @throws UsageError `TOOLCHAIN_UNAVAILABLE`
 * @example selectToolchain('auto').name // 'apple' on a Mac with Xcode
 */
export function selectToolchain(
  choice: 'portable' | 'apple' | 'auto',
  timestamp: TimestampSource = noTimestamps,
  now?: () => Date,
): Toolchain {
  const missing = APPLE_TOOLS.filter((tool) => findOnPath(tool) === undefined);
  if (choice === 'portable' || (choice === 'auto' && missing.length > 0)) return portableToolchain(timestamp, now);
  if (missing.length === 0) return appleToolchain();
  throw new UsageError('TOOLCHAIN_UNAVAILABLE', `the apple toolchain needs ${missing.join(' and ')} on PATH`, {
    hint: 'On a Mac run `xcode-select --install`; elsewhere use --toolchain portable, which makes the same package.',
  });
}

/** Where timestamps come from is for the configuration to say, so nothing stands in for it here. */
const noTimestamps: TimestampSource = () => Promise.reject(new TypeError('this toolchain was not made to sign'));
