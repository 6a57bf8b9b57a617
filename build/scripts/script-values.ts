import { UsageError } from '../../src/base/errors.ts';

/** What the scripts are told about the product; every value ends up in `scripts/lib/values.sh`. */
export interface ScriptInput {
  /** Name for people and for the guard's folder, such as `Escrow Buddy`. */
  readonly productName: string;
  /** Name of the bundle, with or without `.bundle`; its executable has the same name without it. */
  readonly bundleName: string;
  readonly packageIdentifier: string;
  /** Also the settings domain and the tag of log lines. */
  readonly bundleIdentifier: string;
  /** Entry of the login right, such as `Escrow Buddy:Invoke,privileged`. */
  readonly mechanism: string;
  /** Entry that the mechanism stands in front of, such as `loginwindow:done`. */
  readonly anchor: string;
  readonly version: string;
  /** Folder of the bundle, such as `/Library/Security/SecurityAgentPlugins`. */
  readonly installLocation: string;
  /** Team that signs; null when nobody does. */
  readonly teamIdentifier: string | null;
  /** Oldest macOS the package installs on, such as `10.14.4`. */
  readonly minimumMacOS: string;
  readonly guardIdentifier: string;
  readonly uninstallIdentifier: string;
  /** Whether the bundle carries a signature codesign can judge; false for ad-hoc and unsigned builds. */
  readonly codeSigned: boolean;
}

/**
 * Returns the values of `scripts/lib/values.sh`, by placeholder.
 *
 * @throws UsageError when a value would not survive a property list or a PlistBuddy command
 */
export function scriptValues(input: ScriptInput): Record<string, string> {
  const executable = input.bundleName.replace(/\.bundle$/, '');
  const values = {
    PRODUCT_NAME: input.productName,
    VERSION: input.version,
    DOMAIN: input.bundleIdentifier,
    PACKAGE_IDENTIFIER: input.packageIdentifier,
    GUARD_IDENTIFIER: input.guardIdentifier,
    UNINSTALL_IDENTIFIER: input.uninstallIdentifier,
    PLUG_IN_FOLDER: input.installLocation,
    BUNDLE: `${input.installLocation}/${executable}.bundle`,
    EXECUTABLE: executable,
    MECHANISM: input.mechanism,
    ANCHOR: input.anchor,
    MINIMUM_MACOS: input.minimumMacOS,
  };
  for (const [key, value] of Object.entries(values)) {
    // They become parts of XML, of shell messages and of PlistBuddy's own quoting.
    if (!/^[^\0-\x1f\x7f<>&'"\\`$]+$/.test(value)) {
      throw new UsageError(
        'VALUE_INVALID',
        `${key} of the scripts: ${JSON.stringify(value)}: no control characters, quotes or <>&\\\`$`,
      );
    }
  }
  return {
    ...values,
    BUNDLE_NAME_ANY_CASE: anyCasePattern(executable),
    CODE_SIGNED: input.codeSigned ? 'yes' : 'no',
    CODE_REQUIREMENT: codeRequirement(input),
  };
}

/** Returns a shell pattern that matches `text` in any ASCII case and nothing else: `Ab c` is `[Aa][Bb][ ][Cc]`. */
function anyCasePattern(text: string): string {
  return [...text]
    .map((c) => (/[a-z]/i.test(c) ? `[${c.toUpperCase()}${c.toLowerCase()}]` : /[!\]^-]/.test(c) ? `\\${c}` : `[${c}]`))
    .join('');
}

/** Returns the requirement `codesign -R` is given; a rehearsal's certificate does not lead to Apple, so it has none. */
function codeRequirement({ codeSigned, teamIdentifier }: ScriptInput): string {
  if (!codeSigned || teamIdentifier === null || teamIdentifier === 'REHEARSAL0') return '';
  if (!/^[A-Z0-9]{10}$/.test(teamIdentifier)) {
    throw new UsageError(
      'VALUE_INVALID',
      `team identifier: ${JSON.stringify(teamIdentifier)}: ten capital letters or digits`,
    );
  }
  return `=anchor apple generic and certificate leaf[subject.OU] = "${teamIdentifier}"`;
}
