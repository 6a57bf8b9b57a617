import { createHash } from 'node:crypto';
import type { KitFacts } from '../../facts.ts';
import { renderJson, renderPlist } from '../../render.ts';
import type { KitInput } from '../../system.ts';

/** Folder below which macOS keeps what such tasks are made of, by TaskType. UNCERTAIN: Apple names no path; public reports of 2025. */
const TASK_FOLDER = '/private/var/db/ManagedConfigurationFiles/BackgroundTaskServices/Services';

/**
 * Returns the guard as a background task that the MDM owns: a ZIP, a launchd property list, an asset for each, and the configuration.
 *
 * Source: apple/device-management, declarations configurations/services.background-tasks and assets/data (macOS 15): ContentType and
 * Hash-SHA-256 of the assets are required.
 */
export function guardFiles(input: KitInput): Record<string, string | Buffer> {
  const { facts, guardZip } = input;
  const label = facts.values.GUARD_IDENTIFIER as string;
  const job = renderPlist(launchJob(facts, `${TASK_FOLDER}/${label}/guard/guard.sh`));
  const asset = (name: string, contentType: string, file: string, data: Buffer) => {
    const sha256 = createHash('sha256').update(data).digest('hex');
    return renderJson({
      Type: 'com.apple.asset.data',
      Identifier: `${label}.${name}`,
      ServerToken: serverToken(facts, sha256),
      Payload: {
        Reference: {
          DataURL: new URL(file, input.url).href,
          ContentType: contentType,
          Size: data.length,
          'Hash-SHA-256': sha256,
        },
        Authentication: { Type: 'None' },
      },
    });
  };
  return {
    'guard.zip': guardZip,
    'guard.launchd.plist': job,
    'declaration-asset-guard-executable.json': asset('executable', 'application/zip', 'guard.zip', guardZip),
    'declaration-asset-guard-launchd.json': asset(
      'launchd',
      'application/xml',
      'guard.launchd.plist',
      Buffer.from(job),
    ),
    'declaration-background-tasks.json': renderJson({
      Type: 'com.apple.configuration.services.background-tasks',
      Identifier: `${label}.background-task`,
      ServerToken: serverToken(facts, createHash('sha256').update(guardZip).update(job).digest('hex')),
      Payload: {
        TaskType: label,
        TaskDescription: `Guard of ${facts.title}: puts the login entry back after an update, and takes it out when the bundle is gone.`,
        ExecutableAssetReference: `${label}.executable`,
        LaunchdConfigurations: [{ FileAssetReference: `${label}.launchd`, Context: 'daemon' }],
      },
    }),
  };
}

/** The job that the Guard package installs, with the script elsewhere; a test holds both to each other. */
function launchJob({ values }: KitFacts, script: string) {
  const bundle = values.BUNDLE as string;
  return {
    AssociatedBundleIdentifiers: [values.DOMAIN as string],
    Label: values.GUARD_IDENTIFIER as string,
    ProcessType: 'Background',
    ProgramArguments: ['/bin/sh', script],
    RunAtLoad: true,
    StartInterval: 600,
    WatchPaths: [values.PLUG_IN_FOLDER as string, bundle, `${bundle}/Contents`, `${bundle}/Contents/MacOS`],
  };
}

/** Returns a token that changes with the version and with what the declaration names. */
export function serverToken({ version }: Pick<KitFacts, 'version'>, sha256: string): string {
  return `${version}-${sha256.slice(0, 8)}`;
}
