import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { SignedProduct } from '../../../src/package/sign-product.ts';
import { appleToolchain } from '../../../src/toolchain/apple/apple-toolchain.ts';
import { type AppleMachine, KEY_NAMES } from '../../support/apple-tools/apple-machine.ts';
import { unsignedPackage, useMachine } from './machine.ts';

const tools = appleToolchain();
const signal = new AbortController().signal;
const held = useMachine();
const { calls } = held;
let machine: AppleMachine;
let unsigned: string;
let signed: SignedProduct;

beforeAll(async () => {
  ({ machine } = held);
  unsigned = await unsignedPackage(held.work);
  signed = await tools.packageSigner.sign(
    { path: unsigned },
    await machine.identity('installer'),
    join(held.work, 'a.pkg'),
    {},
  );
});

describe('notarytool', () => {
  const submit = async (access = machine.access(), name = 'a.pkg') => {
    const data = readFileSync(signed.path);
    const ids: string[] = [];
    const announced = async (id: string) => void ids.push(id);
    const quiet = { tell: () => undefined, warn: () => undefined };
    const notary = tools.notary(access);
    await notary.submit({ name, data, sha256: signed.sha256 }, { announced, ...quiet, signal });
    return { notary, id: ids[0] as string };
  };

  it('gets key and package as files that are gone afterwards, never the key as an argument', async () => {
    const { notary, id } = await submit();
    await notary.status(id, signal);
    await notary.history(signal);
    await notary.log(id, signal);
    const [submitted, info, history, log] = calls('notarytool');
    const key = submitted?.[submitted.indexOf('--key') + 1] as string;
    expect(existsSync(dirname(key))).toBe(false);
    expect(machine.calls().flat().join()).not.toContain('PRIVATE KEY');
    const { keyId, issuerId } = KEY_NAMES;
    const access = ['--key', expect.any(String), '--key-id', keyId, '--issuer', issuerId];
    const json = ['--output-format', 'json'];
    expect(submitted).toEqual(['notarytool', 'submit', join(dirname(key), 'a.pkg'), '--no-wait', ...access, ...json]);
    expect(info).toEqual(['notarytool', 'info', id, ...access, ...json]);
    expect(history).toEqual(['notarytool', 'history', ...access, ...json]);
    expect(log).toEqual(['notarytool', 'log', id, ...access, ...json]);
  });

  it('exits with 0 for Invalid, which is a verdict and no success', async () => {
    machine.setVerdict('Invalid');
    const { notary, id } = await submit();
    expect(await notary.status(id)).toMatchObject({ id, status: 'Invalid', name: 'a.pkg' });
    expect(await notary.log(id)).toMatchObject({ statusCode: 4000 });
  });

  it('lists what it was given, newest first', async () => {
    const first = await submit(undefined, 'first.pkg');
    const second = await submit(undefined, 'second.pkg');
    const ids = (await second.notary.history()).map(({ id }) => id);
    expect(ids.slice(0, 2)).toEqual([second.id, first.id]);
  });

  it('that gives no log does not hide the verdict', async () => {
    const { notary, id } = await submit();
    machine.playFaults({ tool: 'notarytool', argv: 'log', stderr: 'Error: something new' });
    expect(await notary.log(id)).toBeNull();
  });

  it('says when an id is of no submission of the team', async () => {
    const { notary } = await submit();
    await expect(notary.status('00000000-0000-4000-8000-00000000beef')).rejects.toMatchObject({
      code: 'NOTARY_UNKNOWN_ID',
    });
  });

  it.each([
    [
      'Error: HTTP status code: 403. A required agreement is missing or has expired. …',
      69,
      'NOTARY_AGREEMENT',
      'RefusedError',
    ],
    [
      'Error: HTTPError(statusCode: nil, error: Error Domain=NSURLErrorDomain Code=-1001)',
      1,
      'NETWORK_TIMEOUT',
      'NetworkError',
    ],
  ])('that says %j', async (stderr, exitCode, code, name) => {
    machine.playFaults({ tool: 'notarytool', stderr, exitCode });
    await expect(submit()).rejects.toMatchObject({ code, name });
  });

  it('refuses a key that is revoked', async () => {
    const access = machine.access();
    const revoked = { ...access, key: { ...access.key, keyId: 'REVOKED000' } };
    await expect(submit(revoked)).rejects.toMatchObject({ code: 'NOTARY_CREDENTIALS' });
  });
});

describe('stapler and the verifier', () => {
  const staple = async (path: string) =>
    tools.stapler(machine.access()).staple({ path }, { signal, tell: () => undefined, goOn: '' });
  const verify = async (path: string) => tools.verifier(machine.authority.trust).verify(path, { signal });

  it('says when a package has no signature to find a ticket by', async () => {
    await expect(staple(unsigned)).rejects.toMatchObject({ code: 'STAPLE_SIGNATURE' });
  });

  it('that reports success without a ticket is found out', async () => {
    machine.playFaults({ tool: 'stapler', exitCode: 0 });
    await expect(staple(signed.path)).rejects.toMatchObject({ code: 'STAPLE_INVALID' });
  });

  it('fails every check of an unsigned package, each with its reason', async () => {
    expect(await verify(unsigned)).toEqual([
      { id: 'apple.signature', status: 'fail', reason: 'pkgutil: no signature' },
      { id: 'apple.gatekeeper', status: 'fail', reason: 'spctl: rejected, source=no usable signature' },
      { id: 'apple.ticket', status: 'fail', reason: expect.stringContaining('code signature') },
    ]);
  });

  it('believes Gatekeeper only when words and exit code agree', async () => {
    machine.playFaults({ tool: 'spctl', exitCode: 3, stderr: 'a.pkg: accepted\nsource=Notarized Developer ID\n' });
    const [, gatekeeper] = await verify(signed.path);
    expect(gatekeeper).toMatchObject({ id: 'apple.gatekeeper', status: 'fail' });
  });

  it('takes no tool’s silence for a yes', async () => {
    const silent = ['pkgutil', 'spctl'].map((tool) => ({ tool, exitCode: 0 }));
    machine.playFaults(...silent);
    expect((await verify(signed.path)).map(({ status }) => status)).toEqual(['fail', 'fail', 'fail']);
  });
});
