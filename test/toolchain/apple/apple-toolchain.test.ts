import { appleToolchain } from '../../../src/toolchain/apple/apple-toolchain.ts';
import { makeAppleMachine } from '../../support/apple-tools/apple-machine.ts';
import { describeToolchain } from '../contract.ts';

describeToolchain('apple', async () => {
  const machine = await makeAppleMachine();
  return {
    toolchain: appleToolchain(),
    trust: machine.authority.trust,
    identity: machine.identity,
    access: machine.access(),
    dispose: machine.dispose,
  };
});
