import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { accessBuffer } from '../../../src/base/random-access.ts';
import type { BundleEntry } from '../../../src/code-signature/bundle-entry.ts';
import { codeDirectoryDigest, encodeCodeDirectory, FLAG_RUNTIME } from '../../../src/code-signature/code-directory.ts';
import { encodeRequirementSet } from '../../../src/code-signature/requirement/requirement-set.ts';
import { encodeCdHashAttributes } from '../../../src/code-signature/sign/cdhash-attributes.ts';
import { type BundleSigner, signBundle } from '../../../src/code-signature/sign/sign-bundle.ts';
import { type SliceSigning, signSlice } from '../../../src/code-signature/sign/sign-macho.ts';
import {
  encodeBlob,
  encodeSuperBlob,
  MAGIC_BLOB_WRAPPER,
  MAGIC_EMBEDDED_SIGNATURE,
  MAGIC_ENTITLEMENTS,
} from '../../../src/code-signature/super-blob.ts';
import { LC_BUILD_VERSION } from '../../../src/macho/layout.ts';
import { parseMacho } from '../../../src/macho/macho.ts';
import { predictNotary } from '../../../src/notary/predict/predict.ts';
import { submissionName } from '../../../src/notary/submission.ts';
import { signCms } from '../../../src/pki/cms/cms.ts';
import type { RehearsalAuthority } from '../../../src/rehearsal/authority.ts';
import { readXar } from '../../../src/xar/read.ts';
import { sampleBundle, sampleSlice } from '../../code-signature/sample.ts';
import { NOW, rehearsalSigner } from '../../code-signature/signers.ts';
import { standingClock } from '../../support/standing-clock.ts';
import { completed, fileOf, rehearse } from '../rehearsed.ts';
import { type SampleSigning, sampleIdentity, samplePackage, sampleTimestamp } from '../sample-package.ts';

const NOT_SIGNED = 'The binary is not signed.';
const NOT_DEVELOPER_ID = 'The binary is not signed with a valid Developer ID certificate.';
const INVALID = 'The signature of the binary is invalid.';
const NO_TIMESTAMP = 'The signature does not include a secure timestamp.';
const PAYLOAD = 'com.example.Sample.pkg Contents/Payload/Library/Example';
const PROGRAM = `${PAYLOAD}/Sample.bundle/Contents/MacOS/Escrow Buddy`;
const TOOL = `${PAYLOAD}/tool`;
/** A Mach-O executable's number in the header, at byte 12. Source: mach-o/loader.h. */
const MH_EXECUTE = 2;

let authority: RehearsalAuthority;
let signer: BundleSigner;
let good: readonly BundleEntry[];
beforeAll(async () => {
  ({ authority, signer } = await rehearsalSigner());
  good = await signed(sampleBundle(), signer);
});

const signed = async (entries: readonly BundleEntry[], by: BundleSigner) => (await signBundle(entries, by)).entries;

/** A signature by another role, or without a timestamp. */
function cmsBy(role: 'application' | 'installer', timestamp = true): NonNullable<SliceSigning['cms']> {
  return (codeDirectory) =>
    signCms({
      content: codeDirectory,
      attributes: encodeCdHashAttributes([codeDirectoryDigest({ hashType: 2, data: codeDirectory })]),
      identity: sampleIdentity(authority, role),
      signingTime: NOW,
      timestamp: timestamp ? async (signature) => sampleTimestamp(authority, signature) : undefined,
    });
}

const PLAIN: Omit<SliceSigning, 'cms'> = {
  identifier: 'tool',
  teamIdentifier: 'REHEARSAL0',
  flags: FLAG_RUNTIME,
  infoPlist: null,
  codeResources: null,
  requirements: encodeRequirementSet(null),
};

async function tool(
  change: (slice: Buffer) => void,
  signing: Partial<SliceSigning> = {},
): Promise<Record<string, Buffer>> {
  const slice = Buffer.from(sampleSlice('arm64'));
  change(slice);
  return { tool: (await signSlice(slice, { ...PLAIN, cms: cmsBy('application'), ...signing })).data };
}

const asExecutable = (slice: Buffer) => void slice.writeUInt32LE(MH_EXECUTE, 12);

function withOldSdk(slice: Buffer): void {
  const { offset } = parseMacho(slice).commands.find(({ command }) => command === LC_BUILD_VERSION)!;
  slice.writeUInt32LE(0x000a0800, offset + 16);
}

/** A correct signature with an entitlement, which this project itself never makes. */
async function debuggable(): Promise<Record<string, Buffer>> {
  const { data } = await signSlice(sampleSlice('arm64'), { ...PLAIN, cms: cmsBy('application') });
  const xml = '<plist version="1.0"><dict><key>com.apple.security.get-task-allow</key><true/></dict></plist>';
  const entitlements = encodeBlob(MAGIC_ENTITLEMENTS, Buffer.from(`<?xml version="1.0" encoding="UTF-8"?>${xml}`));
  const { segments, codeSignature, version } = parseMacho(data);
  const { dataOffset = 0 } = codeSignature ?? {};
  const text = segments.find(({ name }) => name === '__TEXT')!;
  const directory = encodeCodeDirectory({
    ...PLAIN,
    code: data.subarray(0, dataOffset),
    specialSlots: [null, PLAIN.requirements, null, null, entitlements],
    execSegment: { base: BigInt(text.fileOffset), limit: BigInt(text.fileSize), flags: 0n },
    runtimeVersion: version?.sdk ?? 0,
  });
  const blobs = [
    { type: 0, data: directory },
    { type: 2, data: PLAIN.requirements },
    { type: 5, data: entitlements },
    { type: 0x10000, data: encodeBlob(MAGIC_BLOB_WRAPPER, await cmsBy('application')(directory)) },
  ];
  const signature = encodeSuperBlob(MAGIC_EMBEDDED_SIGNATURE, blobs);
  const changed = Buffer.from(data);
  changed.fill(0, dataOffset);
  signature.copy(changed, dataOffset);
  return { tool: changed };
}

