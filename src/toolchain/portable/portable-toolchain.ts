import { UsageError } from '../../base/errors.ts';
import type { Notary, PackageSigner, Stapler, Toolchain, Verifier } from '../toolchain.ts';
import { portableCodeSigner, type TimestampSource } from './code-signer.ts';
import { portableCompiler } from './compiler.ts';
import { portablePackageBuilder } from './package-builder.ts';

/** What the portable tools are given: services, and the parts that other rooms make. */
export interface PortableParts {
  readonly timestamp: TimestampSource;
  readonly packageSigner?: PackageSigner;
  readonly notary?: Notary;
  readonly stapler?: Stapler;
  readonly verifier?: Verifier;
}

/**
 * Returns the toolchain that runs on every machine: this project's own writers and signers, clang and LLVM's linker.
 *
 * A part that was not given throws UsageError `TOOLCHAIN_PART` when it is used.
 */
export function portableToolchain(parts: PortableParts): Toolchain {
  return {
    name: 'portable',
    compiler: portableCompiler(),
    codeSigner: portableCodeSigner(parts.timestamp),
    packageBuilder: portablePackageBuilder(),
    packageSigner: parts.packageSigner ?? { sign: absent('sign a package') },
    notary: parts.notary ?? { submit: absent('submit to the notary'), wait: absent('wait for the notary') },
    stapler: parts.stapler ?? { staple: absent('staple') },
    verifier: parts.verifier ?? { verify: absent('verify a package') },
  };
}

function absent(deed: string): () => Promise<never> {
  return async () => {
    throw new UsageError('TOOLCHAIN_PART', `the portable toolchain was not given what it needs to ${deed}`);
  };
}
