import { UsageError } from '../../src/base/errors.ts';
import { parseRequirementText } from '../../src/code-signature/requirement/grammar.ts';

/** The values that scripts hold about the product; every value ends up in `scripts/lib/values.sh`. */
export interface ScriptInput {
  /** Name for people and for the guard's folder, such as `Escrow Buddy`. */
  readonly productName: string;
  /** Name of the bundle, with or without `.bundle`. */
  readonly bundleName: string;
  /** Name of its program in Contents/MacOS. */
  readonly executable: string;
  readonly packageIdentifier: string;
  /** Also the settings domain and the tag of log lines. */
  readonly bundleIdentifier: string;
  /** Right that macOS asks for at the login window, such as `system.login.console`. */
  readonly loginRight: string;
  /** Entry of that right, such as `Escrow Buddy:Invoke,privileged`. */
  readonly mechanism: string;
  /** Entry that the mechanism stands in front of, such as `loginwindow:done`. */
  readonly anchor: string;
  readonly version: string;
  /** Folder of the bundle, such as `/Library/Security/SecurityAgentPlugins`. */
  readonly installLocation: string;
  /** Oldest macOS the package installs on, such as `10.14.4`. */
  readonly minimumMacOS: string;
  readonly guardIdentifier: string;
  readonly uninstallIdentifier: string;
  readonly requestIdentifier: string;
  /** Requirement that codesign holds the bundle to, in Apple's requirement language and without `=` in front. */
  readonly codeRequirement: string;
}

/**
 * Returns the values of `scripts/lib/values.sh`, by placeholder.
 *
 * @throws UsageError when a value would not survive a property list or a PlistBuddy command
 */
export function scriptValues(input: ScriptInput): Record<string, string> {
  const bundleName = input.bundleName.replace(/\.bundle$/, '');
  const values = {
    PRODUCT_NAME: input.productName,
    VERSION: input.version,
    DOMAIN: input.bundleIdentifier,
    PACKAGE_IDENTIFIER: input.packageIdentifier,
    GUARD_IDENTIFIER: input.guardIdentifier,
    UNINSTALL_IDENTIFIER: input.uninstallIdentifier,
    REQUEST_IDENTIFIER: input.requestIdentifier,
    PLUG_IN_FOLDER: input.installLocation,
    BUNDLE: `${input.installLocation}/${bundleName}.bundle`,
    EXECUTABLE: input.executable,
    LOGIN_RIGHT: input.loginRight,
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
    BUNDLE_NAME_ANY_CASE: anyCasePattern(bundleName),
    CODE_REQUIREMENT: checkedRequirement(input.codeRequirement),
  };
}

/** Returns a shell pattern that matches `text` in any ASCII case and nothing else: `Ab c` is `[Aa][Bb][ ][Cc]`. */
function anyCasePattern(text: string): string {
  return [...text]
    .map((c) => (/[a-z]/i.test(c) ? `[${c.toUpperCase()}${c.toLowerCase()}]` : /[!\]^-]/.test(c) ? `\\${c}` : `[${c}]`))
    .join('');
}

/** A requirement that codesign could not parse would look to the scripts like a bundle that it refuses. */
function checkedRequirement(text: string): string {
  try {
    parseRequirementText(text);
  } catch (cause) {
    throw new UsageError('VALUE_INVALID', `the code requirement of the scripts is not one: ${JSON.stringify(text)}`, {
      cause,
    });
  }
  return text;
}
