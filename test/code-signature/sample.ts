import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import type { BundleEntry } from '../../src/code-signature/bundle-entry.ts';
import { buildFat } from '../../src/macho/fat.ts';
import { renderPropertyList } from '../../src/xml/property-list.ts';

const FIXTURES = new URL('../fixtures/code-signature/', import.meta.url);

/** Returns an unsigned slice of the sample plug-in. */
export function sampleSlice(architecture: 'x86_64' | 'arm64'): Buffer {
  return gunzipSync(readFileSync(new URL(`${architecture}.bundle.gz`, FIXTURES)));
}

export const SAMPLE_IDENTIFIER = 'com.netflix.Escrow-Buddy';
export const SAMPLE_EXECUTABLE = 'Contents/MacOS/Escrow Buddy';
export const SAMPLE_INFO_PLIST = Buffer.from(
  renderPropertyList(
    new Map([
      ['CFBundleExecutable', 'Escrow Buddy'],
      ['CFBundleIdentifier', SAMPLE_IDENTIFIER],
      ['CFBundleInfoDictionaryVersion', '6.0'],
      ['CFBundleName', 'Escrow Buddy'],
      ['CFBundlePackageType', 'BNDL'],
      ['CFBundleShortVersionString', '1.1.0'],
      ['CFBundleVersion', '1.1.0'],
    ]),
  ),
);

/** Returns the unsigned sample bundle, the same as rcodesign was given when the digests in the tests were made. */
export function sampleBundle(): BundleEntry[] {
  const file = (path: string, data: Buffer | string, mode = 0o644): BundleEntry => ({
    path,
    mode,
    data: Buffer.from(data),
  });
  return [
    file('Contents/Info.plist', SAMPLE_INFO_PLIST),
    file(SAMPLE_EXECUTABLE, buildFat([sampleSlice('x86_64'), sampleSlice('arm64')]), 0o755),
    file('Contents/PkgInfo', 'BNDL????'),
    file('Contents/Resources/AuthDBSetup.sh', '#!/bin/sh\nexit 0\n', 0o755),
    file('Contents/Resources/AuthDBTeardown.sh', '#!/bin/sh\nexit 1\n', 0o755),
    file('Contents/Resources/en.lproj/InfoPlist.strings', '"a" = "b";\n'),
    { path: 'Contents/Resources/link.sh', mode: 0o777, symlink: 'AuthDBSetup.sh' },
  ];
}
