import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import { initializeCA, initializeTLog } from '@sigstore/mock';
import type { AttestationTrust } from '../../../build/evidence/attestation.ts';
import { PROVENANCE_TYPE } from '../../../build/evidence/provenance.ts';

/** The workflow that attests. */
export const SIGNER = 'https://github.com/example/escrow-buddy/.github/workflows/release.yml@refs/heads/main';
const ISSUER = 'https://token.actions.githubusercontent.com';
const pair = (namedCurve = 'P-256') => generateKeyPairSync('ec', { namedCurve });
const sha256 = (data: Buffer | string) => createHash('sha256').update(data);

/** What a log answers. Source: Rekor's interface, `LogEntry`. */
interface LogEntry {
  readonly body: string;
  readonly integratedTime: number;
  readonly logID: string;
  readonly logIndex: number;
  readonly verification: {
    readonly signedEntryTimestamp: string;
    readonly inclusionProof: {
      readonly logIndex: number;
      readonly rootHash: string;
      readonly treeSize: number;
      readonly checkpoint: string;
    };
  };
}

/**
 * A log of certificates; what the stand-in's own one writes is not read by Sigstore's library of today. Source: RFC 6962, 3.2 and
 * 3.3: what is signed and how it is written.
 */
function certificateLog() {
  const { privateKey, publicKey: key } = pair();
  const publicKey = key.export({ format: 'der', type: 'spki' });
  const logID = sha256(publicKey).digest();
  const number = (value: number | bigint, width: number) =>
    Buffer.from(value.toString(16).padStart(width * 2, '0'), 'hex');
  const log = async (certificate: ArrayBuffer, issuerID: ArrayBuffer): Promise<ArrayBuffer> => {
    const der = Buffer.from(certificate);
    // Certificate and TBSCertificate are sequences with lengths of two bytes.
    const toBeSigned = der.subarray(4, 8 + der.readUInt16BE(6));
    const time = number(Date.now(), 8);
    const entry = [number(1, 2), Buffer.from(issuerID), number(toBeSigned.length, 3), toBeSigned, number(0, 2)];
    const signature = sign('sha256', Buffer.concat([number(0, 2), time, ...entry]), privateKey);
    const head = [number(0, 1), logID, time, number(0, 2), number(0x0403, 2), number(signature.length, 2)];
    const stamp = Buffer.concat([...head, signature]);
    // The stand-in's authority puts the list's length in front, not that of its only member.
    return new Uint8Array(Buffer.concat([number(stamp.length, 2), stamp])).buffer;
  };
  return { publicKey, logID, log };
}

/** A certificate authority and logs as Sigstore runs them, by Sigstore's own stand-in. */
export async function sigstore() {
  const ctLog = certificateLog();
  const ca = await initializeCA(pair('P-384'), ctLog);
  const tlog = await initializeTLog('https://rekor.example.org', pair());
  const validFor = { start: '2020-01-01T00:00:00Z' };
  const log = (publicKey: Buffer, logID: Buffer) => ({
    baseUrl: 'https://rekor.example.org',
    hashAlgorithm: 'SHA2_256',
    publicKey: { rawBytes: publicKey.toString('base64'), keyDetails: 'PKIX_ECDSA_P256_SHA_256', validFor },
    logId: { keyId: logID.toString('base64') },
  });
  const trustedRoot = {
    mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
    tlogs: [log(tlog.publicKey, sha256(tlog.publicKey).digest())],
    ctlogs: [log(ctLog.publicKey, ctLog.logID)],
    timestampAuthorities: [],
    certificateAuthorities: [
      {
        subject: { organization: 'sigstore.mock', commonName: 'sigstore' },
        uri: 'https://ca.example.org',
        certChain: { certificates: [{ rawBytes: ca.rootCertificate.toString('base64') }] },
        validFor,
      },
    ],
  };

  /** Returns a bundle as `gh attestation download` writes one a line. */
  async function bundle(
    statement: object,
    { signer = SIGNER, issuer = ISSUER, type = 'application/vnd.in-toto+json' } = {},
  ) {
    const keys = pair();
    const publicKey = keys.publicKey.export({ format: 'der', type: 'spki' });
    const certificate = await ca.issueCertificate({
      publicKey,
      subjectAltName: signer,
      extensions: [{ oid: '1.3.6.1.4.1.57264.1.1', value: issuer, legacy: true }],
    });
    const payload = Buffer.from(JSON.stringify(statement));
    const head = `DSSEv1 ${type.length} ${type} ${payload.length} `;
    const signature = sign('sha256', Buffer.concat([Buffer.from(head), payload]), keys.privateKey).toString('base64');
    const envelope = {
      payload: payload.toString('base64'),
      payloadType: type,
      signatures: [{ sig: signature, keyid: '' }],
    };
    const pem = `-----BEGIN CERTIFICATE-----\n${certificate.toString('base64')}\n-----END CERTIFICATE-----\n`;
    const logged = await tlog.log({
      apiVersion: '0.0.1',
      kind: 'dsse',
      spec: {
        envelopeHash: { algorithm: 'sha256', value: sha256(JSON.stringify(envelope)).digest('hex') },
        payloadHash: { algorithm: 'sha256', value: sha256(payload).digest('hex') },
        signatures: [{ signature, verifier: Buffer.from(pem).toString('base64') }],
      },
    });
    const entry = Object.values(logged as Record<string, LogEntry>)[0] as LogEntry;
    const proof = entry.verification.inclusionProof;
    return {
      mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
      verificationMaterial: {
        certificate: { rawBytes: certificate.toString('base64') },
        tlogEntries: [
          {
            logIndex: String(entry.logIndex),
            logId: { keyId: Buffer.from(entry.logID, 'hex').toString('base64') },
            kindVersion: { kind: 'dsse', version: '0.0.1' },
            integratedTime: String(entry.integratedTime),
            inclusionPromise: { signedEntryTimestamp: entry.verification.signedEntryTimestamp },
            inclusionProof: {
              logIndex: String(proof.logIndex),
              rootHash: Buffer.from(proof.rootHash, 'hex').toString('base64'),
              treeSize: String(proof.treeSize),
              hashes: [],
              checkpoint: { envelope: proof.checkpoint },
            },
            canonicalizedBody: entry.body,
          },
        ],
      },
      dsseEnvelope: envelope,
    };
  }
  const trust: AttestationTrust = { trustedRoot: Buffer.from(JSON.stringify(trustedRoot)), signer: SIGNER };
  return { trust, bundle };
}

/** Returns what an attestation says of the file with this SHA-256. */
export const statementOf = (digest: string, predicateType = PROVENANCE_TYPE) => ({
  _type: 'https://in-toto.io/Statement/v1',
  subject: [{ name: 'Example.pkg', digest: { sha256: digest } }],
  predicateType,
  predicate: {},
});
