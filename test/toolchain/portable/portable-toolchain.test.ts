import { randomBytes } from 'node:crypto';
import { Secret } from '../../../src/base/secret.ts';
import { loadIdentity } from '../../../src/pki/identity.ts';
import { encodeTimestampRequest, parseTimestampResponse } from '../../../src/pki/timestamp-token.ts';
import { makeRehearsalAuthority } from '../../../src/rehearsal/authority.ts';
import { rehearsalTimestampAuthority } from '../../../src/rehearsal/timestamp-authority.ts';
import { portableToolchain } from '../../../src/toolchain/portable/portable-toolchain.ts';
import { describeToolchain } from '../contract.ts';

describeToolchain('portable', async () => {
  const authority = await makeRehearsalAuthority(new Date());
  const service = rehearsalTimestampAuthority(authority);
  const timestamp = async (signature: Buffer) =>
    parseTimestampResponse(service.issueToken(encodeTimestampRequest(signature, randomBytes(8)))).token as Buffer;
  return {
    toolchain: portableToolchain({ timestamp }),
    trust: authority.trust,
    identity: async (role) => ({
      kind: 'identity',
      identity: await loadIdentity(role, authority.identitySource(role), { trust: authority.trust }),
      p12: null,
    }),
    credentials: { keyId: '', issuerId: '', key: new Secret('') },
    without: ['packageSigner', 'notary', 'stapler', 'verifier'],
  };
});
