#!/usr/bin/env node
// A stand-in for `az keyvault key sign` with one RSA key. Source: Azure CLI reference, az keyvault key sign; Key Vault REST
// reference, keys/sign (2025-07-01). It takes what those pages name and nothing else.
import { constants, createPrivateKey, privateEncrypt } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { keysOf } from './federation.mjs';

const refuse = (words, status = 1) => {
  process.stderr.write(`ERROR: ${words}\n`);
  process.exit(status);
};
if (process.argv[2] === 'login') logIn(process.argv.slice(3));
const [, , group, noun, verb, ...rest] = process.argv;
if ([group, noun, verb].join(' ') !== 'keyvault key sign')
  refuse(`'${verb}' is misspelled or not recognized by the system.`, 2);
const options = {};
for (let at = 0; at < rest.length; at += 2) {
  if (!['--id', '--algorithm', '--digest', '--query', '--output'].includes(rest[at]))
    refuse(`unrecognized arguments: ${rest[at]}`, 2);
  options[rest[at]] = rest[at + 1];
}
const entry = () => {
  const session = join(process.env.AZURE_CONFIG_DIR ?? '', 'session.json');
  if (!existsSync(session)) refuse("Please run 'az login' to setup account.");
  return { ...JSON.parse(readFileSync(session, 'utf8')), audience: 'api://AzureADTokenExchange' };
};
const keyFile = keysOf(entry, refuse)[options['--id']];
if (!keyFile) refuse('(KeyNotFound) A key with (name/id) was not found in this key vault.', 3);
if (options['--algorithm'] !== 'RS256') refuse('(BadParameter) Key and signing algorithm are incompatible.');
if (options['--query'] !== 'signature' || options['--output'] !== 'tsv')
  refuse('this stand-in prints the signature alone');
const text = options['--digest'] ?? '';
if (!/^[A-Za-z0-9+/]{43}=$/.test(text)) refuse('(BadParameter) Invalid length of value: 32 bytes expected for RS256.');
const key = createPrivateKey(readFileSync(keyFile));
const info = Buffer.concat([Buffer.from('3031300d060960864801650304020105000420', 'hex'), Buffer.from(text, 'base64')]);
const signature = privateEncrypt({ key, padding: constants.RSA_PKCS1_PADDING }, info).toString('base64');
// Releases differ in the alphabet; the recipe must take both.
process.stdout.write(
  `${process.env.KEY_SERVICE_URL_ALPHABET ? signature.replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '') : signature}\n`,
);

/** Source: Azure CLI reference, az login; its tips on arguments that are taken from a file by @. */
function logIn(words) {
  const [kind, ...given] = words;
  const flags = given.filter((word, at) => word.startsWith('--') && (given[at + 1] ?? '--').startsWith('--'));
  const optionOf = (name) => given[given.indexOf(name) + 1];
  if (kind !== '--service-principal' || flags.join() !== '--allow-no-subscriptions')
    refuse('unrecognized arguments', 2);
  const token = optionOf('--federated-token') ?? '';
  // A token as it stands would be in the list of processes.
  if (!token.startsWith('@')) refuse('this stand-in takes a token from a file alone', 2);
  if (!process.env.AZURE_CONFIG_DIR) refuse('this stand-in keeps no session under HOME', 2);
  const as = `${optionOf('--tenant')}/${optionOf('--username')}`;
  mkdirSync(process.env.AZURE_CONFIG_DIR, { recursive: true });
  const session = { token: readFileSync(token.slice(1), 'utf8'), as };
  writeFileSync(join(process.env.AZURE_CONFIG_DIR, 'session.json'), JSON.stringify(session));
  process.exit(0);
}
