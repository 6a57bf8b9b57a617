import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { checkAttestation } from '../../../build/evidence/attestation.ts';
import { SIGNER, sigstore, statementOf } from './sigstore.ts';

const FILE = createHash('sha256').update('the package').digest('hex');
const statement = (digest = FILE, ...type: [string?]) => statementOf(digest, ...type);

let world: Awaited<ReturnType<typeof sigstore>>;
beforeAll(async () => {
  world = await sigstore();
});

const check = (bundles: readonly object[], trust = world.trust) => {
  const text = bundles.map((bundle) => `${JSON.stringify(bundle)}\n`).join('');
  return checkAttestation(Buffer.from(text), FILE, trust)[0]!;
};

describe('an attestation', () => {
  it('of the workflow about the package is believed', async () => {
    const sbom = await world.bundle(statement(FILE, 'https://cyclonedx.org/bom'));
    expect(check([await world.bundle(statement()), sbom])).toMatchObject({ id: 'attestation', status: 'pass' });
  });

  it.each<[string, RegExp, () => Promise<object[]>]>([
    ['about another file', /about another file/, async () => [await world.bundle(statement('00'.repeat(32)))]],
    [
      'that tells of an SBOM alone',
      /where the package comes from/,
      async () => [await world.bundle(statement(FILE, 'https://cyclonedx.org/bom'))],
    ],
    [
      'of another workflow',
      /is signed by .*evil/,
      async () => [await world.bundle(statement(), { signer: SIGNER.replace('release', 'evil') })],
    ],
    ['of a longer name', /is signed by/, async () => [await world.bundle(statement(), { signer: `${SIGNER}-2` })]],
    [
      'of another issuer',
      /vouches for its signer/,
      async () => [await world.bundle(statement(), { issuer: 'https://example.org' })],
    ],
    ['of another type', /no in-toto statement/, async () => [await world.bundle(statement(), { type: 'text/plain' })]],
    [
      'of bytes, which states nothing',
      /^bundle 1 holds no statement;/,
      async () => {
        const { dsseEnvelope, ...bundle } = JSON.parse(JSON.stringify(await world.bundle(statement())));
        const messageDigest = { algorithm: 'SHA2_256', digest: Buffer.from(FILE, 'hex').toString('base64') };
        return [{ ...bundle, messageSignature: { messageDigest, signature: dsseEnvelope.signatures[0].sig } }];
      },
    ],
    ['of another Sigstore', /bundle 1: /, async () => [await (await sigstore()).bundle(statement())]],
    ['that is missing', /no bundle/, async () => []],
    ['that is no bundle', /bundle 1: /, async () => [{}]],
  ])('%s is refused', async (_, words, make) => {
    expect(check(await make())).toMatchObject({ status: 'fail', reason: expect.stringMatching(words) });
  });

  it('is refused when any of its values is another', async () => {
    const good = JSON.stringify(await world.bundle(statement()));
    // The root's hash stands in the signed checkpoint too, and the library takes it from there alone.
    const values = [...good.matchAll(/(?<!"rootHash":)"(?:[A-Za-z0-9+/]{20,}=*)"/g)];
    expect(values.length).toBeGreaterThan(6);
    for (const { 0: value, index } of values) {
      const at = index + 12;
      const other = good[at] === 'A' ? 'B' : 'A';
      const changed = JSON.parse(good.slice(0, at) + other + good.slice(at + 1));
      expect([value.slice(0, 40), check([changed]).status]).toEqual([value.slice(0, 40), 'fail']);
    }
  });

  it('is not checked by a trusted root that cannot be read', async () => {
    const trust = { ...world.trust, trustedRoot: Buffer.from('{') };
    expect(() => check([], trust)).toThrow(/trusted root cannot be read/);
  });
});
