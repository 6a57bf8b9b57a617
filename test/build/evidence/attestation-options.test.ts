import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { attestationTrust, signerOption, trustedRootOption } from '../../../build/evidence/attestation-options.ts';

const folder = mkdtempSync(join(tmpdir(), 'attestation-options-'));
afterAll(() => rmSync(folder, { recursive: true }));
const trustedRoot = join(folder, 'root.json');
writeFileSync(trustedRoot, '{}');

describe('whose attestations are believed', () => {
  it('is said by both options', async () => {
    expect(await attestationTrust({ trustedRoot, signer: 'a' }, true)).toEqual({
      trustedRoot: Buffer.from('{}'),
      signer: 'a',
    });
  });

  it.each([true, false])('is nobody when neither is given, be there attestations (%s) or not', async (areGiven) => {
    expect(await attestationTrust({}, areGiven)).toBeNull();
  });

  it.each([{ trustedRoot }, { signer: 'a' }])('is not said by %j alone', async (options) => {
    await expect(attestationTrust(options, true)).rejects.toMatchObject({
      name: 'UsageError',
      code: 'ATTESTATION_TRUST',
    });
  });

  it.each([{ trustedRoot, signer: 'a' }, { trustedRoot }, { signer: 'a' }])(
    'is not asked where there is none: %j',
    async (options) => {
      await expect(attestationTrust(options, false)).rejects.toMatchObject({ code: 'ATTESTATION_MISSING' });
    },
  );

  it('has an option each', () => {
    expect([trustedRootOption().long, signerOption().long]).toEqual(['--trusted-root', '--signer']);
  });
});
