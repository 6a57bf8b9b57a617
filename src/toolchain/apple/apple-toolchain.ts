import type { Toolchain } from '../toolchain.ts';
import { appleCompiler } from './clang.ts';
import { appleCodeSigner } from './codesign.ts';
import { appleNotary } from './notarytool.ts';
import { applePackageBuilder } from './package-builder.ts';
import { applePackageSigner } from './productsign.ts';
import { appleStapler } from './stapler.ts';
import { appleVerifier } from './verifier.ts';

/** Returns the toolchain of a Mac with Xcode: Apple's own tools, given what the portable ones are given. */
export function appleToolchain(): Toolchain {
  return {
    name: 'apple',
    compiler: appleCompiler(),
    codeSigner: appleCodeSigner(),
    packageBuilder: applePackageBuilder(),
    packageSigner: applePackageSigner(),
    notary: ({ key }) => appleNotary(key),
    stapler: ({ trust }) => appleStapler(trust),
    verifier: () => appleVerifier(),
  };
}
