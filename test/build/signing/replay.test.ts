import { execFile } from 'node:child_process';
import { constants, generateKeyPairSync, privateEncrypt, sign as signData } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CommandContext } from '../../../build/command.ts';
import { digests, stamp } from '../../../build/commands/timestamp.ts';
import { createProgress } from '../../../build/report/progress.ts';
import { renderSignedRole, type SignedRole } from '../../../build/signing/record.ts';
import { localSigner } from '../../../src/pki/identity/signer.ts';
import { openRehearsalAuthority, type RehearsalAuthority } from '../../../src/rehearsal/authority.ts';
import { inProcess } from '../../support/in-process.ts';
import { placeCertificates } from '../../support/stored-keys.ts';

let scratch: string;
let parts: string;
/** Where commands put what they make on the way. */
let temporary: string;
const { TMPDIR } = process.env;
let authority: RehearsalAuthority;
/** What a good job of each key handed out, and the record before and after it was checked. */
let good: Record<'application' | 'installer', SignedRole>;
beforeAll(async () => {
  scratch = mkdtempSync(join(tmpdir(), 'replay-'));
  parts = join(scratch, 'parts');
  temporary = join(scratch, 'temporary');
  mkdirSync(temporary);
  process.env.TMPDIR = temporary;
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
afterAll(() => {
  if (TMPDIR === undefined) delete process.env.TMPDIR;
  else process.env.TMPDIR = TMPDIR;
  rmSync(scratch, { recursive: true, force: true });
});

const at = (name: string) => join(scratch, name);
function context(env: NodeJS.ProcessEnv = {}): CommandContext {
  const progress = createProgress({ stream: { write: () => true }, verbose: false, color: false });
  const { signal } = new AbortController();
  return { root: parts, program: 'cli.mjs', progress, signal, json: false, argv: ['digests'], verbose: false, env };
}

async function signed(role: 'application' | 'installer', record: string): Promise<SignedRole> {
  const env = { GITHUB_OUTPUT: at(`${role}.outputs`) };
  rmSync(env.GITHUB_OUTPUT, { force: true });
  const { document } = await digests(context(env), { compiled: parts, record: at(record), out: at(`${role}.txt`) });
  expect(document).toEqual({ schema: 1, role, digests: role === 'application' ? 2 : 8 });
  const { privateKey, certificate } = authority.members[role];
  const lines = readFileSync(at(`${role}.txt`), 'utf8')
    .trimEnd()
    .split('\n');
  // What the job of the key is told, and the record for the next one.
  const outputs = [`digests=${lines.join(' ')}`, `record=${readFileSync(at(record), 'utf8').trimEnd()}`];
  expect(readFileSync(env.GITHUB_OUTPUT, 'utf8')).toBe(`${outputs.join('\n')}\n`);
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
    const program = join(strangers, 'cli.mjs');
    // The same record gives the same package, in another process too: nothing in it is chosen when it is put together.
    const again = [program, ...argv.slice(0, -1), at('again'), '--until', 'sign-package'];
    const second = promisify(execFile)(process.execPath, again, { cwd: strangers });
    const run = await inProcess(argv, { root: strangers, program });
    expect(run.status, run.stderr).toBe(0);
    const verified = await inProcess([
      'verify',
      '--trust',
      'rehearsal',
      at('out/1.1.0/Escrow.Buddy-1.1.0-rehearsal.pkg'),
    ]);
    expect(verified.stdout).toContain('PASS');
    expect((await second).stderr).toContain('6/6 sign-package');
    const unstapled = readFileSync(at('again/1.1.0/Escrow.Buddy-1.1.0-rehearsal.pkg'));
    const stapled = readFileSync(at('out/1.1.0/Escrow.Buddy-1.1.0-rehearsal.pkg'));
    expect(stapled.subarray(0, unstapled.length)).toEqual(unstapled);
  });

  it('are the same when the step is run again: a key adds nothing of its own', async () => {
    expect(await signed('application', 'begun.json')).toEqual(good.application);
    expect(await signed('installer', 'half.json')).toEqual(good.installer);
    const [record, out] = [at('begun.json'), at('mine.txt')];
    writeFileSync(out, 'mine');
    const again = (replace?: boolean) =>
      digests(context(), { compiled: parts, record, out, ...(replace && { replace }) });
    await expect(again()).rejects.toMatchObject({ code: 'TARGET_EXISTS' });
    expect(readFileSync(out, 'utf8')).toBe('mine');
    expect((await again(true)).text).toContain(', in place of the one that was there');
    expect(readFileSync(out)).toEqual(readFileSync(at('application.txt')));
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

  it('of a rehearsal are not a release, but where all is a rehearsal', async () => {
    const argv = ['--compiled', parts, '--until', 'generate-scripts', '--out', at('no')];
    const words = async (record: string, ...more: string[]) =>
      (await inProcess(['release', ...argv, '--signatures', at(record), ...more])).stderr;
    writeFileSync(at('release.json'), readFileSync(at('whole.json'), 'utf8').replace('"rehearsal"', '"release"'));
    const BEGUN = 'was begun as a rehearsal';
    expect(await words('whole.json', '--release')).toContain(BEGUN);
    expect(await words('whole.json')).not.toContain(BEGUN);
    expect(await words('release.json', '--release')).not.toContain(BEGUN);
    configured({ teamIdentifier: 'REHEARSAL0' });
    expect(await words('whole.json', '--release')).not.toContain(BEGUN);
    configured({});
    const { application, ...others } = JSON.parse(readFileSync(at('whole.json'), 'utf8'));
    writeFileSync(at('other-half.json'), JSON.stringify({ application: null, ...others }));
    expect(await words('other-half.json')).toContain('does not hold the signatures of both keys');
  });

  it.each<[string, boolean, object]>([
    ['rehearsal', false, {}],
    ['release', true, {}],
    ['release', false, { teamIdentifier: 'ABCDE12345' }],
    ['rehearsal', true, { teamIdentifier: 'REHEARSAL0' }],
  ])('begin as a %s (demanded: %s, configured: %j), once', async (mode, release, signing) => {
    configured(signing);
    const record = at(`${mode}-${release}.json`);
    const since = Math.floor(Date.now() / 1000);
    const begun = await stamp(context(), { compiled: parts, record, release });
    expect(begun.document).toMatchObject({ schema: 1, mode, summary: 'begun' });
    const { signingTime } = begun.document as { signingTime: number };
    expect([signingTime >= since, signingTime <= Date.now() / 1000]).toEqual([true, true]);
    const text = readFileSync(record, 'utf8');
    expect(JSON.parse(text)).toMatchObject({ mode, signingTime });
    const again = await stamp(context(), { compiled: parts, record, release: !release });
    expect(again.document).toEqual({ schema: 1, mode, signingTime, summary: 'begun before, and left unchanged' });
    expect(readFileSync(record, 'utf8')).toBe(text);
    configured({});
  });

  it('need a record that was begun, and places that can be written, before anything is built', async () => {
    const none = { compiled: at('nowhere'), record: at('none.json') };
    await expect(digests(context(), { ...none, out: at('a.txt') })).rejects.toMatchObject({ code: 'RECORD_MISSING' });
    const out = at('missing/a.txt');
    const place = { message: expect.stringContaining('missing') };
    await expect(digests(context(), { ...none, record: at('begun.json'), out })).rejects.toMatchObject(place);
    await expect(stamp(context(), { ...none, record: at('missing/a.json') })).rejects.toMatchObject(place);
  });

  it("are not made by Apple's tools, which fetch timestamps while the key is open", async () => {
    const path = join(parts, 'compiled/compiled.json');
    const text = readFileSync(path, 'utf8');
    writeFileSync(path, text.replace('"portable"', '"apple"'));
    // That both are there is all that is asked of them.
    for (const name of ['xcrun', 'pkgbuild']) writeFileSync(join(temporary, name), '#!/bin/sh\n', { mode: 0o755 });
    const { PATH } = process.env;
    process.env.PATH = `${temporary}:${PATH}`;
    try {
      const asked = digests(context(), { compiled: parts, record: at('begun.json'), out: at('apple.txt') });
      await expect(asked).rejects.toMatchObject({ code: 'SEALED_PORTABLE' });
    } finally {
      process.env.PATH = PATH;
      writeFileSync(path, text);
    }
    expect(existsSync(at('apple.txt'))).toBe(false);
  });

  it('need no compiler, and leave nothing behind of what was built on the way', async () => {
    const argv = ['release', '--compiled', parts, '--until', 'generate-scripts', '--out', at('short')];
    const run = await inProcess(argv, { env: { PATH: at('none') } });
    expect([run.status, run.stderr]).toEqual([0, expect.stringContaining('generate-scripts')]);
    expect(readdirSync(temporary).filter((name) => /^(digests|timestamp)-/.test(name))).toEqual([]);
  });

  /** Writes the configuration that travels with the parts, with some of its values changed. */
  function configured(signing: object): void {
    const config = JSON.parse(readFileSync('release.config.json', 'utf8'));
    Object.assign(config.signing, signing);
    writeFileSync(join(parts, 'release.config.json'), JSON.stringify(config));
  }

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
