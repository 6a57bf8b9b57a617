import { basename } from 'node:path';
import { withArchive } from './archive.ts';
import { ToolFailure } from './machine.ts';
import type { Printed } from './main.ts';
import { parseOptions } from './options.ts';
import { type SignatureState, signatureState } from './signature.ts';
import { stapleState } from './ticket.ts';

/** pkgutil(1): `--check-signature`. Receipts are not played here. */
export async function pkgutil(argv: readonly string[]): Promise<Printed> {
  const options = parseOptions(argv, {
    '--check-signature': 'value',
    '--expand': 'value',
    '--expand-full': 'value',
    '--flatten': 'value',
    '--bom': 'value',
    '--payload-files': 'value',
    '--verbose -v': 'none',
    '--force -f': 'none',
    '--volume': 'value',
  });
  const path = options.value('--check-signature');
  if (path === undefined) throw new Error('only --check-signature is played');
  const state = await withArchive(path, async (archive) => ({
    signature: await signatureState(archive),
    staple: await stapleState(archive),
  })).catch((error: unknown) => {
    if (error instanceof ToolFailure) throw error;
    return undefined;
  });
  const head = `Package "${basename(path)}":\n   Status: `;
  if (!state) throw new ToolFailure(1, '', `${head}package is invalid (checksum did not verify)\n`);
  const { signature, staple } = state;
  if (signature.kind === 'none') throw new ToolFailure(1, '', `${head}no signature\n`);
  if (signature.kind !== 'trusted') throw new ToolFailure(1, '', `${head}invalid signature\n`);
  return { stdout: `${head}${describe(signature, staple === 'valid')}` };
}

function describe({ chain, signedAt }: SignatureState & { kind: 'trusted' }, notarized: boolean): string {
  const time = (date: Date) => `${date.toISOString().slice(0, 19).replace('T', ' ')} +0000`;
  const certificates = chain.map(
    ({ commonName, notAfter, sha256 }, index) =>
      `    ${index + 1}. ${commonName}\n       Expires: ${time(notAfter)}\n       SHA256 Fingerprint:\n           ${sha256.match(/../g)?.join(' ')}\n`,
  );
  return [
    'signed by a developer certificate issued by Apple for distribution\n',
    notarized ? '   Notarization: trusted by the Apple notary service\n' : '',
    signedAt ? `   Signed with a trusted timestamp on: ${time(signedAt)}\n` : '',
    `   Certificate Chain:\n${certificates.join(`       ${'-'.repeat(72)}\n`)}\n`,
  ].join('');
}
