import { constants, generateKeyPairSync, privateEncrypt, sign as signData } from 'node:crypto';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CommandContext } from '../../../build/command.ts';
import { digests, stamp } from '../../../build/commands/timestamp.ts';
import { createProgress } from '../../../build/report/progress.ts';
import { renderSignedRole, type SignedRole } from '../../../build/signing/record.ts';
import { localSigner } from '../../../src/pki/identity/signer.ts';
import { openRehearsalAuthority, type RehearsalAuthority } from '../../../src/rehearsal/authority.ts';
import { cli } from '../../support/cli.ts';
import { inProcess } from '../../support/in-process.ts';
import { placeCertificates } from '../../support/stored-keys.ts';

let scratch: string;
let parts: string;
let authority: RehearsalAuthority;
/** What a good job of each key handed out, and the record before and after it was checked. */
let good: Record<'application' | 'installer', SignedRole>;
beforeAll(async () => {
  scratch = mkdtempSync(join(tmpdir(), 'replay-'));
  parts = join(scratch, 'parts');
  expect((await inProcess(['parts', '--out', parts])).status).toBe(0);
  cpSync('.rehearsal', join(parts, '.rehearsal'), { recursive: true });
  authority = await openRehearsalAuthority(join(parts, '.rehearsal'));
  placeCertificates(parts, authority);
  await stamp(context(), { compiled: parts, record: at('begun.json') });
  const application = await signed('application', 'begun.json');
  cpSync(at('begun.json'), at('half.json'));
  await check('half.json', application);
  const installer = await signed('installer', 'half.json');
  cpSync(at('half.json'), at('whole.json'));
  await check('whole.json', installer);
  good = { application, installer };
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const at = (name: string) => join(scratch, name);
function context(): CommandContext {
  const progress = createProgress({ stream: { write: () => true }, verbose: false, color: false });
  const { signal } = new AbortController();
  return { root: parts, program: 'cli.mjs', progress, signal, json: false, argv: ['digests'], verbose: false, env: {} };
}

async function signed(role: 'application' | 'installer', record: string): Promise<SignedRole> {
  await digests(context(), { compiled: parts, record: at(record), out: at(`${role}.txt`) });
  const { privateKey, certificate } = authority.members[role];
  const lines = readFileSync(at(`${role}.txt`), 'utf8')
    .trimEnd()
    .split('\n');
  const signatures = lines.map((line) => {
    const hash = line.length === 40 ? 'sha1' : 'sha256';
    return localSigner(privateKey).sign({ hash, digest: Buffer.from(line, 'hex') });
  });
  return { certificate: certificate.der, signatures: await Promise.all(signatures) };
}

async function check(record: string, what: SignedRole | string): Promise<void> {
  writeFileSync(at('checked.json'), typeof what === 'string' ? what : renderSignedRole(what));
  await stamp(context(), { compiled: parts, record: at(record), signed: at('checked.json') });
}

/** Checks a changed form of what the application's step handed out, on a record of its own. */
async function checkChanged(what: SignedRole | string): Promise<void> {
  cpSync(at('begun.json'), at('changed.json'));
  await check('changed.json', what);
}

describe('signatures that were made beside the key', () => {
  it('and stamped outside make a release whose every check passes, without a key', async () => {
    const strangers = at('without keys');
    cpSync(parts, strangers, { recursive: true });
    const home = join(strangers, '.rehearsal/authority');
    const other = generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey;
    for (const name of readdirSync(home).filter((file) =>
      /^(application|installer|developerId|root).*key/.test(file),
    )) {
      writeFileSync(join(home, name), other.export({ type: 'pkcs8', format: 'pem' }));
    }
    const argv = ['release', '--compiled', strangers, '--signatures', at('whole.json'), '--out', at('out')];
    const run = cli(argv, { program: join(strangers, 'cli.mjs'), cwd: strangers });
    expect(run.status, run.stderr).toBe(0);
    const verified = await inProcess([
      'verify',
      '--trust',
      'rehearsal',
      at('out/1.1.0/Escrow.Buddy-1.1.0-rehearsal.pkg'),
    ]);
    expect(verified.stdout).toContain('PASS');
    // The same record gives the same package: nothing in it is chosen when it is put together.
    expect(
      cli([...argv.slice(0, -1), at('again'), '--until', 'sign-package'], { program: join(strangers, 'cli.mjs') })
        .status,
    ).toBe(0);
    const again = readFileSync(at('again/1.1.0/Escrow.Buddy-1.1.0-rehearsal.pkg'));
    expect(readFileSync(at('out/1.1.0/Escrow.Buddy-1.1.0-rehearsal.pkg')).subarray(0, again.length)).toEqual(again);
  });

  it('are the same when the step is run again: a key adds nothing of its own', async () => {
    expect(await signed('application', 'begun.json')).toEqual(good.application);
    expect(await signed('installer', 'half.json')).toEqual(good.installer);
  });

  it('are taken in one form of text only', async () => {
    const text = renderSignedRole(good.application);
    const [first] = good.application.signatures.map((one) => one.toString('base64')) as [string];
    const value = JSON.parse(text);
    const forms = {
      'a space': text.replace(':1,', ': 1,'),
      'no last newline': text.trimEnd(),
      'several lines': `${JSON.stringify(value, null, 2)}\n`,
      'another key': `${JSON.stringify({ ...value, note: 'a3f0' })}\n`,
      'keys in another order': `${JSON.stringify({ certificate: value.certificate, schema: 1, signatures: value.signatures })}\n`,
      'a key twice': text.replace('"schema":1,', '"schema":1,"schema":1,'),
      'another schema': text.replace('"schema":1', '"schema":1.0'),
      'an escape': text.replace('"schema"', '"\\u0073chema"'),
      'base64 of the other alphabet': text.replace(first, first.replaceAll('+', '-').replaceAll('/', '_')),
      'base64 with spare bits': text.replace(
        /([A-Za-z0-9+/])(={1,2}"[,\]])/,
        (_, letter, rest) => `${nextLetter(letter)}${rest}`,
      ),
      'base64 without its end': text.replace(/=+"/, '"'),
      'bytes behind the certificate': renderSignedRole({
        ...good.application,
        certificate: Buffer.concat([good.application.certificate, Buffer.from('key')]),
      }),
      'no text at all': '',
      'too much': `${text}${' '.repeat(40_000)}`,
    };
    for (const [name, form] of Object.entries(forms)) {
      expect(form, name).not.toBe(text);
      await expect(checkChanged(form), name).rejects.toMatchObject({ code: 'SIGNED_FORM' });
    }
  });

  it('are refused when they are not exactly those of this release', async () => {
    const { certificate, signatures } = good.application;
    const [first, second] = signatures as [Buffer, Buffer];
    const key = authority.members.application.privateKey;
    const pss = signData('sha256', Buffer.from('x'), { key, padding: constants.RSA_PKCS1_PSS_PADDING });
    const secret = privateEncrypt({ key, padding: constants.RSA_PKCS1_PADDING }, Buffer.from('a piece of the key'));
    const flipped = Buffer.from(first);
    flipped[100] = (flipped[100] as number) ^ 1;
    const changes: Record<string, readonly [readonly Buffer[], string]> = {
      'one bit': [[flipped, second], 'SIGNATURE_WRONG'],
      exchanged: [[second, first], 'SIGNATURE_WRONG'],
      'one less': [[first], 'SIGNATURE_WRONG'],
      none: [[], 'SIGNATURE_WRONG'],
      'one more, over something else': [[...signatures, secret], 'SIGNATURES_LEFT'],
      'one twice': [[...signatures, second], 'SIGNATURES_LEFT'],
      'random padding (PSS)': [[pss, second], 'SIGNATURE_WRONG'],
      'other bytes under the padding': [[secret, second], 'SIGNATURE_WRONG'],
      'a byte before': [[Buffer.concat([Buffer.from([0]), first]), second], 'SIGNATURE_WRONG'],
      'the modulus added': [[plusModulus(first), second], 'SIGNATURE_WRONG'],
    };
    for (const [name, [changed, code]] of Object.entries(changes)) {
      await expect(checkChanged({ certificate, signatures: changed }), name).rejects.toMatchObject({ code });
    }
    await expect(checkChanged(good.installer)).rejects.toMatchObject({ code: 'IDENTITY_ROLE_SWAPPED' });
  });

  it('are refused when they state another time, or are over other parts', async () => {
    const later = JSON.parse(readFileSync(at('begun.json'), 'utf8'));
    later.signingTime += 1;
    writeFileSync(at('later.json'), JSON.stringify(later));
    await expect(check('later.json', good.application)).rejects.toMatchObject({ code: 'SIGNATURE_WRONG' });
  });

  it('are wanted once', async () => {
    await expect(check('whole.json', good.installer)).rejects.toMatchObject({ code: 'RECORD_COMPLETE' });
    const half = await inProcess([
      'release',
      '--compiled',
      parts,
      '--signatures',
      at('half.json'),
      '--out',
      at('half'),
    ]);
    expect([half.status, half.stderr]).toEqual([
      2,
      expect.stringContaining('does not hold the signatures of both keys'),
    ]);
  });

  it('of a rehearsal are not a release', async () => {
    const argv = ['release', '--release', '--compiled', parts, '--signatures', at('whole.json'), '--out', at('no')];
    expect(await inProcess(argv)).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('was begun as a rehearsal'),
    });
  });

  /** The same number modulo n, in as many bytes, where it still fits. */
  function plusModulus(signature: Buffer): Buffer {
    const jwk = authority.members.application.certificate.publicKeyInfo;
    const modulus = jwk.subarray(jwk.length - 5 - 256, jwk.length - 5);
    const sum = BigInt(`0x${signature.toString('hex')}`) + BigInt(`0x${modulus.toString('hex')}`);
    const hex = sum.toString(16);
    return Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex');
  }

  const nextLetter = (letter: string) => String.fromCharCode(letter.charCodeAt(0) + 1);
});
