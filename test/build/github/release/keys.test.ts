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

  it.each(['application', 'installer'] as const)('asks for both roles, and so for that of the %s', (role) => {
    const [other] = Object.keys(externally(COMMANDS.aws).signing.externalSigner).filter((name) => name !== role);
    const mixed = (change: object, command: readonly string[] = COMMANDS.aws) => {
      const good = externally(COMMANDS.aws);
      const changed = externally(command, change).signing.externalSigner[role];
      return {
        ...good,
        signing: { ...good.signing, externalSigner: { ...good.signing.externalSigner, [role]: changed } },
      };
    };
    expect(keysOf('aws', mixed({}))).toBe('aws');
    for (const wrong of [
      mixed({}, COMMANDS.azure),
      mixed({ hashes: ['sha1'] }),
      mixed({ hashes: [] }),
      mixed({ certificates: `certificates/${other}.pem` }),
    ])
      expect(() => keysOf('aws', wrong)).toThrow(`externalSigner.${role}.`);
  });

  // AWS: partition, region, twelve digits of the account, id or name of a multi-region key. Azure: vault, name, version if one is given.
  const address = (service: 'aws' | 'azure', key: string) => () =>
    keysOf(service, externally([...COMMANDS[service].slice(0, 2), key]));
  const [ARN, VAULT] = ['arn:aws:kms:eu-central-1:111122223333:key/', 'https://a-1.vault.azure.net/keys/'];
  it.each<['aws' | 'azure', string]>([
    ['aws', `${ARN}1234abcd-12ab-34cd-56ef-1234567890AB`],
    ['aws', 'arn:aws-us-gov:kms:us-gov-west-1:000000000000:key/mrk-9'],
    ['aws', 'arn:aws-cn:kms:cn-north-1:999999999999:key/Z'],
    ['azure', `${VAULT}Code-9`],
    ['azure', `${VAULT}code/0123456789abcdef`],
    ['azure', 'https://Z9.vault.azure.net/keys/z'],
  ])('takes for a key of %s %s', (service, key) => expect(address(service, key)()).toBe(service));

  it.each<['aws' | 'azure', string]>([
    ['aws', `x${ARN}a`], ['aws', ARN], ['aws', `${ARN}a/b`], ['aws', `${ARN}a_b`], ['aws', `${ARN}a `], ['aws', `${ARN.replace('arn', 'ARN')}a`],
    ['aws', 'arn:aws:kms:eu-central-1:11112222333:key/a'], ['aws', 'arn:aws:kms:eu-central-1:1111222233334:key/a'], ['aws', 'arn:aws:kms:eu-central-1:11112222333a:key/a'],
    ['aws', 'arn:aws:kms::111122223333:key/a'], ['aws', 'arn:aws:kms:eu_central:111122223333:key/a'], ['aws', 'arn:aws1:kms:eu-central-1:111122223333:key/a'],
    ['aws', 'arn:aws:s3:eu-central-1:111122223333:key/a'], ['aws', 'arn:aws:kms:eu-central-1:111122223333:alias/a'],
    ['azure', VAULT], ['azure', `x${VAULT}a`], ['azure', `${VAULT}a/`], ['azure', `${VAULT}a/xyz`], ['azure', `${VAULT}a/0A`], ['azure', `${VAULT}a/0/1`], ['azure', `${VAULT}a_b`],
    ['azure', 'https://.vault.azure.net/keys/a'], ['azure', 'https://a.b.vault.azure.net/keys/a'], ['azure', 'https://axvault.azure.net/keys/a'], ['azure', 'https://a.vaultxazure.net/keys/a'],
    ['azure', 'https://a.vault.azurexnet/keys/a'], ['azure', 'http://a.vault.azure.net/keys/a'], ['azure', 'https://a.vault.azure.net/secrets/a'],
  ])('does not take for a key of %s %s', (service, key) => {
    expect(address(service, key)).toThrow(expect.objectContaining({ code: 'SIGNING_KEYS' }));
  }); // biome-ignore format: a table
});
