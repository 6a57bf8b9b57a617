import {
  codeDirectoryDigest,
  encodeCodeDirectory,
  FLAG_RUNTIME,
  parseCodeDirectory,
} from '../../src/code-signature/code-directory.ts';
import { rootRequirement } from '../../src/code-signature/requirement/requirement.ts';
import { encodeRequirementSet } from '../../src/code-signature/requirement/requirement-set.ts';
import { encodeCdHashAttributes } from '../../src/code-signature/sign/cdhash-attributes.ts';
import { type SliceSigning, signSlice } from '../../src/code-signature/sign/sign-macho.ts';
import {
  type Blob,
  encodeBlob,
  encodeSuperBlob,
  MAGIC_DER_ENTITLEMENTS,
  MAGIC_EMBEDDED_SIGNATURE,
  MAGIC_ENTITLEMENTS,
  parseSuperBlob,
  SLOT_CODE_DIRECTORY,
  SLOT_DER_ENTITLEMENTS,
  SLOT_ENTITLEMENTS,
  SLOT_REQUIREMENTS,
} from '../../src/code-signature/super-blob.ts';
import { buildFat, parseFat } from '../../src/macho/fat.ts';
import { parseMacho } from '../../src/macho/macho.ts';
import { signCms } from '../../src/pki/cms/cms.ts';
import { localSigner } from '../../src/pki/identity/signer.ts';
import { changeFile, contentOf, type Sample, withPayload } from '../mutation/sample.ts';
import { tokenMaker } from '../mutation/signing.ts';
import type { Attack } from './attack.ts';

const BUNDLE = './Escrow Buddy.bundle';
const EXECUTABLE = `${BUNDLE}/Contents/MacOS/Escrow Buddy`;
const IDENTIFIER = 'com.netflix.Escrow-Buddy';

/** Hostile code signatures in a package of ours, each made with the right key. */
export function codeAttacks(): Attack[] {
  return [...blobs(), ...signings(), ...layouts()];
}

type ChangeSlice = (slice: Buffer, sample: Sample, architecture: string) => Promise<Buffer> | Buffer;

function attack(name: string, expect: RegExp, change: ChangeSlice): Attack {
  return {
    name: `code: ${name}`,
    on: 'ours',
    expect,
    async make({ ours }) {
      const slices: Buffer[] = [];
      for (const { data, architecture } of parseFat(await contentOf(ours.payload, EXECUTABLE))) {
        slices.push(await change(Buffer.from(data), ours, architecture));
      }
      return withPayload(ours, await changeFile(ours.payload, EXECUTABLE, () => buildFat(slices)));
    },
  };
}

/** Changes the blobs of the signature; no key is needed for what the CodeDirectory does not seal. */
function blobs(): Attack[] {
  const change = (name: string, expect: RegExp, edit: (blobs: readonly Blob[]) => readonly Blob[]) =>
    attack(name, expect, (slice) => {
      const { dataOffset, dataSize } = parseMacho(slice).codeSignature!;
      const region = slice.subarray(dataOffset, dataOffset + dataSize);
      const { blobs } = parseSuperBlob(region, MAGIC_EMBEDDED_SIGNATURE);
      const signature = encodeSuperBlob(MAGIC_EMBEDDED_SIGNATURE, edit(blobs));
      region.fill(0);
      signature.copy(region);
      return slice;
    });
  const entitlements = encodeBlob(MAGIC_ENTITLEMENTS, Buffer.from('<plist/>'));
  return [
    change('entitlements that nothing seals', /0x5\b|expected 3 blobs/, (all) =>
      sorted([...all, { type: SLOT_ENTITLEMENTS, data: entitlements }]),
    ),
    change('DER entitlements that nothing seals', /0x7\b|expected 3 blobs/, (all) =>
      sorted([
        ...all,
        { type: SLOT_DER_ENTITLEMENTS, data: encodeBlob(MAGIC_DER_ENTITLEMENTS, Buffer.from('3000', 'hex')) },
      ]),
    ),
    change('a second CodeDirectory', /0x1000\b|expected 3 blobs/, (all) =>
      sorted([...all, { ...(all.find(({ type }) => type === SLOT_CODE_DIRECTORY) as Blob), type: 0x1000 }]),
    ),
    change('a blob of a type nobody knows', /0x6\b|unknown type/, (all) =>
      sorted([...all, { type: 6, data: entitlements }]),
    ),
    change('no requirement set', /requirement/, (all) => all.filter(({ type }) => type !== SLOT_REQUIREMENTS)),
  ];
}

