import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { UsageError } from '../../src/base/errors.ts';
import { fileProblem } from '../../src/base/place/file-problem.ts';
import { readPatiently } from '../../src/base/place/read-patiently.ts';
import { shownPath } from '../../src/base/place/shown.ts';
import { Secret } from '../../src/base/secret.ts';
import {
  checkIdentityPair,
  type Identity,
  type IdentitySource,
  loadIdentity,
} from '../../src/pki/identity/identity.ts';
import type { IdentityRole } from '../../src/pki/identity/identity-problem.ts';
import { timestampClient } from '../../src/pki/timestamp/timestamp.ts';
import { encodeTimestampRequest, parseTimestampResponse } from '../../src/pki/timestamp/timestamp-token.ts';
import { appleTrust, type Trust } from '../../src/pki/x509/apple-roots.ts';
import {
  openRehearsalAuthority,
  REHEARSAL_FOLDER,
  REHEARSAL_TEAM,
  type RehearsalAuthority,
} from '../../src/rehearsal/authority.ts';
import { rehearsalTimestampAuthority } from '../../src/rehearsal/timestamp-authority.ts';
import type { TimestampSource } from '../../src/toolchain/portable/code-signer.ts';
import type { SigningIdentity } from '../../src/toolchain/toolchain.ts';
import type { Config } from '../plan/config.ts';
import type { Plan } from '../plan/plan.ts';
import { describeLookAlikes, IDENTITY_NAMES, lookAlikes } from './credentials.ts';
import { externalSource } from './external.ts';

/** Who signs a release, and who says when. */
export interface ReleaseSigning {
  readonly mode: 'release' | 'rehearsal';
  /** Who signs code and packages. */
  readonly identities: Readonly<Record<IdentityRole, SigningIdentity>>;
  readonly teamIdentifier: string;
  /** Whose signatures the finished package is verified with. */
  readonly trust: Trust;
  /** Returns a checked time-stamp token over a signature value. */
  readonly timestamp: TimestampSource;
  /** The time that signatures state; the clock's where it is not given. */
  readonly signingTime?: () => Date;
  /** What a person should know, such as that a certificate expires soon. */
  readonly warnings: readonly string[];
}

/** Environment variables of the command line, and where the project lies. */
export interface SigningInput {
  readonly env: Readonly<NodeJS.ProcessEnv>;
  readonly plan: Pick<Plan, 'root' | 'config'>;
  /** Whose identities are taken; Apple's by default. */
  readonly trust?: Trust;
  /** What the run is to be, whatever is set; by default what is set decides. */
  readonly demand?: 'release' | 'rehearsal' | undefined;
  /** Other variables that the run needs and that are not set, so that one message names all. */
  readonly alsoMissing?: readonly string[];
}

/**
 * Returns who signs: the identities that environment and configuration name, or the rehearsal's where they name none.
 *
 * Everything that can be wrong with an identity is found here, before any work is done.
 *
 * @throws UsageError naming the variables that are missing, or what is wrong with an identity
 */
export async function resolveSigning(input: SigningInput): Promise<ReleaseSigning> {
  const sources = input.demand === 'rehearsal' ? undefined : await identitySources(input);
  if (!sources) {
    refuseSilentRehearsal(input);
    return rehearsalSigning(input.plan.root);
  }
  const { config } = input.plan;
  const trust = input.trust ?? appleTrust();
  const application = await loadIdentity('application', sources.application, { trust });
  const installer = await loadIdentity('installer', sources.installer, { trust });
  const warnings = checkIdentityPair(application, installer);
  checkTeam(application, config);
  const { timestamp } = await timestamping('release', { plan: input.plan, trust });
  return {
    mode: 'release',
    identities: {
      application: { kind: 'identity', identity: application },
      installer: { kind: 'identity', identity: installer },
    },
    teamIdentifier: application.teamIdentifier,
    trust,
    timestamp,
    warnings: warnings.map(({ message }) => message),
  };
}

/**
 * Returns who would sign, in words, and whether that makes a release; nothing is made for it.
 *
 * @throws UsageError as `resolveSigning`
 */
