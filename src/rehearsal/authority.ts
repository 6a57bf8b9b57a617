import { createPrivateKey, generateKeyPair, type KeyObject, randomBytes } from 'node:crypto';
import { access, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { UsageError } from '../base/errors.ts';
import { makeFolder } from '../base/place/folder.ts';
import { APPLE, KEY_PURPOSE, NAME } from '../pki/asn1/oids.ts';
import { localSigner, type Signer } from '../pki/identity/signer.ts';
import type { Trust } from '../pki/x509/apple-roots.ts';
import { type Certificate, parseCertificate } from '../pki/x509/certificate.ts';
import { makeCertificate } from './certificate-maker.ts';

/** Team identifier of everything that is signed in a rehearsal. */
export const REHEARSAL_TEAM = 'REHEARSAL0';
/** Folder of the rehearsal's certificate authority; ignored by git. */
export const REHEARSAL_FOLDER = '.rehearsal';

/** A certificate with its private key. */
export interface KeyedCertificate {
  readonly certificate: Certificate;
  readonly privateKey: KeyObject;
}

/** A throw-away certificate authority in the shape of Apple's. No Mac trusts anything it signs. */
export interface RehearsalAuthority {
  readonly folder: string;
  /** Both rehearsal roots, and nothing else. */
  readonly trust: Trust;
  /** What `loadIdentity` takes as `certificateChain` and `signer`. */
  identitySource(role: 'application' | 'installer'): { certificateChain: readonly Buffer[]; signer: Signer };
  /** Each certificate with its key, to sign tokens and tickets with, and to make test identities. */
  readonly members: Readonly<Record<MemberName, KeyedCertificate>>;
  /** Leaf, intermediate, root. */
  chainOf(leaf: 'application' | 'installer' | 'timestamp' | 'ticket'): readonly Certificate[];
}

type MemberName = keyof typeof PLANS;

const MARKED = 'REHEARSAL ONLY, trusted by no Mac';
const CERT_SIGN = 0x06; // keyCertSign, cRLSign
const DIGITAL_SIGNATURE = 0x80;
const P256 = 'prime256v1';

interface Plan {
  readonly name: string;
  /** Team identifier in the subject: leaves of Developer ID. */
  readonly team?: boolean;
  /** undefined: signs itself. */
  readonly issuer?: string;
  /** undefined: RSA 2048. */
  readonly curve?: string;
  /** CAs allowed below, for an authority. */
  readonly pathLength?: number;
  readonly purpose?: string;
  readonly mark?: string;
}

/** Shapes of Apple's own certificates: extensions, critical flags and keys as in those of src/pki/x509/apple-certificates.ts. */
const PLANS = {
  root: { name: `REHEARSAL Root CA (${MARKED})`, pathLength: 1 },
  developerIdAuthority: {
    name: `REHEARSAL Developer ID Certification Authority (${MARKED})`,
    issuer: 'root',
    pathLength: 0,
    mark: APPLE.developerIdAuthority,
  },
  application: {
    name: `Developer ID Application: ${MARKED} (${REHEARSAL_TEAM})`,
    team: true,
    issuer: 'developerIdAuthority',
    purpose: KEY_PURPOSE.codeSigning,
    mark: APPLE.developerIdApplication,
  },
  installer: {
    name: `Developer ID Installer: ${MARKED} (${REHEARSAL_TEAM})`,
    team: true,
    issuer: 'developerIdAuthority',
    purpose: KEY_PURPOSE.installerPackageSigning,
    mark: APPLE.developerIdInstaller,
  },
  timestampAuthority: {
    name: `REHEARSAL Timestamp Certification Authority (${MARKED})`,
    issuer: 'root',
    pathLength: 0,
    mark: APPLE.timestampAuthority,
  },
  timestamp: {
    name: `REHEARSAL Timestamp Signer (${MARKED})`,
    issuer: 'timestampAuthority',
    purpose: KEY_PURPOSE.timeStamping,
  },
  ticketRoot: { name: `REHEARSAL Root CA - G3 (${MARKED})`, curve: 'secp384r1', pathLength: 1 },
  ticketAuthority: {
    name: `REHEARSAL System Integration CA (${MARKED})`,
    issuer: 'ticketRoot',
    curve: P256,
    pathLength: 0,
    mark: APPLE.systemIntegrationAuthority,
  },
  ticket: {
    name: `REHEARSAL Software Ticket Signing (${MARKED})`,
    issuer: 'ticketAuthority',
    curve: P256,
    mark: APPLE.ticketSigning,
  },
} as const satisfies Readonly<Record<string, Plan>>;

const CHAINS = {
  application: ['application', 'developerIdAuthority', 'root'],
  installer: ['installer', 'developerIdAuthority', 'root'],
  timestamp: ['timestamp', 'timestampAuthority', 'root'],
  ticket: ['ticket', 'ticketAuthority', 'ticketRoot'],
} as const satisfies Record<string, readonly MemberName[]>;

const NAMES = Object.keys(PLANS) as MemberName[];
const YEARS_VALID = 10;

/**
 * Returns the rehearsal authority kept in a folder, making it on first use.
 *
 * The keys are made in a folder beside and renamed into place, so that of two first uses at once one wins and both get the
 * same authority. Folder mode 0700, files 0600.
 *
 * @param folder such as `.rehearsal`; keep it out of version control
 * @returns the authority; throws UsageError when the folder holds something that cannot be read
 * @example const authority = await openRehearsalAuthority('.rehearsal');
 */
export async function openRehearsalAuthority(folder: string): Promise<RehearsalAuthority> {
  const home = join(folder, 'authority');
  if (!(await exists(home))) await establish(folder, home);
  return assemble(folder, await loadMembers(home));
}

const exists = (path: string) =>
  access(path).then(
    () => true,
    () => false,
  );

async function establish(folder: string, home: string): Promise<void> {
  await makeFolder(folder, 0o700);
  const beside = join(folder, `.authority-${randomBytes(6).toString('hex')}`);
  await mkdir(beside, { mode: 0o700 });
  try {
    await saveMembers(beside, (await makeRehearsalAuthority(new Date())).members);
    await rename(beside, home);
  } catch (error) {
    await rm(beside, { recursive: true, force: true });
    // Another run came first: rename does not replace a folder that holds files.
    if (!(await exists(home))) throw error;
  }
}

/**
 * Returns a complete authority in memory, its keys new.
 *
 * @param now certificates are valid from a day before, for ten years
 */
export async function makeRehearsalAuthority(now: Date): Promise<RehearsalAuthority> {
  return assemble('', await makeMembers(now));
}

async function makeMembers(now: Date): Promise<Record<MemberName, KeyedCertificate>> {
  const keys = await Promise.all(NAMES.map((name) => newKey(PLANS[name])));
  const members = {} as Record<MemberName, KeyedCertificate>;
  for (const [index, name] of NAMES.entries()) {
    const plan: Plan = PLANS[name];
    const { publicKey, privateKey } = keys[index] as { publicKey: KeyObject; privateKey: KeyObject };
    const issuer = plan.issuer ? members[plan.issuer as MemberName] : { certificate: undefined, privateKey };
    members[name] = { certificate: makeCertificate(certificatePlan(plan, publicKey, now), issuer), privateKey };
  }
  return members;
}

const generate = promisify(generateKeyPair);

/** Each key on a thread of its own; an RSA key of 2048 bits takes some tens of milliseconds. */
function newKey(plan: Plan): Promise<{ publicKey: KeyObject; privateKey: KeyObject }> {
  return plan.curve ? generate('ec', { namedCurve: plan.curve }) : generate('rsa', { modulusLength: 2048 });
}

function certificatePlan(plan: Plan, publicKey: KeyObject, now: Date) {
  const authority = plan.pathLength !== undefined;
  const day = 24 * 3600 * 1000;
  const notAfter = new Date(now);
  notAfter.setUTCFullYear(now.getUTCFullYear() + YEARS_VALID);
  return {
    subject: [
      ...(plan.team ? ([[NAME.userId, REHEARSAL_TEAM]] as const) : []),
      [NAME.commonName, plan.name] as const,
      ...(plan.team ? ([[NAME.organizationalUnit, REHEARSAL_TEAM]] as const) : []),
      [NAME.organization, 'REHEARSAL ONLY'] as const,
      // A country code that ISO 3166 leaves to users: nobody's.
      [NAME.country, 'ZZ'] as const,
    ],
    publicKey,
    notBefore: new Date(now.getTime() - day),
    notAfter,
    authority,
    keyUsage: authority ? CERT_SIGN : DIGITAL_SIGNATURE,
    ...(plan.pathLength !== undefined && { pathLength: plan.pathLength }),
    ...(plan.purpose && { extendedKeyUsage: [plan.purpose] }),
    // Apple's marks of the two Developer ID leaves are critical, those of authorities and of the ticket signer are not.
    ...(plan.mark && { marks: [{ oid: plan.mark, critical: plan.team === true }] }),
  };
}

async function saveMembers(home: string, members: Record<MemberName, KeyedCertificate>): Promise<void> {
  for (const name of NAMES) {
    const { certificate, privateKey } = members[name];
    const key = privateKey.export({ type: 'pkcs8', format: 'pem' });
    await writeFile(join(home, `${name}.key.pem`), key, { mode: 0o600 });
    await writeFile(join(home, `${name}.cer`), certificate.der, { mode: 0o600 });
  }
}

async function loadMembers(home: string): Promise<Record<MemberName, KeyedCertificate>> {
  try {
    const loaded = NAMES.map(async (name): Promise<[MemberName, KeyedCertificate]> => {
      const certificate = parseCertificate(await readFile(join(home, `${name}.cer`)));
      const privateKey = createPrivateKey(await readFile(join(home, `${name}.key.pem`)));
      return [name, { certificate, privateKey }];
    });
    return Object.fromEntries(await Promise.all(loaded)) as Record<MemberName, KeyedCertificate>;
  } catch (cause) {
    throw new UsageError('REHEARSAL_DAMAGED', `the rehearsal authority in ${home} cannot be read`, {
      cause,
      hint: `Remove the folder ${home}; the next rehearsal makes it anew.`,
    });
  }
}

function assemble(folder: string, members: Record<MemberName, KeyedCertificate>): RehearsalAuthority {
  const chainOf = (leaf: keyof typeof CHAINS) => CHAINS[leaf].map((name) => members[name].certificate);
  return {
    folder,
    members,
    chainOf,
    trust: {
      name: 'rehearsal',
      roots: [members.root.certificate, members.ticketRoot.certificate],
      intermediates: [members.developerIdAuthority.certificate],
    },
    identitySource: (role) => ({
      certificateChain: chainOf(role).map((certificate) => certificate.der),
      signer: localSigner(members[role].privateKey),
    }),
  };
}
