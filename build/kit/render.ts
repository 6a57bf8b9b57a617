import { build, type PlistValue } from 'plist';
import { stringify } from 'yaml';
import { NAMESPACE_URL, uuidV5 } from '../sbom/uuid-v5.ts';

/** Returns a property list in XML, keys in the order given. */
export function renderPlist(value: PlistValue): string {
  return `${build(value, { indent: '\t' })}\n`;
}

/** Returns JSON as every document of this project is written: two blanks a level, a newline at the end. */
export function renderJson(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

/** Returns YAML 1.2 that YAML 1.1 reads the same: words such as `yes` and `on` are quoted. */
export function renderYaml(value: unknown): string {
  return stringify(value, { version: '1.1', lineWidth: 0, aliasDuplicateObjects: false });
}

/** Returns the UUID of a profile or payload by its identifier, upper case as Apple's are: the same at each build. */
export function profileUuid(identifier: string): string {
  return uuidV5(NAMESPACE_URL, `profile:${identifier}`).toUpperCase();
}

/** Returns a configuration profile of system scope. */
export function renderProfile(options: {
  readonly identifier: string;
  readonly name: string;
  readonly description: string;
  readonly payloads: readonly Readonly<Record<string, PlistValue>>[];
}): string {
  const { identifier, name, description, payloads } = options;
  return renderPlist({
    PayloadContent: payloads.map((payload) => ({
      ...payload,
      PayloadUUID: payload.PayloadUUID ?? profileUuid(String(payload.PayloadIdentifier)),
      PayloadVersion: 1,
    })),
    PayloadDescription: description,
    PayloadDisplayName: name,
    PayloadIdentifier: identifier,
    PayloadScope: 'System',
    PayloadType: 'Configuration',
    PayloadUUID: profileUuid(identifier),
    PayloadVersion: 1,
  } as PlistValue);
}

/** Returns the repository of a GitHub release address as OWNER/NAME, or undefined for another address. */
export function releaseRepositoryOf(url: string): string | undefined {
  return /^https:\/\/github\.com\/([\w.-]+\/[\w.-]+)\/releases\/download\//.exec(url)?.[1];
}

/** Returns text as it stands between XML tags. */
export function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