const sorted = (all: readonly Blob[]) => [...all].sort((a, b) => a.type - b.type);

/** Signs every slice again, in another way than the pipeline does. */
function signings(): Attack[] {
  const signed = (
    name: string,
    expect: RegExp,
    change: (usual: SliceSigning, sample: Sample) => Partial<SliceSigning>,
  ) =>
    attack(name, expect, async (slice, sample) => {
      const usual = await usualSigning(sample);
      return (await signSlice(slice, { ...usual, ...change(usual, sample) })).data;
    });
  const flag = (name: string, bit: number) => signed(name, /flags/, ({ flags }) => ({ flags: flags | bit }));
  return [
    signed('without the hardened runtime', /hardened runtime/, () => ({ flags: 0 })),
    flag('its library validation in a flag', 0x2000),
    flag('its killing asked for by a flag', 0x200),
    flag('marked as linker-signed', 0x20000),
    signed('another identifier', /identifier/, () => ({ identifier: 'com.netflix.Escrow-Buddy2' })),
    signed('another team', /team/, () => ({ teamIdentifier: 'ABCDE12345' })),
    signed('no team', /^code-our-team: .*is signed by team/, () => ({ teamIdentifier: null })),
    signed('a requirement that anybody meets', /requirement set/, () => ({
      requirements: encodeRequirementSet({ op: 'identifier', value: IDENTIFIER }),
    })),
    signed('no requirement', /requirement set/, () => ({ requirements: encodeRequirementSet(null) })),
    signed('more room for the signature', /form-code/, (_, sample) => ({
      signatureSize: sample.file.length > 0 ? 40_000 : 0,
    })),
    signed('less room for the signature', /form-code/, () => ({ signatureSize: 16_000 })),
    signed('its resources unsealed', /CodeResources|special slots/, () => ({ codeResources: null })),
    signed('its Info.plist unsealed', /Info\.plist/, () => ({ infoPlist: null })),
  ];
}

async function usualSigning({ payload, authority }: Sample): Promise<SliceSigning> {
  const root = authority.chainOf('application').at(-1)!;
  const requirement = rootRequirement(IDENTIFIER, Buffer.from(root.sha1, 'hex'));
  return {
    identifier: IDENTIFIER,
    teamIdentifier: 'REHEARSAL0',
    flags: FLAG_RUNTIME,
    infoPlist: await contentOf(payload, `${BUNDLE}/Contents/Info.plist`),
    codeResources: await contentOf(payload, `${BUNDLE}/Contents/_CodeSignature/CodeResources`),
    requirements: encodeRequirementSet(requirement),
    cms: (directory) => cmsOver(directory, authority),
  };
}

function cmsOver(directory: Buffer, authority: Sample['authority']): Promise<Buffer> {
  const { certificate, privateKey } = authority.members.application;
  return signCms({
    content: directory,
    attributes: encodeCdHashAttributes([codeDirectoryDigest({ hashType: 2, data: directory })]),
    identity: { certificate, chain: authority.chainOf('application'), signer: localSigner(privateKey) },
    signingTime: new Date(),
    timestamp: tokenMaker(authority),
  });
}

/** The same bytes of code, sealed by a CodeDirectory of another shape. */
function layouts(): Attack[] {
  return [
    attack('a CodeDirectory of an older version', /version|field/, async (slice, sample) => {
      const { dataOffset, dataSize } = parseMacho(slice).codeSignature!;
      const region = slice.subarray(dataOffset, dataOffset + dataSize);
      const { blobs } = parseSuperBlob(region, MAGIC_EMBEDDED_SIGNATURE);
      const old = parseCodeDirectory(blobs[0]!.data);
      const usual = await usualSigning(sample);
      const directory = encodeCodeDirectory({
        ...old,
        code: slice.subarray(0, dataOffset),
        specialSlots: [usual.infoPlist, usual.requirements, usual.codeResources],
        runtimeVersion: 0,
      });
      const wrapper = encodeBlob(0xfade0b01, await cmsOver(directory, sample.authority));
      const signature = encodeSuperBlob(MAGIC_EMBEDDED_SIGNATURE, [
        { type: SLOT_CODE_DIRECTORY, data: directory },
        blobs[1]!,
        { type: 0x10000, data: wrapper },
      ]);
      region.fill(0);
      signature.copy(region);
      return slice;
    }),
    attack('bytes behind the signature in its room', /padding|not zero/, (slice) => {
      slice[slice.length - 1] = 1;
      return slice;
    }),
  ];
}