export async function describeSigning(
  input: SigningInput,
): Promise<Pick<ReleaseSigning, 'mode'> & { readonly words: string }> {
  if (!(await identitySources(input))) {
    refuseSilentRehearsal(input);
    return { mode: 'rehearsal', words: 'no identity is set: npm start is a rehearsal, whose package no Mac trusts' };
  }
  const { identities, warnings } = await resolveSigning(input);
  const names = [identities.application, identities.installer].map(({ identity }) => identity.certificate.commonName);
  return { mode: 'release', words: [...names, ...warnings].join('\n') };
}

/** A secret that was forgotten or whose name has a slip must not end in a rehearsal that looks like success. */
function refuseSilentRehearsal({ demand, env, plan, alsoMissing = [] }: SigningInput): void {
  const team = plan.config.signing.teamIdentifier;
  if (demand === 'rehearsal' || isRehearsalProject(plan.config)) return;
  const slips = lookAlikes(env);
  if (demand !== 'release' && team === null && slips.length === 0) return;
  const reason =
    demand === 'release'
      ? 'a release was asked for (--release)'
      : team !== null
        ? `release.config.json names team ${team}`
        : 'a variable has nearly the name of one that a release needs';
  const names = [...IDENTITY_NAMES.application[0], ...IDENTITY_NAMES.installer[0], ...alsoMissing].join(', ');
  throw new UsageError(
    'IDENTITY_MISSING',
    `${reason}, and no signing identity is set; missing: ${names}${describeLookAlikes(env)}`,
    { hint: 'Set them (or the same names with _FILE, each the path of a file). To rehearse: npm start -- --rehearsal' },
  );
}

/** Says whether the configuration itself names the rehearsal's team, as a try of the workflows does: such a project knows no release. */
export function isRehearsalProject({ signing }: Config): boolean {
  return signing.teamIdentifier === REHEARSAL_TEAM;
}

async function rehearsalSigning(root: string): Promise<ReleaseSigning> {
  const authority = await openRehearsalAuthority(join(root, REHEARSAL_FOLDER));
  const { trust } = authority;
  const application = await loadIdentity('application', authority.identitySource('application'), { trust });
  const installer = await loadIdentity('installer', authority.identitySource('installer'), { trust });
  return {
    mode: 'rehearsal',
    identities: {
      application: { kind: 'identity', identity: application },
      installer: { kind: 'identity', identity: installer },
    },
    teamIdentifier: application.teamIdentifier,
    trust,
    timestamp: async (signature) => rehearsalToken(authority, signature),
    warnings: [
      'This is a rehearsal: no signing identity is set, so a throw-away one signs. No Mac trusts the package.',
    ],
  };
}

/** The rehearsal's timestamp authority lives in this process: a rehearsal needs no network. */
function rehearsalToken(authority: RehearsalAuthority, signature: Buffer): Buffer {
  const response = rehearsalTimestampAuthority(authority).issueToken(encodeTimestampRequest(signature, randomBytes(8)));
  const { token } = parseTimestampResponse(response);
  if (!token) throw new TypeError('the timestamp authority of the rehearsal gave no token');
  return token;
}

/** Returns what the authority of a release or of a rehearsal stamps signatures with, and whose certificates count. */
export async function timestamping(
  mode: ReleaseSigning['mode'],
  { plan: { root, config }, trust = appleTrust() }: Omit<SigningInput, 'env'>,
): Promise<Pick<ReleaseSigning, 'trust' | 'timestamp'>> {
  if (mode === 'rehearsal') {
    const authority = await openRehearsalAuthority(join(root, REHEARSAL_FOLDER));
    return { trust: authority.trust, timestamp: async (signature) => rehearsalToken(authority, signature) };
  }
  const client = timestampClient({ url: config.services.timestamp, trust });
  return { trust, timestamp: (signature, signal) => client.token(signature, signal) };
}

/** Holds an identity to the team of the configuration. */
export function checkTeam({ teamIdentifier }: Identity, { signing }: Config): void {
  if (signing.teamIdentifier === null || signing.teamIdentifier === teamIdentifier) return;
  throw new UsageError(
    'IDENTITY_WRONG_TEAM',
    `the identities are of team ${teamIdentifier}, release.config.json asks for ${signing.teamIdentifier}`,
    { hint: "Use that team's certificates, or set signing.teamIdentifier to the team that shall sign." },
  );
}

