import { rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { BundleEntry } from '../../../src/code-signature/bundle-entry.ts';
import { codeCmsVerifier } from '../../../src/code-signature/verify/verify-cms.ts';
import { verifyBundle } from '../../../src/code-signature/verify/verify-code.ts';
import { readBundle, writeBundle } from '../../../src/toolchain/apple/disk-tree.ts';
import { portableCodeSigner } from '../../../src/toolchain/portable/code-signer.ts';
import type { AdHoc, SigningIdentity } from '../../../src/toolchain/toolchain.ts';
import { authority, findIdentity, ToolFailure, timestampToken } from './machine.ts';
import type { Printed } from './main.ts';
import { type Options, parseOptions } from './options.ts';

/** Names of the options in codesign(1); those that are not played end with an error. */
const OPTIONS = {
  '--sign -s': 'value',
  '--verify': 'none',
  '--display -d': 'none',
  '--force -f': 'none',
  '--options -o': 'value',
  '--timestamp': 'optional',
  '--keychain': 'value',
  '--identifier -i': 'value',
  '--strict': 'optional',
  '--deep': 'none',
  '--verbose -v': 'optional',
  '--requirements -r': 'value',
  '--test-requirement -R': 'value',
  '--entitlements': 'value',
  '--all-architectures': 'none',
  '--architecture -a': 'value',
  '--check-notarization': 'none',
  '--prefix': 'value',
  '--preserve-metadata': 'optional',
  '--generate-entitlement-der': 'none',
  '--runtime-version': 'value',
  '--dryrun': 'none',
} as const;
const PLAYED = [
  '--sign',
  '--verify',
  '--force',
  '--options',
  '--timestamp',
  '--keychain',
  '--strict',
  '--deep',
  '--verbose',
];

/** codesign(1): signing and verifying a bundle. */
export async function codesign(argv: readonly string[]): Promise<Printed> {
  const options = parseOptions(argv, OPTIONS);
  const idle = [...options.given.keys()].find((name) => !PLAYED.includes(name));
  if (idle) throw new Error(`${idle} is not played`);
  const [bundle] = options.rest;
  if (!bundle) throw new ToolFailure(2, 'Usage: codesign -s identity [-fv*] path ...');
  return options.has('--verify') ? verify(bundle, options) : sign(bundle, options);
}

async function sign(bundle: string, options: Options): Promise<Printed> {
  if (options.value('--options') !== 'runtime') throw new Error('only --options runtime is played');
  const entries = await readBundle(bundle);
  if (!entries.some(({ path }) => path === 'Contents/Info.plist')) {
    throw new ToolFailure(1, `${bundle}: bundle format unrecognized, invalid, or unsuitable`);
  }
  const signer = await signerOf(bundle, options);
  const replaced = entries.some(({ path }) => path.startsWith('Contents/_CodeSignature/'));
  if (replaced && !options.has('--force')) throw new ToolFailure(1, `${bundle}: is already signed`);
  const signed = await portableCodeSigner(timestampToken).sign(entries, basename(bundle), signer, {});
  for (const { path } of entries) rmSync(join(bundle, path));
  await writeBundle(signed.entries, bundle);
  return replaced ? { stderr: `${bundle}: replacing existing signature\n` } : {};
}

async function signerOf(bundle: string, options: Options): Promise<AdHoc | SigningIdentity> {
  const named = options.value('--sign') as string;
  const timestamp = options.value('--timestamp');
  if (named === '-') return { kind: 'ad-hoc' };
  if (timestamp !== '') throw new Error('an identity signs with --timestamp here');
  const found = await findIdentity(options.value('--keychain') ?? '', named, '/usr/bin/codesign');
  const [first, second] = found.filter(({ identity }) => identity.role === 'application');
  if (!first) throw new ToolFailure(1, `${named}: no identity found`);
  if (second) throw new ToolFailure(1, `${named}: ambiguous (matches two certificates)`);
  if (first.access === 'locked') throw new ToolFailure(1, `${bundle}: User interaction is not allowed.`);
  if (first.access === 'denied') throw new ToolFailure(1, `${bundle}: errSecInternalComponent`);
  return { kind: 'identity', identity: first.identity };
}

async function verify(bundle: string, options: Options): Promise<Printed> {
  const entries = await readBundle(bundle);
  const problem = await problemOf(entries);
  if (problem) throw new ToolFailure(1, `${bundle}: ${problem}`);
  if (!options.has('--verbose')) return {};
  return { stderr: `${bundle}: valid on disk\n${bundle}: satisfies its Designated Requirement\n` };
}

/** Texts of CSCommon.h (Security-61901), for the first check that failed. */
async function problemOf(entries: readonly BundleEntry[]): Promise<string | undefined> {
  const { trust } = await authority();
  const verifyCms = codeCmsVerifier(trust, new Date());
  const report = verifyBundle(entries, { verifyCms, ours: false, allowAdHoc: true });
  if (report.valid) return undefined;
  if (report.slices.length === 0) return 'code object is not signed at all';
  const failed = report.checks.filter(({ status }) => status === 'fail').map(({ id }) => id);
  if (failed.some((id) => /seal|resource/.test(id))) return 'a sealed resource is missing or invalid';
  if (failed.some((id) => /info/.test(id))) return 'invalid Info.plist (plist or signature have been modified)';
  return 'invalid signature (code or signature have been modified)';
}
