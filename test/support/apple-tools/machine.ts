import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Secret } from '../../../src/base/secret.ts';
import { type Identity, loadIdentity } from '../../../src/pki/identity/identity.ts';
import { encodeTimestampRequest, parseTimestampResponse } from '../../../src/pki/timestamp/timestamp-token.ts';
import { openRehearsalAuthority, type RehearsalAuthority } from '../../../src/rehearsal/authority.ts';
import { rehearsalTimestampAuthority } from '../../../src/rehearsal/timestamp-authority.ts';

/** How a stand-in ends when it does not end well: what it prints, and its exit code. */
export class ToolFailure extends Error {
  readonly exitCode: number;
  readonly stdout: string;

  constructor(exitCode: number, stderr: string, stdout = '') {
    super(stderr);
    this.exitCode = exitCode;
    this.stdout = stdout;
  }
}

/** One failure to play: calls of `tool` whose arguments contain `argv` fail, from the `from`th to the `times`th (the first by default). */
export interface Fault {
  readonly tool: string;
  readonly argv?: string;
  readonly from?: number;
  readonly times?: number;
  readonly stdout?: string;
  readonly stderr?: string;
  readonly exitCode?: number;
  /** Do the work before failing. */
  readonly late?: boolean;
  /** Never end. */
  readonly hang?: boolean;
}

export interface KeychainItem {
  readonly role: 'application' | 'installer';
  /** Base64. */
  readonly p12: string;
  readonly password: string;
  /** Paths of programs that may use the key. */
  readonly allowed: readonly string[];
  partitioned: boolean;
}

export interface Keychain {
  password: string;
  locked: boolean;
  items: KeychainItem[];
}

export interface Keychains {
  searchList: string[];
  keychains: Record<string, Keychain>;
}

const folder = join(process.env.DEVELOPER_DIR ?? '/nowhere', 'stand-ins');

/** Returns a path in the memory of this machine. */
export const inMemory = (...names: string[]): string => join(folder, ...names);

/** Writes down a call and returns the fault to play, if it is this call's turn. */
export function recordCall(tool: string, argv: readonly string[]): Fault | undefined {
  const line = [tool, ...argv].join('\t').replaceAll('\n', ' ');
  const before = existsSync(inMemory('calls')) ? readFileSync(inMemory('calls'), 'utf8').split('\n') : [];
  appendFileSync(inMemory('calls'), `${line}\n`);
  const faults = readJson<Fault[]>('faults.json', []);
  return faults.find((fault) => {
    // A whole word of argv: a temporary path may hold any short text.
    const matches = (call: string) => {
      const [called, ...words] = call.split('\t');
      return called === fault.tool && (fault.argv === undefined || words.includes(fault.argv));
    };
    const count = before.filter(matches).length + 1;
    return matches(line) && count >= (fault.from ?? 1) && count <= (fault.times ?? 1);
  });
}

export function readJson<T>(name: string, otherwise: T): T {
  return existsSync(inMemory(name)) ? (JSON.parse(readFileSync(inMemory(name), 'utf8')) as T) : otherwise;
}

export function writeJson(name: string, value: unknown): void {
  writeFileSync(inMemory(name), `${JSON.stringify(value, null, 1)}\n`);
}

export const readKeychains = (): Keychains => readJson('keychains.json', { searchList: [], keychains: {} });
export const writeKeychains = (keychains: Keychains): void => writeJson('keychains.json', keychains);

/** Returns the authority that this machine trusts as a Mac trusts Apple. */
export const authority = (): Promise<RehearsalAuthority> => openRehearsalAuthority(inMemory('authority'));

/** Returns a token of the authority's timestamp service. */
export async function timestampToken(signature: Buffer): Promise<Buffer> {
  const service = rehearsalTimestampAuthority(await authority());
  const response = service.issueToken(encodeTimestampRequest(signature, Buffer.alloc(8, 7)));
  return parseTimestampResponse(response).token as Buffer;
}

/** Returns the identities of a keychain that `named` (SHA-1 or common name) and what keeps `program` from the key. */
export async function findIdentity(
  keychainPath: string,
  named: string,
  program: string,
): Promise<{ identity: Identity; access: 'granted' | 'locked' | 'denied' }[]> {
  const keychain = readKeychains().keychains[keychainPath];
  const found = [];
  for (const item of keychain?.items ?? []) {
    const identity = await openItem(item);
    const { sha1, commonName } = identity.certificate;
    if (sha1 !== named.toUpperCase() && !commonName.includes(named)) continue;
    const granted = item.partitioned && item.allowed.includes(program);
    found.push({ identity, access: keychain?.locked ? 'locked' : granted ? 'granted' : 'denied' } as const);
  }
  return found;
}

export async function openItem(item: Pick<KeychainItem, 'role' | 'p12' | 'password'>): Promise<Identity> {
  const { trust } = await authority();
  const source = { p12: new Secret(Buffer.from(item.p12, 'base64')), password: new Secret(item.password) };
  return loadIdentity(item.role, source, { trust });
}
