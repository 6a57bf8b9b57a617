import { existsSync, readdirSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { InterruptedError } from '../../../../src/base/errors.ts';
import { Secret } from '../../../../src/base/secret.ts';
import { openPkcs12 } from '../../../../src/pki/identity/pkcs12.ts';
import { type KeychainItem, withKeychain } from '../../../../src/toolchain/apple/keychain/keychain.ts';
import {
  type AppleMachine,
  LOGIN_KEYCHAIN,
  makeAppleMachine,
  P12_PASSWORD,
} from '../../../support/apple-tools/apple-machine.ts';

let machine: AppleMachine;
let item: KeychainItem;

beforeAll(async () => {
  machine = await makeAppleMachine();
  item = { ...(await machine.identity('application')), tools: ['codesign'] };
});
afterAll(() => machine?.dispose());
beforeEach(() => {
  machine.clearCalls();
  machine.playFaults();
});

const commands = () => machine.calls().map(([, command]) => command);

/** After any run: no keychain, the search list of before, no file. */
function expectTidy(keychain?: string): void {
  expect(machine.keychains()).toEqual({ searchList: [LOGIN_KEYCHAIN], keychains: {} });
  if (keychain) expect(existsSync(dirname(keychain))).toBe(false);
}

describe('a temporary keychain', () => {
  it('holds the identity, for the given tool alone, in front of the search list, and is gone afterwards', async () => {
    let path = '';
    const result = await withKeychain([item], {}, async (keychain) => {
      path = keychain;
      const { searchList, keychains } = machine.keychains();
      expect(searchList).toEqual([keychain, LOGIN_KEYCHAIN]);
      expect(keychains[keychain]).toMatchObject({
        locked: false,
        items: [{ role: 'application', allowed: ['/usr/bin/codesign'], partitioned: true }],
      });
      expect(keychains[keychain]?.password).toMatch(/^[\w-]{32}$/);
      expect(readdirSync(dirname(keychain))).toEqual([]);
      return 'done';
    });
    expect(result).toBe('done');
    expectTidy(path);
  });

  it('shows neither password to other processes', async () => {
    let password = '';
    await withKeychain([item], {}, async (keychain) => {
      password = machine.keychains().keychains[keychain]?.password as string;
    });
    const words = machine.calls().flat().join('\n');
    expect(password).not.toBe('');
    expect(words).not.toContain(password);
    expect(words).not.toContain(P12_PASSWORD);
    expect(words).not.toContain('pass');
  });

  it('has another password each time, and is neither default nor locking', async () => {
    const passwords: (string | undefined)[] = [];
    for (let run = 0; run < 2; run++) {
      await withKeychain([item], {}, async (keychain) => {
        passwords.push(machine.keychains().keychains[keychain]?.password);
      });
    }
    expect(new Set(passwords).size).toBe(2);
    expect(commands()).not.toContain('default-keychain');
    const settings = machine.calls().find(([, command]) => command === 'set-keychain-settings');
    expect(settings).toHaveLength(3);
  });

  it('is removed when the work fails, whose error is what comes out', async () => {
    let path = '';
    const failure = withKeychain([item], {}, async (keychain) => {
      path = keychain;
      throw new RangeError('the work');
    });
    await expect(failure).rejects.toThrow(new RangeError('the work'));
    expectTidy(path);
  });

  it('is removed when the run is interrupted', async () => {
    const interruption = new AbortController();
    const failure = withKeychain([item], { signal: interruption.signal }, async () => {
      interruption.abort();
      throw new InterruptedError();
    });
    await expect(failure).rejects.toBeInstanceOf(InterruptedError);
    expectTidy();
  });

  it.each([
    [
      'create-keychain',
      'KEYCHAIN_EXISTS',
      'security: SecKeychainCreate x: A keychain with the same name already exists.',
    ],
    ['set-keychain-settings', 'TOOL_FAILED', 'security: something new'],
    [
      'import',
      'P12_PASSWORD',
      'security: SecKeychainItemImport: MAC verification failed during PKCS12 import (wrong password?)',
    ],
    ['find-identity', 'TOOL_FAILED', 'security: something new'],
  ])('is removed when %s fails', async (command, code, stderr) => {
    const secret = ['create-keychain', 'import'].includes(command);
    // Commands with secrets come in on standard input: by their order, -i is create, unlock, import, partition list.
    const nth = { 'create-keychain': 1, import: 3 }[command as 'import'] ?? 1;
    machine.playFaults(
      secret
        ? { tool: 'security', argv: '-i', times: nth, from: nth, stderr }
        : { tool: 'security', argv: command, stderr },
    );
    await expect(withKeychain([item], {}, async () => 'reached')).rejects.toMatchObject({ code });
    expectTidy();
  });

  it('is not taken for good when security says 0 and yet names a failure', async () => {
    const stderr = 'security: SecKeychainItemImport: Unknown format in import.\n';
    machine.playFaults({ tool: 'security', argv: '-i', times: 3, from: 3, exitCode: 0, stderr });
    await expect(withKeychain([item], {}, async () => 'reached')).rejects.toMatchObject({ code: 'P12_FORMAT' });
    expectTidy();
  });

  it('is not used when the identity is not in it after a silent import', async () => {
    machine.playFaults({ tool: 'security', argv: '-i', times: 3, from: 3, exitCode: 0 });
    await expect(withKeychain([item], {}, async () => 'reached')).rejects.toMatchObject({ code: 'KEYCHAIN_IDENTITY' });
    expectTidy();
  });

  it('gets a .p12 with the whole chain in the encryption that every macOS reads, under another password', async () => {
    await withKeychain([item], {}, async (keychain) => {
      const [imported] = machine.keychains().keychains[keychain]?.items ?? [];
      const data = Buffer.from(imported?.p12 as string, 'base64');
      const { certificates, keys } = await openPkcs12(data, new Secret(imported?.password as string), 'application');
      expect([certificates.length, keys.length]).toEqual([3, 1]);
      expect(imported?.password).not.toBe(P12_PASSWORD);
      // pbeWithSHAAnd3-KeyTripleDES-CBC, RFC 7292, appendix C; no PBES2.
      expect(data.includes(Buffer.from('2a864886f70d010c0103', 'hex'))).toBe(true);
      expect(data.includes(Buffer.from('2a864886f70d01050d', 'hex'))).toBe(false);
    });
  });

  it('refuses an identity whose key is elsewhere', async () => {
    const failure = withKeychain(
      [{ ...item, identity: { ...item.identity, privateKey: null } }],
      {},
      async () => 'reached',
    );
    await expect(failure).rejects.toMatchObject({ name: 'UsageError', code: 'IDENTITY_KEY_ELSEWHERE' });
    expectTidy();
  });

  it('waits for another one to end, so that each puts back what it found', async () => {
    const seen: number[] = [];
    const use = () =>
      withKeychain([item], {}, async () => {
        seen.push(machine.keychains().searchList.length);
      });
    await use();
    const alone = commands();
    machine.clearCalls();
    await Promise.all([use(), use()]);
    expect(commands()).toEqual([...alone, ...alone]);
    expect(seen).toEqual([2, 2, 2]);
    expectTidy();
  });

  it('does not wait for ever for one that failed', async () => {
    const failing = withKeychain([item], {}, () => Promise.reject(new RangeError('the work')));
    const ends = await Promise.allSettled([failing, withKeychain([item], {}, async () => 'done')]);
    expect(ends).toMatchObject([{ status: 'rejected' }, { value: 'done' }]);
  });

  it('may be gone before it is deleted', async () => {
    const stderr = 'security: SecKeychainDelete: The specified keychain could not be found.\n';
    const work = async (keychain: string) => {
      rmSync(dirname(keychain), { recursive: true });
      machine.playFaults({ tool: 'security', argv: 'delete-keychain', stderr });
    };
    expect(await withKeychain([item], {}, work)).toBeUndefined();
    machine.playFaults();
  });

  it('says when it could not be deleted, and puts the search list back all the same', async () => {
    const work = async () =>
      machine.playFaults({ tool: 'security', argv: 'delete-keychain', stderr: 'security: no\n' });
    await expect(withKeychain([item], {}, work)).rejects.toMatchObject({ code: 'TOOL_FAILED' });
    machine.playFaults();
    // security takes a keychain that it deletes out of the list; this one it did not.
    expect(machine.keychains().searchList).toEqual([LOGIN_KEYCHAIN]);
  });
});
