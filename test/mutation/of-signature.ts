import { constants, createHash, privateEncrypt } from 'node:crypto';
import { context, der, octetString, oid, sequence } from '../../src/pki/asn1/der.ts';
import { DIGEST_INFO_PREFIX, localSigner } from '../../src/pki/identity/signer.ts';
import type { RehearsalAuthority } from '../../src/rehearsal/authority.ts';
import { deflatedFile, directory } from '../../src/xar/write.ts';
import { rsaPair } from '../support/rsa-pairs.ts';
import type { Mutation } from './outcome.ts';
import { assemble, withGap } from './sample.ts';
import { type SignatureChange, tokenMaker, usualSignature } from './signing.ts';

const REGION = 'signature made anew';

/** Packages that are whole but for one thing about how they were signed. */
export function signatureMutations(authority: RehearsalAuthority, other: RehearsalAuthority): Mutation[] {
  const make = (what: string, expected: string[], change: SignatureChange): Mutation => ({
    region: REGION,
    what,
    expected,
    make: (sample) => assemble(sample, {}, usualSignature(authority, change)),
  });
  return [
    ...rsaCases(make, other),
    ...certificateCases(make, authority, other),
    ...timestampCases(make, authority, other),
    ...archiveCases(),
  ];
}

/** Things beside the package in its archive. */
function archiveCases(): Mutation[] {
  const add = (what: string, more: Parameters<typeof assemble>[3]): Mutation => ({
    region: REGION,
    what,
    expected: ['members'],
    make: (sample) => assemble(sample, {}, undefined, more),
  });
  const file = deflatedFile('Other', Buffer.from('hello'));
  return [
    add('a file beside the Distribution', { top: [file] }),
    add('a folder beside the component', { top: [directory('Resources', [file])] }),
    add('a file in the component', { inside: [file] }),
    { region: REGION, what: 'a gap in the heap', expected: ['heap-gaps'], make: withGap },
  ];
}

type Make = (what: string, expected: string[], change: SignatureChange) => Mutation;

function rsaCases(make: Make, other: RehearsalAuthority): Mutation[] {
  const { privateKey: stranger } = rsaPair();
  const raw = (content: Buffer) =>
    privateEncrypt({ key: other.members.installer.privateKey, padding: constants.RSA_PKCS1_PADDING }, content);
  const hashed = (hash: 'sha1' | 'sha256') => (digest: Buffer) => createHash(hash).update(digest).digest();
  return [
    make('RSA over SHA-1 of the digest (convention B)', ['package-rsa'], {
      rsa: (digest, signer) => signer.sign({ hash: 'sha1', digest: hashed('sha1')(digest) }),
    }),
    make('RSA over SHA-256 of the digest (convention C)', ['package-rsa'], {
      rsa: (digest, signer) => signer.sign({ hash: 'sha256', digest: hashed('sha256')(digest) }),
    }),
    make('RSA with the key of a stranger', ['package-rsa'], {
      rsa: (digest) => localSigner(stranger).sign({ hash: 'sha1', digest }),
    }),
    make('RSA over another digest', ['package-rsa'], {
      rsa: (_, signer) => signer.sign({ hash: 'sha1', digest: Buffer.alloc(20, 1) }),
    }),
    make('RSA of zero bytes', ['package-rsa'], { rsa: async () => Buffer.alloc(256) }),
    make('RSA by the same name of another authority', ['package-rsa'], {
      rsa: async (digest) => raw(Buffer.concat([DIGEST_INFO_PREFIX.sha1, digest])),
    }),
  ];
}

