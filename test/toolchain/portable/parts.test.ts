import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { developerIdRequirement, rootRequirement } from '../../../src/code-signature/requirement/requirement.ts';
import { type Identity, loadIdentity } from '../../../src/pki/identity/identity.ts';
import { requirementOf } from '../../../src/toolchain/portable/code-signer.ts';
import { selectToolchain } from '../../../src/toolchain/select.ts';
import { sampleBundle } from '../../code-signature/sample.ts';
import { sharedAuthority } from '../../rehearsal/shared-authority.ts';
import { scriptsOnly } from '../apple/machine.ts';

const scratch = mkdtempSync(join(tmpdir(), 'parts-of-toolchain-'));
afterAll(() => rmSync(scratch, { recursive: true }));
let identity: Identity;
beforeAll(async () => {
  const authority = await sharedAuthority();
  identity = await loadIdentity('application', authority.identitySource('application'), { trust: authority.trust });
});

describe('the requirement that code is signed with', () => {
  it('names the root of a rehearsal, and else Apple and the team', () => {
    const root = Buffer.from(identity.chain.at(-1)!.sha1, 'hex');
    expect(requirementOf('com.example.a', identity)).toEqual(rootRequirement('com.example.a', root));
    const released = { ...identity, rehearsal: false };
    expect(requirementOf('com.example.a', released)).toEqual(developerIdRequirement('com.example.a', 'REHEARSAL0'));
  });
});

describe('a package', () => {
  it('is built by a run that nothing can interrupt, too', async () => {
    const { packageBuilder } = selectToolchain('portable');
    const path = join(scratch, 'a.pkg');
    expect(await packageBuilder.build(scriptsOnly(0), path, {})).toMatchObject({ kind: 'unsigned-product', path });
  });
});

describe('a toolchain that was not made to sign', () => {
  it('signs ad-hoc, and never without a timestamp', async () => {
    const { codeSigner } = selectToolchain('portable');
    const signed = await codeSigner.sign(sampleBundle(), 'A.bundle', { kind: 'ad-hoc' }, {});
    expect(signed.slices).toHaveLength(2);
    await expect(codeSigner.sign(sampleBundle(), 'A.bundle', { kind: 'identity', identity }, {})).rejects.toThrow(
      'this toolchain was not made to sign',
    );
  });
});
