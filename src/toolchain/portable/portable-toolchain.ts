import type { Toolchain } from '../toolchain.ts';
import { portableCodeSigner, type TimestampSource } from './code-signer.ts';
import { portableCompiler } from './compiler.ts';
import { portableNotary } from './notary.ts';
import { portablePackageBuilder } from './package-builder.ts';
import { portablePackageSigner } from './package-signer.ts';
import { portableStapler } from './stapler.ts';
import { portableVerifier } from './verifier.ts';

/** Returns the toolchain that runs on every machine: this project's own writers and signers, clang and LLVM's linker. */
export function portableToolchain(timestamp: TimestampSource, now: () => Date = () => new Date()): Toolchain {
  return {
    name: 'portable',
    compiler: portableCompiler(),
    codeSigner: portableCodeSigner(timestamp, now),
    packageBuilder: portablePackageBuilder(),
    packageSigner: portablePackageSigner(timestamp, now),
    notary: portableNotary,
    stapler: portableStapler,
    verifier: portableVerifier,
  };
}
