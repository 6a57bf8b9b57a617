import { generateKeyPairSync } from 'node:crypto';
import { Secret } from '../../../src/base/secret.ts';
import { appleToolchain } from '../../../src/toolchain/apple/apple-toolchain.ts';
import { makeAppleMachine } from '../../support/apple-tools/apple-machine.ts';
import { describeToolchain } from '../contract.ts';

describeToolchain('apple', async () => {
  const machine = await makeAppleMachine();
  const key = generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey.export({
    type: 'pkcs8',
    format: 'pem',
  });
  return {
    toolchain: appleToolchain(),
    trust: machine.authority.trust,
    identity: machine.identity,
    credentials: {
      keyId: 'ABCDEF1234',
      issuerId: '00000000-0000-0000-0000-000000000000',
      key: new Secret(key as string),
    },
    dispose: machine.dispose,
  };
});