function certificateCases(make: Make, authority: RehearsalAuthority, other: RehearsalAuthority): Mutation[] {
  const { members } = authority;
  const chain = authority.chainOf('installer');
  const [leaf, intermediate, root] = chain as [(typeof chain)[0], (typeof chain)[0], (typeof chain)[0]];
  return [
    make('CMS by the certificate for code', ['package-role', 'package-key-info'], {
      cmsSigner: members.application,
      chain: authority.chainOf('application'),
    }),
    make('both by the certificate for code', ['package-role'], {
      cmsSigner: members.application,
      chain: authority.chainOf('application'),
      rsa: (digest) => localSigner(members.application.privateKey).sign({ hash: 'sha1', digest }),
    }),
    make('CMS by another authority', ['package-chain'], {
      cmsSigner: other.members.installer,
      chain: other.chainOf('installer'),
    }),
    make('chain without the intermediate', ['package-chain'], { chain: [leaf, root] }),
    make('chain without the root', ['package-chain', 'package-key-info'], {
      chain: [leaf, intermediate],
      keyInfo: chain,
    }),
    make('a certificate too many', ['package-chain'], { chain: [...chain, members.ticketRoot.certificate] }),
    make('KeyInfo of another leaf', ['package-rsa', 'package-key-info'], {
      keyInfo: [members.application.certificate, intermediate, root],
    }),
    make('KeyInfo with the leaf alone', ['package-key-info'], { keyInfo: [leaf] }),
    make('KeyInfo in another order', ['package-rsa', 'package-key-info'], { keyInfo: [root, intermediate, leaf] }),
    make('KeyInfo with a stranger behind the leaf', ['package-key-info'], {
      keyInfo: [leaf, other.members.root.certificate, root],
    }),
    make('CMS over other bytes', ['package-cms'], { signedContent: () => Buffer.alloc(20, 1) }),
    make('CMS over SHA-256 of the digest', ['package-cms'], {
      signedContent: (digest) => createHash('sha256').update(digest).digest(),
    }),
    make('CMS with the digest embedded', ['package-cms'], { cms: (cms, digest) => embedded(cms, digest) }),
    make('bytes behind the CMS', ['package-padding'], { cms: (cms) => Buffer.concat([cms, Buffer.from('hello')]) }),
    make('CMS twice', ['package-padding'], { cms: (cms) => Buffer.concat([cms, cms]), certificateRoom: 24_576 }),
    make('no CMS at all', ['package-cms'], { cms: () => Buffer.alloc(0) }),
    make('CMS cut off', ['package-cms', 'package-timestamp'], { cms: (cms) => cms.subarray(0, cms.length - 100) }),
  ];
}

/** id-data without content becomes id-data with content; nothing else is touched, so lengths are wrong as well. */
function embedded(cms: Buffer, content: Buffer): Buffer {
  const bare = sequence(oid('1.2.840.113549.1.7.1'));
  const at = cms.indexOf(bare);
  const full = sequence(oid('1.2.840.113549.1.7.1'), der(context(0), octetString(content)));
  return Buffer.concat([cms.subarray(0, at), full, cms.subarray(at + bare.length)]);
}

function timestampCases(make: Make, authority: RehearsalAuthority, other: RehearsalAuthority): Mutation[] {
  const token = tokenMaker(authority);
  const past = new Date(Date.now() - 20 * 365 * 24 * 3600 * 1000);
  const timestamp = ['package-timestamp'];
  return [
    make('no timestamp', timestamp, { timestamp: 'none' }),
    make('timestamp over another signature', timestamp, { timestamp: () => token(Buffer.from('another signature')) }),
    make('timestamp with a wrong imprint', timestamp, { timestampFault: { kind: 'wrong-imprint' } }),
    make('timestamp with a wrong signature', timestamp, { timestampFault: { kind: 'wrong-signature' } }),
    make('timestamp of another authority', timestamp, { timestamp: tokenMaker(other) }),
    make('timestamp of before the certificates', timestamp, { timestampFault: { kind: 'time', time: past } }),
    make('timestamp by the certificate for packages', timestamp, {
      timestampFault: { kind: 'signer', signer: authority.members.installer, chain: authority.chainOf('installer') },
    }),
    make('a CMS in place of the timestamp', timestamp, {
      timestamp: async (signature) => sequence(octetString(signature)),
    }),
  ];
}
