import { UsageError } from '../base/errors.ts';
import { portableCompiler } from './portable/compiler.ts';
import type { Compiler } from './toolchain.ts';

/** The tools that a release is made with. */
export interface Toolchain {
  readonly name: 'portable' | 'apple';
  readonly compiler: Compiler;
}

/**
 * Returns the toolchain asked for.
 *
 * @param choice `auto` takes `portable`, which runs on every machine
 * @throws UsageError `TOOLCHAIN_UNAVAILABLE`
 */
export function selectToolchain(choice: 'portable' | 'apple' | 'auto'): Toolchain {
  if (choice === 'apple') {
    throw new UsageError('TOOLCHAIN_UNAVAILABLE', 'the apple toolchain is not part of this version yet', {
      hint: 'Leave out --toolchain, or use --toolchain portable: it makes the same package on any machine.',
    });
  }
  return { name: 'portable', compiler: portableCompiler() };
}
