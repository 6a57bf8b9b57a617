import type { Toolchain } from '../toolchain.ts';
import { portableCodeSigner, type TimestampSource } from './code-signer.ts';
import { portableCompiler } from './compiler.ts';
import { portablePackageBuilder } from './package-builder.ts';
import { portablePackageSigner } from './package-signer.ts';

/** Returns the toolchain that runs on every machine: this project's own writers and signers, clang and LLVM's linker. */
export function portableToolchain(timestamp: TimestampSource): Toolchain {
  return {
    name: 'portable',
    compiler: portableCompiler(),
    codeSigner: portableCodeSigner(timestamp),
    packageBuilder: portablePackageBuilder(),
    packageSigner: portablePackageSigner(timestamp),
    notary: async (access) => (await import('./notary.ts')).portableNotary(access),
    stapler: async (access) => (await import('./stapler.ts')).portableStapler(access),
    verifier: async (trust) => (await import('./verifier.ts')).portableVerifier(trust),
  };
}
