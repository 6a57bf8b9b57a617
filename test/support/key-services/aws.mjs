#!/usr/bin/env node
// A stand-in for `aws kms sign` and `aws kms get-public-key` with one RSA key. Source: AWS CLI command reference, kms sign and
// get-public-key; AWS KMS developer guide, "Offline verification". It takes what those pages name and nothing else.
import { constants, createPrivateKey, createPublicKey, privateEncrypt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { keysOf } from './federation.mjs';

const refuse = (words, status = 254) => {
  process.stderr.write(`\nAn error occurred (${words}) when calling the Sign operation\n`);
  process.exit(status);
};
const [service, operation, ...rest] = process.argv.slice(2);
const options = {};
for (let at = 0; at < rest.length; at += 2) {
  if (!rest[at].startsWith('--') || rest[at + 1] === undefined || rest[at] in options)
    refuse(`Unknown options: ${rest[at]}`, 252);
  options[rest[at]] = rest[at + 1];
}
const take = (name) => {
  const value = options[name];
  if (value === undefined) refuse(`the following arguments are required: ${name}`, 252);
  delete options[name];
  return value;
};
if (service !== 'kms' || !['sign', 'get-public-key'].includes(operation))
  refuse(`argument operation: Invalid choice: ${operation}`, 252);
// Without credentials in the environment the command line takes the web identity, if files of configuration say nothing else.
const entry = () => {
  const {
    AWS_WEB_IDENTITY_TOKEN_FILE: file,
    AWS_ROLE_ARN: as,
    AWS_CONFIG_FILE,
    AWS_SHARED_CREDENTIALS_FILE,
  } = process.env;
  if ([AWS_CONFIG_FILE, AWS_SHARED_CREDENTIALS_FILE].some((one) => one !== '/dev/null')) refuse('a stray profile');
  return { token: readFileSync(file, 'utf8'), as, audience: 'sts.amazonaws.com', region: process.env.AWS_REGION };
};
const keyFile = keysOf(entry, refuse)[take('--key-id')];
if (!keyFile) refuse('NotFoundException');
const key = createPrivateKey(readFileSync(keyFile));
const field = { sign: 'Signature', 'get-public-key': 'PublicKey' }[operation];
if (take('--output') !== 'text' || take('--query') !== field) refuse('Bad value for --query or --output', 252);
let answer;
if (operation === 'get-public-key') answer = createPublicKey(key).export({ type: 'spki', format: 'der' });
else {
  const message = take('--message');
  if (!message.startsWith('fileb://')) refuse('Invalid base64', 252);
  const digest = readFileSync(message.slice('fileb://'.length));
  // RAW would hash the digest once more: the signature would be over something else.
  if (take('--message-type') !== 'DIGEST') refuse('ValidationException: this stand-in signs digests alone');
  if (take('--signing-algorithm') !== 'RSASSA_PKCS1_V1_5_SHA_256') refuse('InvalidKeyUsageException');
  if (digest.length !== 32)
    refuse('ValidationException: Digest is invalid length for algorithm RSASSA_PKCS1_V1_5_SHA_256.');
  const info = Buffer.concat([Buffer.from('3031300d060960864801650304020105000420', 'hex'), digest]);
  answer = privateEncrypt({ key, padding: constants.RSA_PKCS1_PADDING }, info);
}
if (Object.keys(options).length > 0) refuse(`Unknown options: ${Object.keys(options).join(', ')}`, 252);
process.stdout.write(`${answer.toString('base64')}\n`);
