import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkSignatures, sealedStep } from '../../support/sealed-step.ts';
import { secretsOf } from '../../support/stored-keys.ts';
import { both, DIGESTS, given, PASSWORD, sealedWorld } from './sealed-world.ts';

const world = sealedWorld();
const { own, use } = world;

describe.skipIf(both.missing)(`the sealed step${both.note}`, () => {
  it.each<[string, () => NodeJS.ProcessEnv]>([
    ["openssl's form", () => given(own())],
    ["Keychain Access' form", () => given(own(['-legacy']))],
    ['triple DES', () => given(own(['-keypbe', 'PBE-SHA1-3DES', '-certpbe', 'PBE-SHA1-3DES', '-macalg', 'sha1']))],
    ['a password of other letters', () => given(own([], 'Lösung "für" $alle \\ '), 'Lösung "für" $alle \\ ')],
    ['a line end behind the password', () => given(own(), `${PASSWORD}\r\n`)],
    [
      'base64 over several lines',
      () => ({
        ...given(own()),
        APPLICATION_P12_BASE64: own()
          .toString('base64')
          .replace(/.{76}(?=.{8})/g, '$&\r\n'),
      }),
    ],
  ])('opens a .p12: %s', async (_, env) => {
    expect(await use(env())).toMatchObject({ status: 0 });
  });

  it('gives a key to one role alone', async () => {
    const env = { APPLICATION_P12_BASE64: '', APPLICATION_P12_PASSWORD: '', ...(await secretsOf(world.authority)) };
    const used = await sealedStep('installer', { digests: DIGESTS, out: join(world.scratch, 'installer'), env });
    expect(used.status, used.printed).toBe(0);
    const check = (role: 'application' | 'installer') =>
      checkSignatures(world.scratch, role, {
        digests: DIGESTS,
        signatures: join(world.scratch, 'installer'),
        out: join(world.scratch, `${role}.json`),
      });
    expect(check('installer').status).toBe(0);
    expect(check('installer')).toMatchObject({ status: 2, printed: expect.stringContaining('is there already') });
    expect(check('application').status).toBe(6);
  });
});
