// Signs one package and ends: what npm run bench measures of this project. sign.mjs SOURCE TARGET PEM
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { withFile } from '../../../src/base/with-file.ts';
import { signPackage } from '../../../src/package/sign-product.ts';
import { localSigner } from '../../../src/pki/identity/signer.ts';
import { type Certificate, parseCertificate } from '../../../src/pki/x509/certificate.ts';

const [source, target, path] = process.argv.slice(2) as [string, string, string];
const pem = readFileSync(path, 'utf8');
const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
const chain = blocks.map((block) => parseCertificate(new X509Certificate(block).raw));
const identity = { certificate: chain[0] as Certificate, chain, signer: localSigner(createPrivateKey(pem)) };
await withFile(source, (access) =>
  signPackage(access, target, { identity, signingTime: new Date(), timestamp: undefined }),
);
