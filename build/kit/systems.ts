import type { KitSystem } from './system.ts';
import { addigy } from './systems/addigy.ts';
import { appleBusiness } from './systems/apple/business.ts';
import { appleMdm } from './systems/apple/mdm.ts';
import { autopkg } from './systems/autopkg.ts';
import { fleet } from './systems/fleet.ts';
import { homebrew } from './systems/homebrew.ts';
import { installomator } from './systems/installomator.ts';
import { intune } from './systems/intune.ts';
import { jamf } from './systems/jamf.ts';
import { kandji } from './systems/kandji.ts';
import { mosyle } from './systems/mosyle.ts';
import { munki } from './systems/munki.ts';
import { osquery } from './systems/osquery.ts';
import { profiles } from './systems/profiles.ts';
import { simplemdm } from './systems/simplemdm.ts';
import { workspaceOne } from './systems/workspace-one.ts';

/** Every system of the kit, by name. A new one is a file in systems/ and a line here. */
export const SYSTEMS: readonly KitSystem[] = [
  addigy,
  appleBusiness,
  appleMdm,
  autopkg,
  profiles,
  fleet,
  homebrew,
  installomator,
  jamf,
  kandji,
  intune,
  mosyle,
  munki,
  osquery,
  simplemdm,
  workspaceOne,
];
