import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import type { RehearsalAuthority } from '../../../src/rehearsal/authority.ts';
import { needs } from '../../support/needs.ts';
import { checkSignatures, type Ended, SEALED_STEP, sealedStep } from '../../support/sealed-step.ts';
import { p12Of, placeCertificates } from '../../support/stored-keys.ts';
import { testAuthority } from '../../support/test-authority.ts';

export const PASSWORD = 'Geheim-0815-Losung';
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
export const DIGESTS = `${sha256('a')} ${createHash('sha1').update('b').digest('hex')}`;

const openssl = needs('openssl');
/** What signing and checking need. */
export const both = SEALED_STEP.missing ? SEALED_STEP : openssl;

/** A project with the certificates of an authority, and the sealed step with its keys. */
export interface SealedWorld {
  /** The project, for files of the tests too. */
  readonly scratch: string;
  readonly authority: RehearsalAuthority;
  /** Signs with the application's key and has it checked; `made` tells whether a step that failed let something out. */
  use(env: NodeJS.ProcessEnv, digests?: string): Promise<Ended & { readonly made?: boolean }>;
  /** The application's key in a .p12. @param argv further options of `openssl pkcs12 -export` */
  own(argv?: readonly string[], password?: string): Buffer;
}

/** Returns the world that the tests of a file have from their start to their end; its members are there once they run. */
export function sealedWorld(): SealedWorld {
  let scratch: string;
  let authority: RehearsalAuthority;
  let at = 0;
  beforeAll(async () => {
    scratch = mkdtempSync(join(tmpdir(), 'sealed-'));
    authority = await testAuthority(join(scratch, 'authority'));
    placeCertificates(scratch, authority);
  });
  afterAll(() => rmSync(scratch, { recursive: true, force: true }));
  return {
    get scratch() {
      return scratch;
    },
    get authority() {
      return authority;
    },
    async use(env, digests = DIGESTS) {
      const signatures = join(scratch, `signatures-${++at}`);
      const used = await sealedStep('application', { digests, out: signatures, env });
      if (used.status !== 0) return { ...used, made: existsSync(signatures) };
      return checkSignatures(scratch, 'application', { digests, signatures, out: `${signatures}.json` });
    },
    own: (argv = [], password = PASSWORD) => p12Of(authority, 'application', { password, argv }),
  };
}

/** The secrets of the application's role. */
export const given = (p12: Buffer, password = PASSWORD): NodeJS.ProcessEnv => ({
  APPLICATION_P12_BASE64: p12.toString('base64'),
  APPLICATION_P12_PASSWORD: password,
});
