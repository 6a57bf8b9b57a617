import { existsSync, readFileSync } from 'node:fs';
import { PipelineError } from '../../../src/base/errors.ts';
import { type KeychainItem, openItem, readKeychains, ToolFailure, writeKeychains } from './machine.ts';
import type { Printed } from './main.ts';
import { parseOptions } from './options.ts';

const COMMANDS: Readonly<Record<string, (argv: readonly string[]) => Promise<Printed>>> = {
  'create-keychain': createKeychain,
  'delete-keychain': deleteKeychain,
  'find-identity': findIdentity,
  import: importItems,
  'list-keychains': listKeychains,
  'set-key-partition-list': setPartitionList,
  'set-keychain-settings': setSettings,
  'unlock-keychain': unlock,
};

/** security(1): the commands of a temporary keychain, and `-i`, which reads them from standard input. */
export async function security(argv: readonly string[], stdin: string): Promise<Printed> {
  if (argv[0] === '-i') return interactive(stdin);
  const command = COMMANDS[argv[0] ?? ''];
  if (!command) throw new ToolFailure(1, `security: unknown command "${argv[0]}"`);
  return command(argv.slice(1));
}

/** The exit code is that of the last command; each failure is told on standard error. */
async function interactive(input: string): Promise<Printed> {
  let stdout = '';
  for (const line of input.split('\n').filter((text) => text !== '')) {
    const words = splitLine(line);
    try {
      stdout += (await security(words, '')).stdout ?? '';
    } catch (error) {
      if (!(error instanceof ToolFailure)) throw error;
      throw new ToolFailure(error.exitCode, `${error.message}\n${words[0]}: returned ${error.exitCode}`, stdout);
    }
  }
  return { stdout };
}

function splitLine(line: string): string[] {
  return [...line.matchAll(/"((?:[^"\\]|\\.)*)"|(\S+)/g)].map(([, quoted, plain]) =>
    quoted === undefined ? (plain as string) : quoted.replace(/\\(.)/g, '$1'),
  );
}

async function createKeychain(argv: readonly string[]): Promise<Printed> {
  const { rest, value } = parseOptions(argv, { '-p': 'value', '-P': 'none' });
  const state = readKeychains();
  const [path] = rest as [string];
  if (state.keychains[path]) {
    throw new ToolFailure(48, `security: SecKeychainCreate ${path}: A keychain with the same name already exists.`);
  }
  state.keychains[path] = { password: value('-p') ?? '', locked: false, items: [] };
  writeKeychains(state);
  return {};
}

async function deleteKeychain(argv: readonly string[]): Promise<Printed> {
  const { rest } = parseOptions(argv, {});
  const state = readKeychains();
  for (const path of rest) {
    if (!state.keychains[path]) {
      throw new ToolFailure(50, 'security: SecKeychainDelete: The specified keychain could not be found.');
    }
    delete state.keychains[path];
    state.searchList = state.searchList.filter((one) => one !== path);
  }
  writeKeychains(state);
  return {};
}

async function setSettings(argv: readonly string[]): Promise<Printed> {
  const { given, rest } = parseOptions(argv, { '-l': 'none', '-u': 'none', '-t': 'value' });
  if (given.size > 0) throw new Error('a keychain that locks itself is not played');
  keychainAt(rest[0]);
  return {};
}

async function unlock(argv: readonly string[]): Promise<Printed> {
  const { rest, value } = parseOptions(argv, { '-p': 'value', '-u': 'none' });
  const { state, keychain } = keychainAt(rest[0]);
  if (value('-p') !== keychain.password) {
    const problem = 'The user name or passphrase you entered is not correct.';
    throw new ToolFailure(51, `security: SecKeychainUnlock ${rest[0]}: ${problem}`);
  }
  keychain.locked = false;
  writeKeychains(state);
  return {};
}

