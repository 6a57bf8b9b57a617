import type { KitFacts, PackageFileFacts } from './facts.ts';
import { escapeXml } from './render.ts';

/** Returns the page to print for whoever must get a fleet in again: one sheet, no network, no script. */
export function rescueCard(
  { title, version, values, file }: Pick<KitFacts, 'title' | 'version' | 'values' | 'file'>,
  { uninstall }: Readonly<Record<'uninstall', Pick<PackageFileFacts, 'name'>>>,
): string {
  const commands = rescueCommands(values);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Rescue card: ${escapeXml(title)} ${escapeXml(version)}</title>
<style>
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto; padding: 0 1rem; }
pre { padding: .75rem; border: 1px solid; border-radius: 6px; white-space: pre-wrap; overflow-wrap: anywhere; }
li { margin-bottom: 1rem; }
@media print { body { font-size: 12px; margin: 0; max-width: none; } }
</style>
</head>
<body>
<main>
<h1>Nobody can log in</h1>
<p>The login entry <code>${escapeXml(values.MECHANISM as string)}</code> is there and its bundle <code>${escapeXml(values.BUNDLE as string)}</code> is not. FileVault&rsquo;s own unlock, ssh, the MDM and macOS Recovery still work. Try in this order.</p>
<ol>
<li><strong>MDM:</strong> push <code>extras/${escapeXml(uninstall.name)}</code> (it takes the entry out), or <code>${escapeXml(file.name)}</code> again (it puts a bundle behind the entry).</li>
<li><strong>ssh, as root:</strong><pre>${escapeXml(commands)}</pre></li>
<li><strong>macOS 13.3 and later, ssh, as root.</strong> The entries of all other products are lost too:<pre>security authorizationdb reset</pre></li>
<li><strong>macOS Recovery, Terminal.</strong> Find the data volume with <code>diskutil apfs list</code>, unlock it with <code>diskutil apfs unlockVolume</code> and mount it; the entries of all products are lost:<pre>rm /Volumes/*Data/private/var/db/auth.db*</pre>Then restart.</li>
</ol>
<p>Afterwards install ${escapeXml(title)} again, or leave it out. How it came to this is in <code>docs/upgrading.md</code>: mostly a tool that deleted the bundle by its path.</p>
</main>
</body>
</html>
`;
}

/** Returns what takes the login entry out, for a shell of root; nothing is written unless what is left is a property list. */
export function rescueCommands(values: KitFacts['values']): string {
  const plugIn = `${values.MECHANISM?.split(':')[0]}:`;
  return [
    'security authorizationdb read system.login.console > /private/tmp/right.plist',
    `grep -v '${plugIn}' /private/tmp/right.plist > /private/tmp/right.new.plist`,
    'plutil -lint /private/tmp/right.new.plist &&',
    '  security authorizationdb write system.login.console < /private/tmp/right.new.plist',
  ].join('\n');
}
