#!/usr/bin/env node
// A stand-in for `az keyvault key sign` with one RSA key. Source: Azure CLI reference, az keyvault key sign; Key Vault REST
// reference, keys/sign (2025-07-01). It takes what those pages name and nothing else.
import { constants, createPrivateKey, privateEncrypt } from 'node:crypto';
import { readFileSync } from 'node:fs';

const KEY_ID = 'https://example-vault.vault.azure.net/keys/installer';
const refuse = (words, status = 1) => {
  process.stderr.write(`ERROR: ${words}\n`);
  process.exit(status);
};
const [, , group, noun, verb, ...rest] = process.argv;
if ([group, noun, verb].join(' ') !== 'keyvault key sign')
  refuse(`'${verb}' is misspelled or not recognized by the system.`, 2);
const options = {};
for (let at = 0; at < rest.length; at += 2) {
  if (!['--id', '--algorithm', '--digest', '--query', '--output'].includes(rest[at]))
    refuse(`unrecognized arguments: ${rest[at]}`, 2);
  options[rest[at]] = rest[at + 1];
}
if (options['--id'] !== KEY_ID) refuse('(KeyNotFound) A key with (name/id) was not found in this key vault.', 3);
if (options['--algorithm'] !== 'RS256') refuse('(BadParameter) Key and signing algorithm are incompatible.');
if (options['--query'] !== 'signature' || options['--output'] !== 'tsv')
  refuse('this stand-in prints the signature alone');
const text = options['--digest'] ?? '';
if (!/^[A-Za-z0-9+/]{43}=$/.test(text)) refuse('(BadParameter) Invalid length of value: 32 bytes expected for RS256.');
const key = createPrivateKey(readFileSync(process.env.KEY_SERVICE_KEY));
const info = Buffer.concat([Buffer.from('3031300d060960864801650304020105000420', 'hex'), Buffer.from(text, 'base64')]);
const signature = privateEncrypt({ key, padding: constants.RSA_PKCS1_PADDING }, info).toString('base64');
// Releases differ in the alphabet; the recipe must take both.
process.stdout.write(
  `${process.env.KEY_SERVICE_URL_ALPHABET ? signature.replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '') : signature}\n`,
);
