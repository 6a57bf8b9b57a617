import { FLAG_ADHOC, FLAG_RUNTIME } from '../../../src/code-signature/code-directory.ts';
import { encodeRequirementSet } from '../../../src/code-signature/requirement/requirement-set.ts';
import { type SliceSigning, signSlice } from '../../../src/code-signature/sign/sign-macho.ts';
import { type Blob, encodeSuperBlob, parseSuperBlob } from '../../../src/code-signature/super-blob.ts';
import { type Macho, parseMacho } from '../../../src/macho/macho.ts';
import { sampleSlice } from '../sample.ts';

/** What lies around the slice. */
export const AROUND = {
  infoPlist: Buffer.from('INFO'),
  codeResources: Buffer.from('RES'),
  identifier: 'com.example.plug-in',
  information: new Map([['key', 'value']]),
};
export const SIGNING: SliceSigning = {
  identifier: AROUND.identifier,
  teamIdentifier: null,
  flags: FLAG_ADHOC | FLAG_RUNTIME,
  infoPlist: AROUND.infoPlist,
  codeResources: AROUND.codeResources,
  requirements: encodeRequirementSet(null),
  cms: null,
  // Room for what tests put there.
  signatureSize: 0x8000,
};

/** A slice with an ad-hoc signature, and the same with other blobs or bytes. */
export interface SignedSlice {
  readonly data: Buffer;
  readonly place: NonNullable<Macho['codeSignature']>;
  readonly blobs: readonly Blob[];
  /** Another SuperBlob in its place, bytes of another kind behind it. */
  withBlobs(blobs: readonly Blob[], behind?: Buffer): Buffer;
  changed(edit: (slice: Buffer) => void): Buffer;
}

/** Returns the sample, signed; `signing` changes how. */
export async function signedSlice(signing: Partial<SliceSigning> = {}): Promise<SignedSlice> {
  const { data } = await signSlice(sampleSlice('x86_64'), { ...SIGNING, ...signing });
  const place = parseMacho(data).codeSignature as NonNullable<Macho['codeSignature']>;
  const changed = (edit: (slice: Buffer) => void) => {
    const slice = Buffer.from(data);
    edit(slice);
    return slice;
  };
  return {
    data,
    place,
    blobs: parseSuperBlob(data.subarray(place.dataOffset), 0xfade0cc0).blobs,
    withBlobs: (blobs, behind = Buffer.alloc(0)) =>
      changed((slice) => {
        slice.fill(0, place.dataOffset);
        Buffer.concat([encodeSuperBlob(0xfade0cc0, blobs), behind]).copy(slice, place.dataOffset);
      }),
    changed,
  };
}
