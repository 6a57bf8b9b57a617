import type { MessageTable } from './message.ts';
import { KEYCHAIN } from './tables/any/keychain.ts';
import { MACHINE } from './tables/any/machine.ts';
import { NETWORK } from './tables/any/network.ts';
import { TRUST } from './tables/any/trust.ts';
import { CODE_VERDICTS } from './tables/code-verdicts.ts';
import { CODESIGN } from './tables/codesign.ts';
import { INSTALLER } from './tables/installer.ts';
import { LAUNCHCTL } from './tables/launchctl.ts';
import { LIPO } from './tables/lipo.ts';
import { LOGIN_WINDOW } from './tables/login-window.ts';
import { NOTARY } from './tables/notary/notary.ts';
import { NOTARY_COMMAND } from './tables/notary/notary-command.ts';
import { NOTARY_LOG } from './tables/notary/notary-log.ts';
import { STAPLER } from './tables/notary/stapler.ts';
import { OPENSSL } from './tables/openssl.ts';
import { PACKAGE_BUILDERS } from './tables/package-builders.ts';
import { PKGUTIL } from './tables/pkgutil.ts';
import { SECURITY } from './tables/security.ts';
import { SPCTL } from './tables/spctl.ts';
import { TIMESTAMP } from './tables/timestamp.ts';
import { XCRUN } from './tables/xcrun.ts';

/**
 * What Apple's tools and services say, and openssl: one table a tool, then what any of them may say. Of two tables the first that
 * knows a line explains it.
 */
export const APPLE_TABLES: readonly MessageTable[] = [
  SECURITY,
  OPENSSL,
  TIMESTAMP,
  CODESIGN,
  CODE_VERDICTS,
  PACKAGE_BUILDERS,
  PKGUTIL,
  SPCTL,
  INSTALLER,
  LAUNCHCTL,
  LOGIN_WINDOW,
  LIPO,
  XCRUN,
  STAPLER,
  NOTARY,
  NOTARY_COMMAND,
  NOTARY_LOG,
  TRUST,
  KEYCHAIN,
  NETWORK,
  MACHINE,
];
