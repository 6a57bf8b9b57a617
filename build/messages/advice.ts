import { APPLE_TABLES } from '../../src/apple-messages/apple-tables.ts';
import { ANY_TOOL, findMessages } from '../../src/apple-messages/find-messages.ts';
import type { Act, Area, KnownMessage, MessageTable, Who } from '../../src/apple-messages/message.ts';
import { nearestMessages } from '../../src/apple-messages/nearest-messages.ts';
import { GITHUB_RUNNER } from './github-runner.ts';
import { KEY_SERVICE } from './key-service.ts';

/** Every message that is known. */
export const TABLES: readonly MessageTable[] = [...APPLE_TABLES, KEY_SERVICE, GITHUB_RUNNER];

/** Where in this repository a matter is settled. */
const FILES: Readonly<Record<Area, string>> = {
  bundle: 'build/stages/assemble-payload.ts',
  compile: 'build/stages/compile.ts',
  configuration: 'release.config.json',
  'developer-tools': 'src/toolchain/apple/run-apple-tool.ts',
  identities: 'build/signing/identities.ts',
  'info-plist': 'payload/Info.plist',
  keychain: 'src/toolchain/apple/keychain/keychain.ts',
  notarize: 'build/stages/notarize.ts',
  'notary-connection': 'build/notary/connection.ts',
  'notary-key': 'src/notary/rest/credentials.ts',
  'notary-wait': 'src/notary/wait.ts',
  notarytool: 'src/toolchain/apple/notarytool.ts',
  package: 'build/stages/build-package.ts',
  permissions: 'payload/permissions.json',
  scripts: 'scripts/postinstall.sh',
  'sign-code': 'build/stages/sign-code.ts',
  'sign-package': 'build/stages/sign-package.ts',
  staple: 'build/stages/staple.ts',
  timestamp: 'src/pki/timestamp/timestamp.ts',
  upload: 'src/notary/rest/upload.ts',
  verify: 'build/stages/verify.ts',
  workflow: '.github/workflows/release.yml',
};

const CLI = 'npm run -s cli --';

/** The command of this product for an act. */
const COMMANDS: Readonly<Record<Act, string>> = {
  check: `${CLI} doctor`,
  inspect: `${CLI} inspect "$PKG"`,
  'notary-log': `${CLI} notarize --wait "$SUBMISSION_ID"`,
  'notary-portable': 'npm start -- --resume --notary portable',
  release: 'npm start',
  resume: 'npm start -- --resume',
  'sign-portable': 'npm start -- --toolchain portable',
  staple: `${CLI} staple "$PKG"`,
  verify: `${CLI} verify "$PKG"`,
};

const PEOPLE: Readonly<Record<Who, string>> = {
  maintainer: 'the maintainer',
  'account-holder': "the account holder of Apple's developer program",
  apple: 'Apple: wait and repeat',
  runner: 'whoever looks after the machine',
};

/** A known message as programs and people are given it. */
export interface Explanation extends Omit<KnownMessage, 'area' | 'act' | 'match'> {
  /** Command of this pipeline to run then. */
  readonly run: string | null;
  /** Where in this repository the matter is settled. */
  readonly file: string;
  /** The first line that it explains, as it was printed; none for one that is only like it. */
  readonly line?: string;
}

/**
 * Returns what the lines of a message stand for: causes first, each once.
 *
 * @param tool only what this program prints is looked at; without it everything is
 * @example explain('Escrow Buddy.bundle: errSecInternalComponent', 'codesign')[0]?.code // 'CODESIGN_KEY_ACCESS'
 */
export function explain(message: string, tool?: string): Explanation[] {
  return findMessages(TABLES, message, tool).map(explanationOf);
}

/** Returns the known messages that are most like an unknown one. */
export function explainNearest(message: string, tool?: string): Explanation[] {
  return nearestMessages(TABLES, message, { tool }).map(explanationOf);
}

/** Returns a known message with the command and the file of this project. */
function explanationOf({ area, act, match: _match, ...message }: KnownMessage): Explanation {
  return { ...message, run: act === undefined ? null : COMMANDS[act], file: FILES[area] };
}

/** Returns an explanation as a person reads it, each line below `indent`. */
export function renderExplanation(one: Explanation, indent = ''): string {
  const { code, tool, cause, who, next, run, file, kind, line } = one;
  const lines = [
    ...(line === undefined ? [] : [['code', code]]),
    ['means', kind === 'harmless' ? `${cause} (harmless)` : cause],
    ['who', PEOPLE[who]],
    ['next', next],
    ...(run === null ? [] : [['run', run]]),
    ['file', file],
  ];
  const text = lines.map(([name, value]) => `${indent}  ${(name as string).padEnd(6)} ${value}`);
  return [`${indent}${tool === ANY_TOOL ? '' : `${tool}: `}${line ?? code}`, ...text].join('\n');
}
