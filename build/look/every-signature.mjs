// Looks for every signature that the keys of a release made: each must lie in the finished packages, over what it lies beside.
//
//   APPLICATION='{"schema":1,...}' INSTALLER='{"schema":1,...}' node build/look/every-signature.mjs FOLDER
//
// Code of npm packages says which digests a key signs, so it could have one of something else signed; what the jobs with the keys
// handed out, they handed out without it. Node.js's own modules and not a line of this project's other code. Exit 0: all are there,
// and as many as slices and packages need. 6: what is not, one a line. 2: it could not be looked for.
// Sources: RFC 5652, section 5.4 (what a signature of CMS is over); xar/include/xar.h; cs_blobs.h (CodeDirectory).
import { createHash, publicDecrypt, X509Certificate } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { inflateRawSync } from 'node:zlib';

const GZIP = Buffer.from([0x1f, 0x8b, 0x08]);
// Of gzip without a name, in bytes; what follows its stream in the package is passed over.
const GZIP_HEADER = 10;
// Magic numbers of a signature of code, and of the CodeDirectory in it.
const CODE_SIGNATURE = Buffer.from('fade0cc0', 'hex');
const CODE_DIRECTORY = 0xfade0c02;
// DigestInfo up to the digest: RFC 8017, section 9.2.
const SHA1 = '3021300906052b0e03021a05000414';
const SHA256 = '3031300d060960864801650304020105000420';
// Name of the attribute messageDigest, and its one value up to the digest, where that is a SHA-256.
const MESSAGE_DIGEST = Buffer.from('06092a864886f70d010904', 'hex');
const ONE_SHA256 = Buffer.from('31220420', 'hex');
// How far the signed attributes lie before their signature at most, in bytes; those of code hold a property list.
const NEAR = 4096;
// x86_64 and arm64.
const SLICES = 2;

const [folder, ...more] = process.argv.slice(2);
if (folder === undefined || more.length > 0) stop('use: every-signature.mjs FOLDER');
const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.pkg'));
if (names.length === 0) stop(`no packages are in ${folder}`);
const packages = names.map((name) => readFileSync(join(folder, name)));
const ofCode = packages.flatMap(inflated).flatMap(codeSignatures);
const ofPackages = packages.map((bytes) => ({ bytes, content: checksumOf(bytes), checksum: checksumOf(bytes) }));
const findings = [
  ...look('APPLICATION', ofCode, [{ sha1: 0, sha256: SLICES }]),
  ...look(
    'INSTALLER',
    ofPackages,
    [0, names.length].map((sha1) => ({ sha1, sha256: names.length })),
  ),
];
for (const words of findings) process.stdout.write(`DIFFERS ${words}\n`);
// Not process.exit: what a pipe has not taken yet would be lost.
if (findings.length > 0) process.exitCode = 6;
else process.stdout.write(`every signature is in the ${names.length} packages\n`);

/** Returns what is wrong with the signatures of one key. `counts` are how many of each kind there may be, each in a place of its own. */
function look(name, places, counts) {
  const { key, signatures } = signedIn(name);
  const found = { sha1: new Map(), sha256: new Map() };
  const findings = [];
  for (const text of signatures) {
    const signature = Buffer.from(text, 'base64');
    const info = recover(key, signature);
    const [kind, head] = info.startsWith(SHA1) ? ['sha1', SHA1] : ['sha256', SHA256];
    const digest = Buffer.from(info.startsWith(head) ? info.slice(head.length) : '', 'hex');
    const place = places.find((one) => isIn(one, signature, kind, digest));
    if (place === undefined)
      findings.push(
        `${name}: a signature that no package needs: ${text.slice(0, 24)}... over ${digest.toString('hex')}`,
      );
    else if ((found[kind].get(place) ?? text) !== text)
      findings.push(`${name}: two signatures of one kind are in one place`);
    else found[kind].set(place, text);
  }
  if (counts.some(({ sha1, sha256 }) => found.sha1.size === sha1 && found.sha256.size === sha256)) return findings;
  return [
    ...findings,
    `${name}: ${found.sha256.size} signatures over SHA-256 and ${found.sha1.size} over SHA-1 were found`,
  ];
}

/** Returns what a signature says was signed, a DigestInfo in hexadecimal; nothing where it is not of this key. */
function recover(key, signature) {
  try {
    return publicDecrypt(key, signature).toString('hex');
  } catch {
    return '';
  }
}

