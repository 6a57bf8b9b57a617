import { expect, it } from 'vitest';
import { CODE_RESOURCES_PATH, fileAt, INFO_PLIST_PATH } from '../../src/code-signature/bundle-entry.ts';
import { signBundle } from '../../src/code-signature/sign/sign-bundle.ts';
import { verifySlice } from '../../src/code-signature/verify/verify-slice.ts';
import { parseFat } from '../../src/macho/fat.ts';
import { parseMacho } from '../../src/macho/macho.ts';
import { SAMPLE_EXECUTABLE, SAMPLE_IDENTIFIER, sampleBundle } from '../code-signature/sample.ts';
import { rehearsalSigner } from '../code-signature/signers.ts';

it('finds one flipped bit in every byte of a signature', { timeout: 3_600_000 }, async () => {
  const { signer, expectations } = await rehearsalSigner();
  const { entries } = await signBundle(sampleBundle(), signer);
  const [first] = parseFat(fileAt(entries, SAMPLE_EXECUTABLE) as Buffer);
  const slice = Buffer.from(first!.data);
  const surroundings = {
    infoPlist: fileAt(entries, INFO_PLIST_PATH) ?? null,
    codeResources: fileAt(entries, CODE_RESOURCES_PATH) ?? null,
    identifier: SAMPLE_IDENTIFIER,
    information: new Map<string, string>(),
  };
  const start = parseMacho(slice).codeSignature!.dataOffset;
  const undetected: string[] = [];
  for (let at = start; at < slice.length; at++) {
    // Every byte; the bit wanders, so that neighbours are hit in different places.
    const bit = 1 << ((at * 5) % 8);
    slice[at] = slice[at]! ^ bit;
    const { checks } = verifySlice(slice, 'slice', surroundings, expectations);
    if (checks.every(({ status }) => status !== 'fail')) undetected.push(`${at - start}, bit ${bit}`);
    slice[at] = slice[at]! ^ bit;
  }
  expect(undetected).toEqual([]);
});
