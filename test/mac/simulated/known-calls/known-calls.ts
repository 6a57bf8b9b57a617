import { BUNDLE } from './bundle.ts';
import { DEFAULTS } from './defaults.ts';
import { LAUNCHCTL } from './launchctl.ts';
import { OTHERS } from './others.ts';
import { PLIST_BUDDY } from './plist-buddy.ts';
import { PLUTIL } from './plutil.ts';
import { SECURITY } from './security.ts';

/** What is known of each tool: one call a row, to be tried on a Mac where somebody has one. */
export const KNOWN_CALLS = {
  security: SECURITY,
  PlistBuddy: PLIST_BUDDY,
  plutil: PLUTIL,
  defaults: DEFAULTS,
  launchctl: LAUNCHCTL,
  others: OTHERS,
  bundle: BUNDLE,
};
