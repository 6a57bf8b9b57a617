import { describe, expect, it } from 'vitest';
import { keysOf } from '../../../../build/github/release/keys.ts';
import { readConfig } from '../../../../build/plan/config.ts';

const config = await readConfig('.');
const COMMANDS = {
  aws: ['sh', 'build/signers/aws-kms.sh', 'arn:aws:kms:eu-central-1:111122223333:key/mrk-1234abcd'],
  azure: ['sh', 'build/signers/azure-key-vault.sh', 'https://example-vault.vault.azure.net/keys/code/0a1b'],
};
/** The configuration with both keys reached by a command. */
function externally(command: readonly string[], change: object = {}, toolchain: 'portable' | 'apple' = 'portable') {
  const identityOf = (role: 'application' | 'installer') => ({
    command: [...command],
    certificates: `certificates/${role}.pem`,
    hashes: ['sha256' as const],
    environment: [],
    ...change,
  });
  return {
    ...config,
    signing: {
      ...config.signing,
      toolchain,
      externalSigner: { application: identityOf('application'), installer: identityOf('installer') },
    },
  };
}

const onMac: typeof config = { ...config, signing: { ...config.signing, toolchain: 'apple' } };

describe('keysOf', () => {
  it('is stored when nothing is chosen, and the service that both variable and configuration name', () => {
    expect([undefined, '', 'stored'].map((chosen) => keysOf(chosen, config))).toEqual(['stored', 'stored', 'stored']);
    expect(keysOf('aws', externally(COMMANDS.aws))).toBe('aws');
    expect(keysOf('azure', externally(COMMANDS.azure))).toBe('azure');
    expect(keysOf('keychain', onMac)).toBe('keychain');
  });

  it.each<[string, string | undefined, ReturnType<typeof externally> | typeof config]>([
    ['a service nobody knows', 'gcp', config],
    ['two at once', 'aws,azure', externally(COMMANDS.aws)],
    ['another case of letters', 'AWS', externally(COMMANDS.aws)],
    ['a service without its configuration', 'aws', config],
    ['the configuration of another service', 'aws', externally(COMMANDS.azure)],
    ['a configuration that nobody chose', undefined, externally(COMMANDS.aws)],
    ['a configuration beside stored keys', 'stored', externally(COMMANDS.azure)],
    ['codesign, which takes no key of a service', 'aws', externally(COMMANDS.aws, {}, 'apple')],
    ['SHA-1, which no service signs', 'aws', externally(COMMANDS.aws, { hashes: ['sha1', 'sha256'] })],
    ['a keychain without a Mac', 'keychain', config],
    ['a Mac that nobody chose', '', onMac],
    ['a keychain beside a service', 'keychain', externally(COMMANDS.aws, {}, 'apple')],
    ['another certificate than that of the project', 'aws', externally(COMMANDS.aws, { certificates: 'c.pem' })],
    ['a script of its own', 'aws', externally(['sh', 'other.sh', COMMANDS.aws[2]!])],
    ['another shell', 'aws', externally(['bash', ...COMMANDS.aws.slice(1)])],
    ['a word more', 'aws', externally([...COMMANDS.aws, '--profile=x'])],
    ['no key', 'aws', externally(COMMANDS.aws.slice(0, 2))],
    ['an alias, which may be moved to another key', 'aws', externally([...COMMANDS.aws.slice(0, 2), 'alias/code'])],
    [
      'a vault of somebody',
      'azure',
      externally([...COMMANDS.azure.slice(0, 2), 'https://vault.example.com/keys/code']),
    ],
    [
      'a vault whose name is in another',
      'azure',
      externally([...COMMANDS.azure.slice(0, 2), 'https://x.vault.azure.net.example.com/keys/code']),
    ],
  ])('refuses %s', (_, chosen, given) => {
    expect(() => keysOf(chosen, given)).toThrow(expect.objectContaining({ code: 'SIGNING_KEYS' }));
  });
});