/** Changes one file of the signed bundle. */
const changedBundle = (path: string, change: (data: Buffer) => void): BundleEntry[] =>
  good.map((entry) => {
    if (entry.path !== path || !('data' in entry)) return entry;
    const data = Buffer.from(entry.data);
    change(data);
    return { ...entry, data };
  });

interface Case {
  readonly bundle?: () => Promise<readonly BundleEntry[]>;
  readonly loose?: () => Promise<Record<string, Buffer>>;
  readonly signing?: Partial<SampleSigning>;
  readonly expected: readonly (readonly [path: string, message: string, architecture: string | null])[];
}

const both = (path: string, ...messages: string[]) =>
  ['x86_64', 'arm64'].flatMap((architecture) => messages.map((message) => [path, message, architecture] as const));

/** Packages that Apple refuses, and what its log says of each. */
const REFUSED: Readonly<Record<string, Case>> = {
  'with unsigned code': {
    bundle: async () => sampleBundle(),
    expected: both(PROGRAM, INVALID).map(([path, , arch]) => [path, NOT_SIGNED, arch]),
  },
  'with ad-hoc signed code': {
    bundle: () => signed(sampleBundle(), { kind: 'ad-hoc' }),
    expected: both(PROGRAM, NOT_DEVELOPER_ID, NO_TIMESTAMP),
  },
  'with code signed by an Installer certificate': {
    loose: () => tool(() => undefined, { cms: cmsBy('installer') }),
    expected: [[TOOL, NOT_DEVELOPER_ID, 'arm64']],
  },
  'with code without a timestamp': {
    loose: () => tool(() => undefined, { cms: cmsBy('application', false) }),
    expected: [[TOOL, NO_TIMESTAMP, 'arm64']],
  },
  'with an executable without hardened runtime': {
    loose: () => tool(asExecutable, { flags: 0 }),
    expected: [[TOOL, 'The executable does not have the hardened runtime enabled.', 'arm64']],
  },
  'with code that others may attach to': {
    loose: debuggable,
    expected: [[TOOL, 'The executable requests the com.apple.security.get-task-allow entitlement.', 'arm64']],
  },
  'with code of an old SDK': {
    loose: () => tool(withOldSdk),
    expected: [[TOOL, 'The binary uses an SDK older than the 10.9 SDK.', 'arm64']],
  },
  'with a resource changed after sealing': {
    bundle: async () => changedBundle('Contents/Resources/AuthDBSetup.sh', (data) => data.write('X', 12)),
    expected: both(PROGRAM, INVALID),
  },
  'with a page changed after signing': {
    loose: async () => {
      const { tool: data } = await tool(() => undefined);
      data![0x1000] = (data![0x1000] as number) ^ 1;
      return { tool: data! };
    },
    expected: [[TOOL, INVALID, 'arm64']],
  },
  'that is not signed itself': { signing: { role: null }, expected: [['', NOT_SIGNED, null]] },
  'that an Application certificate signed': {
    signing: { role: 'application' },
    expected: [['', NOT_DEVELOPER_ID, null]],
  },
  'that was signed without a timestamp': { signing: { timestamp: false }, expected: [['', NO_TIMESTAMP, null]] },
};

describe(`a package, ${Object.keys(REFUSED).length} kinds of which Apple refuses`, () => {
  it.each(Object.entries(REFUSED))(
    '%s is predicted exactly, and refused by the notary for the same reasons',
    async (_name, test) => {
      const bundle = test.bundle ? await test.bundle() : good;
      const data = await samplePackage(bundle, (await test.loose?.()) ?? {}, { authority, ...test.signing });
      const { checksum } = await readXar(accessBuffer(data));
      const file = fileOf(data, checksum.value.toString('hex'));
      const archiveName = submissionName(file);
      const { issues } = await predictNotary(accessBuffer(data), { archiveName, trust: authority.trust, now: NOW });
      const found = issues.map(({ path, message, architecture }) => [
        path.slice(archiveName.length + 1),
        message,
        architecture,
      ]);
      expect(found).toEqual(test.expected);

      const run = await rehearse(file, { authority, clock: standingClock(NOW) });
      expect(run.error?.code).toBe('NOTARY_INVALID');
      expect(completed(run)[0]?.verdict?.log).toMatchObject({
        status: 'Invalid',
        statusCode: 4000,
        sha256: createHash('sha256').update(data).digest('hex'),
        issues,
        ticketContents: null,
      });
    },
  );

  it('is accepted when nothing is wrong, with a ticket for it and each slice', async () => {
    const data = await samplePackage(good, await tool(asExecutable), { authority });
    const { checksum } = await readXar(accessBuffer(data));
    const { issues, code } = await predictNotary(accessBuffer(data), {
      archiveName: 'a.pkg',
      trust: authority.trust,
      now: NOW,
    });
    expect(issues).toEqual([]);
    expect(code.map(({ path, architecture }) => [path, architecture])).toEqual([
      [`a.pkg/${PROGRAM}`, 'x86_64'],
      [`a.pkg/${PROGRAM}`, 'arm64'],
      [`a.pkg/${TOOL}`, 'arm64'],
    ]);
    const run = await rehearse(fileOf(data, checksum.value.toString('hex')), { authority, clock: standingClock(NOW) });
    // The ticket is the rehearsal's of this test, not that of the checkout.
    expect(run.error?.code).toBe('TICKET_WRONG');
    expect(completed(run)[0]?.verdict?.tickets).toHaveLength(4);
  });
});
