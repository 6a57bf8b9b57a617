import { writeWhole } from '../../../src/base/files.ts';
import { signCms } from '../../../src/pki/cms/cms.ts';
import type { Identity } from '../../../src/pki/identity/identity.ts';
import { resignXar } from '../../../src/xar/resign.ts';
import { emitXar } from '../../../src/xar/write.ts';
import { withArchive } from './archive.ts';
import { findIdentity, ToolFailure, timestampToken } from './machine.ts';
import type { Printed } from './main.ts';
import { parseOptions } from './options.ts';

const RSA_SIZE = 256;
const CMS_SIZE = 18_000;

/** productsign(1). */
export async function productsign(argv: readonly string[]): Promise<Printed> {
  const options = parseOptions(argv, {
    '--sign': 'value',
    '--keychain': 'value',
    '--cert': 'value',
    '--timestamp': 'optional',
  });
  const [input, output] = options.rest;
  const named = options.value('--sign');
  if (named === undefined || input === undefined || output === undefined || input === output) {
    throw new ToolFailure(1, 'Usage: productsign [options] --sign <identity> <input-path> <output-path>');
  }
  if (options.value('--timestamp') !== '') throw new Error('only --timestamp is played');
  const identity = await chooseIdentity(options.value('--keychain') ?? '', named);
  await withArchive(input, (archive) => sign(archive, identity, output));
  return {
    stdout: `productsign: using timestamp authority for signature\nproductsign: signing product with identity "${named}"\nproductsign: Wrote signed product archive to ${output}\n`,
  };
}

async function chooseIdentity(keychain: string, named: string): Promise<Identity> {
  const [found] = await findIdentity(keychain, named, '/usr/bin/productsign');
  if (!found) {
    const problem = `Could not find appropriate signing identity for “${named}” in keychain at “${keychain}”.`;
    throw new ToolFailure(1, `productsign: error: ${problem}`);
  }
  if (found.identity.role !== 'installer') {
    const problem =
      'An installer signing identity (not an application signing identity) is required for signing flat-style products.';
    throw new ToolFailure(1, `productsign: error: ${problem}`);
  }
  if (found.access !== 'granted') {
    const problem =
      'SignData failed: Error Domain=NSOSStatusErrorDomain Code=-25308 "CSSM Exception: -2147415840 CSSMERR_CSP_NO_USER_INTERACTION"';
    throw new ToolFailure(1, `${problem}\nproductsign: error: Failed to sign the product.`);
  }
  return found.identity;
}

async function sign(archive: Parameters<typeof resignXar>[0], identity: Identity, output: string): Promise<void> {
  const certificates = identity.chain.map(({ der }) => der);
  const layout = resignXar(archive, {
    signatures: [
      { style: 'RSA', size: RSA_SIZE, certificates },
      { style: 'CMS', size: CMS_SIZE, certificates },
    ],
  });
  const rsa = await identity.signer.sign({ hash: 'sha1', digest: layout.tocDigest });
  const cms = await signCms({
    content: layout.tocDigest,
    identity,
    signingTime: new Date(),
    timestamp: timestampToken,
  });
  await writeWhole(output, emitXar(layout, [rsa, cms]));
}
