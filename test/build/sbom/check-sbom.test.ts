import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, inject, it } from 'vitest';
import { sbomProblems } from '../../../build/sbom/check-sbom.ts';
import { readPackageContent } from '../../../build/sbom/package-content.ts';
import { builtPackage } from '../../support/built-package.ts';

const read = () => JSON.parse(readFileSync(join(inject('releaseFolder'), 'EscrowBuddy.cdx.json'), 'utf8'));
const content = () => readPackageContent(builtPackage());

describe('sbomProblems', () => {
  it('finds none between the files of a release', async () =>
    expect(sbomProblems(read(), await content())).toEqual([]));

  it.each<[string, (sbom: any) => void, string]>([
    ['another digest', (sbom) => (sbom.components[1].hashes[0].content = '0'.repeat(64)), 'scripts/guard.sh differs'],
    [
      'another cdhash',
      (sbom) => {
        const program = sbom.components[0].components.find((file: any) => file.components);
        program.components[0].properties[1].value = '0'.repeat(40);
      },
      'payload/Escrow Buddy.bundle differs',
    ],
    ['nothing that is in it', (sbom) => delete sbom.components, 'scripts/guard.sh differs'],
    ['a file less', (sbom) => sbom.components.splice(1, 1), 'scripts/guard.sh differs'],
    [
      'a file more',
      (sbom) => sbom.components.push({ type: 'file', 'bom-ref': 'scripts/x', name: 'x' }),
      'scripts/x differs',
    ],
    [
      'another package',
      (sbom) => (sbom.metadata.component.hashes[0].content = '0'.repeat(64)),
      'it is of another package',
    ],
    ['another version', (sbom) => (sbom.metadata.component.version = '1.0.0'), 'it is of version 1.0.0'],
    ['an older format', (sbom) => (sbom.specVersion = '1.4'), 'it is not a CycloneDX 1.6 document'],
    ['another tool, with the old number', (sbom) => sbom.metadata.tools.components.pop(), 'its serial number is not'],
  ])('finds %s', async (_, change, words) => {
    const sbom = read();
    change(sbom);
    expect(sbomProblems(sbom, await content()).join('\n')).toContain(words);
  });

  it('takes whatever is not a document', async () => {
    for (const value of [null, [], 'text', 7]) expect(sbomProblems(value, await content())).toHaveLength(1);
  });
});
