import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { VerificationError } from '../../base/errors.ts';
import type { SignedBundle } from '../../code-signature/sign/sign-bundle.ts';
import { verifyBundle } from '../../code-signature/verify/verify-code.ts';
import type { AdHoc, CodeSigner, SigningIdentity, WorkOptions } from '../toolchain.ts';
import { readBundle, writeBundle } from './disk-tree.ts';
import { withKeychain } from './keychain/keychain.ts';
import { runAppleTool } from './run-apple-tool.ts';

/** codesign waits for the timestamp service, and for ever on a keychain that asks: it must end some time. */
const SIGN_TIMEOUT_MS = 300_000;

/** Returns the code signer that runs codesign, its key in a keychain made for this one call. */
export function appleCodeSigner(): CodeSigner {
  return {
    async sign(entries, name, signer, options) {
      const work = await mkdtemp(join(tmpdir(), 'codesign-'));
      const bundle = join(work, name);
      try {
        await writeBundle(entries, bundle);
        await signFolder(bundle, signer, options);
        await verifyFolder(bundle, options);
        return await readSigned(bundle);
      } finally {
        await rm(work, { recursive: true, force: true });
      }
    },
  };
}

function signFolder(bundle: string, signer: AdHoc | SigningIdentity, options: WorkOptions): Promise<unknown> {
  const run = { ...options, timeoutMs: SIGN_TIMEOUT_MS };
  const common = ['--force', '--options', 'runtime'];
  if (signer.kind === 'ad-hoc') {
    return runAppleTool('codesign', [...common, '--timestamp=none', '--sign', '-', bundle], run);
  }
  // By digest: a name can match more than one certificate, and then codesign refuses.
  const { sha1 } = signer.identity.certificate;
  return withKeychain([{ ...signer, tools: ['codesign'] }], options, (keychain) =>
    runAppleTool('codesign', [...common, '--timestamp', '--keychain', keychain, '--sign', sha1, bundle], run),
  );
}

async function verifyFolder(bundle: string, options: WorkOptions): Promise<void> {
  await runAppleTool('codesign', ['--verify', '--strict', '--deep', '--verbose=2', bundle], options);
}

/** What codesign made is read with this project's own reader: cdhashes and flags come from the bytes, not from printed words. */
async function readSigned(bundle: string): Promise<SignedBundle> {
  const entries = await readBundle(bundle);
  const { slices, checks } = verifyBundle(entries, { verifyCms: null, ours: false, allowAdHoc: true });
  const [first] = slices;
  if (!first) {
    const failed = checks.filter(({ status }) => status === 'fail').map(({ id }) => id);
    throw new VerificationError('CODE_UNREADABLE', `codesign left no readable signature: ${failed.join(', ')}`);
  }
  return {
    entries,
    identifier: first.identifier,
    slices: slices.map(({ architecture, cdHash, flags }) => ({
      architecture,
      cdHash: Buffer.from(cdHash, 'hex'),
      flags,
    })),
  };
}