async function importItems(argv: readonly string[]): Promise<Printed> {
  const { rest, value, given } = parseOptions(argv, {
    '-k': 'value',
    '-t': 'value',
    '-f': 'value',
    '-P': 'value',
    '-T': 'value',
    '-a': 'value',
    '-w': 'none',
    '-x': 'none',
    '-A': 'none',
  });
  const [file] = rest as [string];
  if (!existsSync(file)) {
    throw new ToolFailure(1, `security: Error reading infile ${file}: No such file or directory`);
  }
  const { state, keychain } = keychainAt(value('-k'));
  const p12 = readFileSync(file).toString('base64');
  const item = await readItem({ p12, password: value('-P') ?? '', allowed: given.get('-T') ?? [], partitioned: false });
  keychain.items.push(item);
  writeKeychains(state);
  return { stdout: '1 identity imported.\n' };
}

async function readItem(item: Omit<KeychainItem, 'role'>): Promise<KeychainItem> {
  if (item.p12 === '') throw importFailure('One or more parameters passed to a function were not valid.');
  const attempts = (['application', 'installer'] as const).map(async (role) => {
    await openItem({ ...item, role });
    return { ...item, role };
  });
  try {
    return await Promise.any(attempts);
  } catch (error) {
    const codes = (error as AggregateError).errors.map((one) =>
      one instanceof PipelineError ? one.code : String(one),
    );
    if (codes.every((code) => code.startsWith('IDENTITY_PASSWORD'))) {
      throw importFailure('MAC verification failed during PKCS12 import (wrong password?)');
    }
    if (codes.some((code) => /DAMAGED|NOT_P12|BASE64/.test(code))) throw importFailure('Unknown format in import.');
    throw new ToolFailure(1, `security: ${codes.join(', ')}`);
  }
}

const importFailure = (words: string) => new ToolFailure(1, `security: SecKeychainItemImport: ${words}`);

async function setPartitionList(argv: readonly string[]): Promise<Printed> {
  const { rest, value } = parseOptions(argv, {
    '-S': 'value',
    '-s': 'none',
    '-k': 'value',
    '-a': 'value',
    '-D': 'value',
    '-l': 'value',
    '-j': 'value',
    '-t': 'value',
    '-d': 'none',
    '-e': 'none',
    '-u': 'none',
    '-y': 'none',
  });
  const { state, keychain } = keychainAt(rest[0]);
  if (value('-k') !== keychain.password) {
    const problem = 'The user name or passphrase you entered is not correct.';
    throw new ToolFailure(1, `security: SecKeychainItemSetAccessWithPassword: ${problem}`);
  }
  for (const item of keychain.items) item.partitioned = value('-S') === 'apple-tool:,apple:';
  writeKeychains(state);
  return { stdout: 'keychain: partition list set\n' };
}

async function findIdentity(argv: readonly string[]): Promise<Printed> {
  const { rest } = parseOptions(argv, { '-v': 'none', '-p': 'value', '-s': 'value' });
  const { keychain } = keychainAt(rest[0]);
  const identities = await Promise.all(keychain.items.map(openItem));
  const lines = identities.map(
    ({ certificate }, index) => `  ${index + 1}) ${certificate.sha1} "${certificate.commonName}"\n`,
  );
  return { stdout: `${lines.join('')}     ${lines.length} valid identities found\n` };
}

async function listKeychains(argv: readonly string[]): Promise<Printed> {
  const { rest, has } = parseOptions(argv, { '-d': 'value', '-s': 'none' });
  const state = readKeychains();
  if (!has('-s')) return { stdout: state.searchList.map((path) => `    "${path}"\n`).join('') };
  writeKeychains({ ...state, searchList: [...rest] });
  return {};
}

function keychainAt(path: string | undefined) {
  const state = readKeychains();
  const keychain = state.keychains[path ?? ''];
  if (!keychain)
    throw new ToolFailure(50, 'security: SecKeychainCopySettings: The specified keychain could not be found.');
  return { state, keychain };
}
