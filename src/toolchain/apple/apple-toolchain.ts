import type { Toolchain } from '../toolchain.ts';
import { appleCompiler } from './clang.ts';
import { appleCodeSigner } from './codesign.ts';
import { applePackageBuilder } from './package-builder.ts';
import { applePackageSigner } from './productsign.ts';

/** Returns the toolchain of a Mac with Xcode: Apple's own tools, given what the portable ones are given. */
export function appleToolchain(): Toolchain {
  return {
    name: 'apple',
    compiler: appleCompiler(),
    codeSigner: appleCodeSigner(),
    packageBuilder: applePackageBuilder(),
    packageSigner: applePackageSigner(),
    notary: async ({ key }) => (await import('./notarytool.ts')).appleNotary(key),
    stapler: async ({ trust }) => (await import('./stapler.ts')).appleStapler(trust),
    verifier: async () => (await import('./verifier.ts')).appleVerifier(),
  };
}
