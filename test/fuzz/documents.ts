import {
  blobContent,
  MAGIC_BLOB_WRAPPER,
  MAGIC_EMBEDDED_SIGNATURE,
  parseSuperBlob,
  SLOT_CMS,
} from '../../src/code-signature/super-blob.ts';
import { TICKET_HASH_TYPES, verifyTicket } from '../../src/notary/ticket/ticket.ts';
import { parseDistribution, renderDistribution } from '../../src/package/distribution.ts';
import { NO_BUNDLE_LISTS, parsePackageInfo, renderPackageInfo } from '../../src/package/package-info.ts';
import { canonicalCms } from '../../src/pki/cms/canonical-cms.ts';
import { signCms } from '../../src/pki/cms/cms.ts';
import { parseCms } from '../../src/pki/cms/parse.ts';
import { verifyCms } from '../../src/pki/cms/verify.ts';
import {
  encodeTimestampRequest,
  parseTimestampResponse,
  verifyTimestampToken,
} from '../../src/pki/timestamp/timestamp-token.ts';
import { parseCertificate } from '../../src/pki/x509/certificate.ts';
import type { Finding } from '../../src/pki/x509/finding.ts';
import { makeTicket } from '../../src/rehearsal/ticket-maker.ts';
import { rehearsalTimestampAuthority } from '../../src/rehearsal/timestamp-authority.ts';
import { buildTrailer, parseTrailer } from '../../src/xar/trailer.ts';
import { readPropertyListDictionary } from '../../src/xml/read-property-list.ts';
import { parseXml } from '../../src/xml/xml.ts';
import { NOW, rehearsalSigner } from '../code-signature/signers.ts';
import { standingClock } from '../support/standing-clock.ts';
import { superBlob } from './code.ts';
import type { Reader } from './reader.ts';

/** A binary property list with every kind of value, made by Python's plistlib. */
const BINARY_LIST =
  'YnBsaXN0MDDTAQIDBAULXxASQ0ZCdW5kbGVJZGVudGlmaWVyUWFRZFtjb20uZXhhbXBsZaUGBwgJChABCSM/+AAAAAAAAEIAATNBxYF4AAAAANIMDQ4PUW5hAOkT//////////9hZeUIDyQmKDQ6PD1GSVJXWVxlAAAAAAAAAQEAAAAAAAAAEAAAAAAAAAAAAAAAAAAAAGg=';
const XML_LIST =
  '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">\n<plist version="1.0"><dict><key>a</key><array><integer>1</integer><real>1.5</real><true/><date>2023-11-14T22:13:20Z</date><data>AAE=</data></array><key>b &amp; c</key><string>é</string></dict></plist>';
const XML = '<?xml version="1.0" encoding="utf-8"?><a b="1" c=\'2\'><!-- no --><d>x &lt; y<![CDATA[z]]></d><e/></a>';
const CONTENT = Buffer.from('content');
/** What a time stamp is for. */
const STAMPED = Buffer.alloc(256, 3);
const SUBJECT = { hashType: TICKET_HASH_TYPES.sha1, digest: Buffer.alloc(20, 7) };

async function cms(): Promise<Buffer> {
  const blob = parseSuperBlob(await superBlob(), MAGIC_EMBEDDED_SIGNATURE).blobs.find(({ type }) => type === SLOT_CMS);
  return blobContent((blob as { data: Buffer }).data, MAGIC_BLOB_WRAPPER);
}

/** Without a time stamp or the issuers of the signer: most of another is those, and takes a library a millisecond. */
async function smallCms(): Promise<Buffer> {
  const { certificateChain, signer } = (await rehearsalSigner()).authority.identitySource('application');
  const certificate = parseCertificate(certificateChain[0] as Buffer);
  return signCms({ content: CONTENT, identity: { certificate, chain: [certificate], signer }, signingTime: NOW });
}

const said = ({ findings }: { readonly findings: readonly Finding[] }) =>
  findings.map(({ code, message }) => `${code} ${message}`).join('; ');

async function timestampResponse(): Promise<Buffer> {
  const { authority } = await rehearsalSigner();
  const clock = standingClock(NOW);
  return rehearsalTimestampAuthority(authority, clock).issueToken(encodeTimestampRequest(STAMPED, Buffer.alloc(8, 4)));
}

const packageInfo = () =>
  renderPackageInfo({
    identifier: 'com.example.a',
    version: '1.0',
    installLocation: '/Library',
    overwritePermissions: true,
    relocatable: false,
    postinstallAction: 'none',
    auth: 'root',
    payload: { numberOfFiles: 3, installKBytes: 4 },
    bundles: [{ path: 'A.bundle', id: 'com.example.a', version: '1' }],
    lists: { ...NO_BUNDLE_LISTS, upgradeBundle: ['com.example.a'] },
    scripts: [{ name: 'postinstall', file: './postinstall', timeoutSeconds: 600 }],
  });

const distribution = () =>
  renderDistribution({
    product: { id: 'com.example.a', version: '1.0' },
    title: 'A',
    minimumSystemVersion: '10.14.4',
    hostArchitectures: ['arm64', 'x86_64'],
    packages: [
      { id: 'com.example.a', version: '1.0', installKBytes: 4, member: 'com.example.a.pkg', versionedBundles: [] },
    ],
  });

export const DOCUMENTS: readonly Reader[] = [
  {
    name: 'cms',
    seeds: async () => [await cms(), await smallCms()],
    read: (data) => {
      const parsed = parseCms(data);
      return `${canonicalCms(parsed)?.equals(data)} ${said(verifyCms(parsed, CONTENT))}`;
    },
  },
  {
    name: 'certificate',
    seeds: async () => (await rehearsalSigner()).authority.chainOf('application').map(({ der }) => der),
    read: parseCertificate,
  },
  {
    name: 'timestamp',
    seeds: async () => [await timestampResponse()],
    // The token in it is read apart, below.
    read: (data) => `a token: ${parseTimestampResponse(data).token !== undefined}`,
  },
  {
    name: 'timestamp-token',
    seeds: async () => [parseTimestampResponse(await timestampResponse()).token as Buffer],
    read: async (data) => said(verifyTimestampToken(data, STAMPED, (await rehearsalSigner()).authority.trust)),
  },
  {
    name: 'ticket',
    seeds: async () => [makeTicket((await rehearsalSigner()).authority, [SUBJECT], NOW)],
    read: async (data) => {
      return said(verifyTicket(data, SUBJECT, (await rehearsalSigner()).authority.trust));
    },
  },
  {
    name: 'trailer',
    seeds: async () => [buildTrailer(Buffer.alloc(300, 5))],
    read: (data) => parseTrailer(data).kind,
  },
  {
    name: 'property-list',
    seeds: async () => [Buffer.from(XML_LIST)],
    read: readPropertyListDictionary,
  },
  {
    name: 'binary-property-list',
    seeds: async () => [Buffer.from(BINARY_LIST, 'base64')],
    read: readPropertyListDictionary,
  },
  { name: 'xml', seeds: async () => [Buffer.from(XML)], read: (data) => parseXml(data, 'Example') },
  { name: 'package-info', seeds: async () => [packageInfo()], read: parsePackageInfo },
  { name: 'distribution', seeds: async () => [distribution()], read: parseDistribution },
];