/** Whether a signature lies in a place, and is over the checksum of that package, or over attributes beside it about its content. */
function isIn({ bytes, content, checksum }, signature, kind, digest) {
  for (let at = bytes.indexOf(signature); at !== -1; at = bytes.indexOf(signature, at + 1)) {
    if (kind === 'sha1' && checksum?.equals(digest)) return true;
    if (kind === 'sha256' && isAbout(bytes.subarray(Math.max(0, at - NEAR), at), content, digest)) return true;
  }
  return false;
}

/** Whether signed attributes with this digest stand among some bytes, and are about the content and nothing else. */
function isAbout(before, content, digest) {
  for (let at = before.lastIndexOf(0xa0); at !== -1; at = at > 0 ? before.lastIndexOf(0xa0, at - 1) : -1) {
    // They are signed as a SET: the tag is another one than where they stand.
    const attributes = Buffer.concat([Buffer.from([0x31]), before.subarray(at + 1, at + sizeOf(before, at))]);
    if (sha256(attributes).equals(digest)) return nameOnly(attributes, sha256(content));
  }
  return false;
}

/** Whether the one messageDigest of signed attributes is this one: in the value of another attribute it would say nothing. */
function nameOnly(attributes, digest) {
  const named = [];
  let at = attributes.length - insideOf(attributes, 0).length;
  while (at < attributes.length) {
    const attribute = insideOf(attributes, at);
    // Of the forms that a lenient reader takes for the same, only one is taken: SEQUENCE, then a name with a short length.
    if (attributes[at] !== 0x30 || attribute[0] !== 0x06 || attribute[1] >= 0x80) return false;
    if (attribute.indexOf(MESSAGE_DIGEST) === 0) named.push(attribute.subarray(MESSAGE_DIGEST.length));
    at += sizeOf(attributes, at);
  }
  return at === attributes.length && named.length === 1 && named[0].equals(Buffer.concat([ONE_SHA256, digest]));
}

/** What is in the DER value that begins at a place. */
function insideOf(bytes, at) {
  const first = bytes[at + 1] ?? 0;
  return bytes.subarray(at + 2 + (first < 0x80 ? 0 : Math.min(first - 0x80, 4)), at + sizeOf(bytes, at));
}

/** Size of the DER value that begins at a place, with tag and length. */
function sizeOf(bytes, at) {
  const first = bytes[at + 1] ?? 0;
  if (first < 0x80) return 2 + first;
  const digits = Math.min(first - 0x80, 4);
  return 2 + digits + (digits > 0 && at + 2 + digits <= bytes.length ? bytes.readUIntBE(at + 2, digits) : 0);
}

/** Returns every signature of code that is in no other one: its bytes, and its CodeDirectory, which comes first in it. */
function codeSignatures(bytes) {
  const found = [];
  let at = bytes.indexOf(CODE_SIGNATURE);
  while (at !== -1 && at + 20 <= bytes.length) {
    const whole = bytes.subarray(at, at + Math.max(20, bytes.readUInt32BE(at + 4)));
    const place = whole.readUInt32BE(16);
    const isDirectory = place + 8 <= whole.length && whole.readUInt32BE(place) === CODE_DIRECTORY;
    if (isDirectory) {
      const content = whole.subarray(place, place + whole.readUInt32BE(place + 4));
      found.push({ bytes: whole, content, checksum: null });
    }
    at = bytes.indexOf(CODE_SIGNATURE, at + (isDirectory ? whole.length : 1));
  }
  return found;
}

/** Returns the SHA-1 of the table of contents, which xar signs: it is made anew, not read. */
function checksumOf(file) {
  const size = file.length >= 16 ? Number(file.readBigUInt64BE(8)) : 0;
  return createHash('sha1')
    .update(file.subarray(28, 28 + size))
    .digest();
}

/** Returns what is compressed with gzip in a package: payload and scripts; whatever only looks so is passed over. */
function inflated(file) {
  const contents = [];
  for (let at = file.indexOf(GZIP); at !== -1; at = file.indexOf(GZIP, at + 1)) {
    try {
      contents.push(inflateRawSync(file.subarray(at + GZIP_HEADER)));
    } catch {}
  }
  return contents;
}

function signedIn(name) {
  try {
    const { certificate, signatures } = JSON.parse(process.env[name]);
    const key = new X509Certificate(Buffer.from(certificate, 'base64')).publicKey;
    if (Array.isArray(signatures)) return { key, signatures };
  } catch {}
  return stop(`the variable ${name} does not hold what a key signed`);
}

function sha256(bytes) {
  return createHash('sha256').update(bytes).digest();
}

function stop(words) {
  process.stderr.write(`every signature: ${words}\n`);
  process.exit(2);
}