type Sources = Readonly<Record<IdentityRole, IdentitySource>>;

/** A way to give an identity: the variables it needs, each of which may be given as the path of a file in `NAME_FILE`. */
interface Way {
  readonly names: readonly [string, string];
  make(values: readonly [Secret<Buffer>, Secret<Buffer>]): IdentitySource;
}

function waysOf(role: IdentityRole): readonly Way[] {
  const [p12Names, pemNames] = IDENTITY_NAMES[role];
  return [
    {
      names: p12Names,
      make: ([p12, password]) => ({ p12, password: new Secret(oneLine(password)) }),
    },
    {
      names: pemNames,
      make: ([certificate, key]) => ({
        pemCertificate: certificate.reveal().toString('utf8'),
        pemKey: new Secret(key.reveal().toString('utf8')),
      }),
    },
  ];
}

/** An editor or `echo` ends a file with a newline that is not part of the password. */
const oneLine = (password: Secret<Buffer>) =>
  password
    .reveal()
    .toString('utf8')
    .replace(/\r?\n$/, '');

/** Returns where both identities come from; undefined when nothing names one. */
async function identitySources(input: SigningInput): Promise<Sources | undefined> {
  const { externalSigner: external } = input.plan.config.signing;
  if (external) {
    const { root } = input.plan;
    return {
      application: await externalSource(external.application, root, input.env),
      installer: await externalSource(external.installer, root, input.env),
    };
  }
  const application = await givenSource('application', input.env);
  const installer = await givenSource('installer', input.env);
  if (!application.source && !installer.source && !application.begun && !installer.begun) return undefined;
  if (application.source && installer.source) return { application: application.source, installer: installer.source };
  const missing = [
    ...[application, installer].flatMap((given) => (given.source ? [] : given.missing)),
    ...(input.demand === 'release' ? (input.alsoMissing ?? []) : []),
  ];
  throw new UsageError(
    'IDENTITY_INCOMPLETE',
    `for a signed release these variables are missing: ${missing.join(', ')}${describeLookAlikes(input.env)}`,
    {
      hint: 'Set them (or the same names with _FILE, each the path of a file), or none at all for a rehearsal.',
    },
  );
}

interface Given {
  readonly source: IdentitySource | undefined;
  /** Whether one of the variables is set. */
  readonly begun: boolean;
  /** What is not there, of the way that was begun. */
  readonly missing: readonly string[];
}

async function givenSource(role: IdentityRole, env: SigningInput['env']): Promise<Given> {
  const ways = waysOf(role);
  for (const { names, make } of ways) {
    const values = [await variable(names[0], env), await variable(names[1], env)] as const;
    if (values[0] && values[1]) return { source: make([values[0], values[1]]), begun: true, missing: [] };
    if (values[0] || values[1])
      return { source: undefined, begun: true, missing: names.filter((_, at) => !values[at]) };
  }
  return { source: undefined, begun: false, missing: ways[0]?.names ?? [] };
}

/** An unset secret of a CI service is an empty variable; so is one that somebody cleared. */
export async function variable(name: string, env: SigningInput['env']): Promise<Secret<Buffer> | undefined> {
  const value = env[name];
  const path = env[`${name}_FILE`];
  if (value && path) {
    throw new UsageError('IDENTITY_TWICE', `${name} and ${name}_FILE are both set`, { hint: 'Unset one of them.' });
  }
  if (value) return new Secret(Buffer.from(value, 'utf8'));
  if (!path) return undefined;
  try {
    return new Secret(await readPatiently(path));
  } catch (cause) {
    const why = cause instanceof UsageError ? cause : fileProblem(cause as NodeJS.ErrnoException);
    throw new UsageError('IDENTITY_FILE', `${name}_FILE: ${why?.message ?? `cannot read ${shownPath(path)}`}`, {
      cause,
      hint: why?.hint ?? 'Check the path and who may read it.',
    });
  }
}
