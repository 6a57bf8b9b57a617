import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fromBuffer } from '../../src/base/bytes.ts';
import { accessBuffer } from '../../src/base/random-access.ts';
import type { BundleEntry } from '../../src/code-signature/bundle-entry.ts';
import { buildProduct } from '../../src/package/product.ts';
import { signPackage } from '../../src/package/sign-product.ts';
import { encodeTimestampRequest, parseTimestampResponse } from '../../src/pki/timestamp/timestamp-token.ts';
import { parseCertificate } from '../../src/pki/x509/certificate.ts';
import type { RehearsalAuthority } from '../../src/rehearsal/authority.ts';
import { rehearsalTimestampAuthority } from '../../src/rehearsal/timestamp-authority.ts';
import type { PayloadEntry } from '../../src/tree/entry.ts';
import { NOW } from '../code-signature/signers.ts';
import { directory, file, symlink } from '../support/payload.ts';
import { standingClock } from '../support/standing-clock.ts';

/** How a sample package is signed. */
export interface SampleSigning {
  readonly authority: RehearsalAuthority;
  /** Whose certificate; null leaves the package unsigned. Default installer. */
  readonly role?: 'application' | 'installer' | null;
  /** Default true. */
  readonly timestamp?: boolean;
}

/** Returns a time-stamp token of the rehearsal, dated NOW. */
export function sampleTimestamp(authority: RehearsalAuthority, signature: Buffer): Buffer {
  const timestamps = rehearsalTimestampAuthority(authority, standingClock(NOW));
  return parseTimestampResponse(timestamps.issueToken(encodeTimestampRequest(signature, randomBytes(8))))
    .token as Buffer;
}

/** Who a role's leaf is, as signers take it. */
export function sampleIdentity(authority: RehearsalAuthority, role: 'application' | 'installer') {
  const { certificateChain, signer } = authority.identitySource(role);
  const chain = certificateChain.map(parseCertificate);
  return { certificate: chain[0]!, chain, signer };
}

/** Returns a product archive that lays down a bundle and loose files. */
export async function samplePackage(
  bundle: readonly BundleEntry[],
  loose: Readonly<Record<string, Buffer>>,
  signing: SampleSigning,
): Promise<Buffer> {
  const folder = mkdtempSync(join(tmpdir(), 'sample-'));
  try {
    const path = join(folder, 'Example-1.0.0.pkg');
    const component = {
      identifier: 'com.example.Sample',
      version: '1.0.0',
      installLocation: '/Library/Example',
      payload: treeOf(bundle, loose),
      scripts: [],
      bundles: [],
    };
    const plan = {
      identifier: 'com.example.Sample',
      version: '1.0.0',
      title: 'Sample',
      minimumSystemVersion: '10.14',
      creationTime: 1_700_000_000,
      component,
    };
    await buildProduct(plan, path, new AbortController().signal);
    const unsigned = readFileSync(path);
    const { role = 'installer', authority } = signing;
    if (role === null) return unsigned;
    await signPackage(accessBuffer(unsigned), path, {
      identity: sampleIdentity(authority, role),
      signingTime: NOW,
      timestamp: signing.timestamp === false ? undefined : async (signature) => sampleTimestamp(authority, signature),
    });
    return readFileSync(path);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function treeOf(bundle: readonly BundleEntry[], loose: Readonly<Record<string, Buffer>>): PayloadEntry[] {
  const files = [
    ...bundle.flatMap((entry) => ('data' in entry ? [[`./Sample.bundle/${entry.path}`, entry.data] as const] : [])),
    ...Object.entries(loose).map(([name, data]) => [`./${name}`, data] as const),
  ];
  const folders = new Set(['.']);
  for (const [path] of files) {
    for (let at = path.indexOf('/', 2); at > 0; at = path.indexOf('/', at + 1)) folders.add(path.slice(0, at));
  }
  const links = bundle.flatMap((entry) =>
    'symlink' in entry ? [symlink(`./Sample.bundle/${entry.path}`, entry.symlink)] : [],
  );
  return [
    ...[...folders].map((path) => directory(path)),
    ...links,
    ...files.map(([path, data]) => ({ ...file(path, data), source: fromBuffer(data) })),
  ];
}
