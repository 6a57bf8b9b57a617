import { randomBytes } from 'node:crypto';
import { loadIdentity } from '../../../src/pki/identity/identity.ts';
import { encodeTimestampRequest, parseTimestampResponse } from '../../../src/pki/timestamp/timestamp-token.ts';

import { startRehearsalServices } from '../../../src/rehearsal/services.ts';
import { rehearsalTimestampAuthority } from '../../../src/rehearsal/timestamp-authority.ts';
import { portableToolchain } from '../../../src/toolchain/portable/portable-toolchain.ts';
import { sharedAuthority } from '../../rehearsal/shared-authority.ts';
import { quickCompiler } from '../../support/quick-compiler.ts';
import { describeToolchain } from '../contract.ts';

describeToolchain('portable', async () => {
  const authority = await sharedAuthority();
  const { trust } = authority;
  const service = rehearsalTimestampAuthority(authority);
  const timestamp = async (signature: Buffer) =>
    parseTimestampResponse(service.issueToken(encodeTimestampRequest(signature, randomBytes(8)))).token as Buffer;
  const { key, notaryUrl, ticketUrl, uploadPlace, close } = await startRehearsalServices({ authority });
  const before = process.env.PATH;
  process.env.PATH = quickCompiler();
  return {
    toolchain: portableToolchain(timestamp),
    trust,
    identity: async (role) => ({
      kind: 'identity',
      identity: await loadIdentity(role, authority.identitySource(role), { trust }),
    }),
    access: { key, notaryUrl, ticketUrl, upload: { place: uploadPlace }, trust },
    dispose: () => {
      process.env.PATH = before;
      return close();
    },
  };
});
