import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, inject, it } from 'vitest';
import { SYSTEMS } from '../../../build/kit/systems.ts';
import { unzip } from '../../../build/kit/zip.ts';

/** What a person has who came to the release page: its words, and the assets that SHA256SUMS names. */
const folder = inject('releaseFolder');
const page = readFileSync(join(folder, 'extras/release-notes.md'), 'utf8');
const assets = readFileSync(join(folder, 'SHA256SUMS'), 'utf8')
  .trim()
  .split('\n')
  .map((line) => line.split('  ')[1] as string);
const kit = new Map<string, string>();
beforeAll(async () => {
  const [name] = /`([^`]+-mdm-kit\.zip)`/.exec(page)?.slice(1) ?? [];
  expect(assets).toContain(name);
  const { files } = await unzip(readFileSync(join(folder, name as string)));
  for (const { path, data } of files) kit.set(path, data.toString('utf8'));
});

/** Returns the part of the page about one system. */
function chapterOf(name: string): string {
  const found = page.split('<details>').find((part) => part.startsWith(`<summary>${name}</summary>`));
  expect(found, name).toBeDefined();
  return found as string;
}

describe('an admin who has the release page alone', () => {
  it('finds one package and one kit to download, and both names on the page', () => {
    const packages = assets.filter((name) => name.endsWith('.pkg'));
    expect(packages).toHaveLength(1);
    for (const name of [...packages, ...assets.filter((asset) => asset.endsWith('.zip'))]) expect(page).toContain(name);
  });

  it('finds names of one pattern: with product and version what is kept apart, the same in every release what programs fetch', () => {
    const kept = assets.filter((name) => /\.(pkg|zip)$/.test(name));
    for (const name of kept) expect(name).toMatch(/^Escrow\.?Buddy-\d+\.\d+\.\d+(-rehearsal)?(-mdm-kit)?\.(pkg|zip)$/);
    const fetched = assets.filter((name) => !kept.includes(name));
    expect(fetched.length).toBeGreaterThan(3);
    for (const name of fetched) expect(name).not.toMatch(/\d+\.\d+\.\d+|\s/);
    for (const name of assets) expect(name).toMatch(/^[A-Za-z0-9.-]+$/);
  });

  it.each(SYSTEMS.map(({ name, folder: place }) => [name, place] as const))(
    'walks through %s: every file that a step names is there, whole, in its folder',
    (name, place) => {
      const chapter = chapterOf(name);
      expect(chapter).toContain(`Folder \`${place}/\` of the kit.`);
      const steps = chapter.split('\n').filter((line) => /^\d\. \*\*|^\*\*To remove it/.test(line));
      expect(steps.map((line) => /\*\*([\w ]+)/.exec(line)?.[1])).toEqual([
        'Escrow profile',
        'Package',
        'Request',
        'Check',
        'To remove it',
      ]);
      const words = steps
        .join('\n')
        .matchAll(/`((?:\.\.\/)?[\w./-]+\.(?:sh|json|plist|mobileconfig|xml|ya?ml|rb|txt|pkg|zip))`/g);
      for (const [, file] of words) {
        // What the admin makes on the way, and what lies beside the kit.
        if (assets.includes(file as string)) continue;
        const path = file?.startsWith('../') ? file.slice(3) : `${place}/${file}`;
        const found = [kit.get(path), kit.get(`extras/${file}`)].find((text) => text !== undefined);
        expect(found, `${name}: ${file}`).toBeDefined();
      }
    },
  );

  it("has in Jamf Pro's policy the whole request script, for a shell on one line", () => {
    const command = /<run_command>(.*)<\/run_command>/.exec(kit.get('jamf-pro/policy.xml') as string)?.[1];
    const [, packed] =
      /^\/bin\/echo ([A-Za-z0-9+/=]+) \| \/usr\/bin\/base64 -D \| \/bin\/sh$/.exec(command as string) ?? [];
    expect(Buffer.from(packed as string, 'base64').toString()).toBe(kit.get('scripts/request.sh'));
  });

  it.each(['jamf-pro', 'intune', 'kandji', 'munki', 'fleet', 'apple-business'])(
    'types no value by hand for %s: its files leave nothing to fill in',
    (place) => {
      const files = [...kit].filter(([path]) => path.startsWith(`${place}/`) && !path.endsWith('README.md'));
      expect(files.length).toBeGreaterThan(0);
      for (const [path, text] of files) {
        // The address of a rehearsal is nobody's; a release has its own.
        const filled = text.replaceAll('https://example.invalid/', 'https://github.com/o/r/');
        expect(filled, path).not.toMatch(/REPLACE|CHANGE ?ME|TODO|<your|OWNER\/REPOSITORY|@[A-Z_]+@/i);
      }
      const system = SYSTEMS.find(({ folder: name }) => name === place);
      expect(chapterOf(system?.name as string)).not.toMatch(
        /\b(put|type|enter|fill)\b[^.]*\b(your|yourself|by hand)\b[^.]*\bvalue/i,
      );
    },
  );
});
