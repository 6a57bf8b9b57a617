import { type PlistValue, parse as parsePlist } from 'plist';
import { beforeAll, describe, expect, it } from 'vitest';
import { makeKit } from '../../../build/kit/make-kit.ts';
import { SYSTEMS } from '../../../build/kit/systems.ts';
import { kitSource } from './made-kit.ts';

/** Every file of the kit, as an admin finds them after unpacking it beside the package. */
const kit = new Map<string, string>();
beforeAll(async () => {
  const files = await makeKit(kitSource());
  for (const { path, data } of files) kit.set(path, data.toString('utf8'));
});

describe('an admin with nothing but the kit and the package', () => {
  it.each(['jamf-pro', 'intune', 'kandji', 'munki', 'fleet'])('walks through %s and types no value', (folder) => {
    expect(SYSTEMS.map((system) => system.folder)).toContain(folder);
    const readme = kit.get(`${folder}/README.md`) as string;
    const steps = readme.split('\n').filter((line) => /^\d\. \*\*/.test(line));
    expect(steps).toHaveLength(4);
    const used = [...readme.matchAll(/`((?:\.\.\/)?[\w./-]+\.(?:sh|json|plist|xml|ya?ml))`/g)].map(([, name]) =>
      (name as string).startsWith('../') ? (name as string).slice(3) : `${folder}/${name}`,
    );
    expect(used.length).toBeGreaterThan(1);
    for (const path of used) {
      const text = [...kit].find(([name]) => name === path || name.endsWith(`/${path.split('/').at(-1)}`))?.[1];
      expect(text, path).toBeDefined();
      expect(text, path).not.toMatch(/REPLACE|CHANGE ?ME|TODO|<your|example\.invalid|@[A-Z_]+@/i);
    }
  });
});

describe('pkgsinfo.plist', () => {
  /** Types of the keys that makecatalogs and the clients read. Source: munki, pkginfolib.swift and makecatalogslib.swift, 2026. */
  const TYPES: Readonly<Record<string, (value: PlistValue) => boolean>> = {
    autoremove: isBoolean,
    blocking_applications: isTexts,
    catalogs: isTexts,
    description: isText,
    display_name: isText,
    installcheck_script: isScript,
    installed_size: isWhole,
    installer_item_hash: (value) => /^[0-9a-f]{64}$/.test(String(value)),
    installer_item_location: isText,
    installer_item_size: isWhole,
    minimum_os_version: (value) => /^\d+(\.\d+){1,2}$/.test(String(value)),
    name: isText,
    receipts: (value) =>
      (value as Record<string, PlistValue>[]).every(
        ({ packageid, version, installed_size }) =>
          isText(packageid as PlistValue) && isText(version as PlistValue) && isWhole(installed_size as PlistValue),
      ),
    supported_architectures: (value) =>
      isTexts(value) && (value as string[]).every((name) => ['arm64', 'x86_64'].includes(name)),
    unattended_install: isBoolean,
    unattended_uninstall: isBoolean,
    uninstall_method: (value) => value === 'uninstall_script',
    uninstall_script: isScript,
    uninstallable: isBoolean,
    uninstallcheck_script: isScript,
    version: isText,
  };

  it.each(['munki/pkgsinfo.plist', 'workspace-one/pkginfo.plist'])(
    '%s has keys that Munki knows, of its types',
    (path) => {
      const info = parsePlist(kit.get(path) as string) as Record<string, PlistValue>;
      for (const [key, value] of Object.entries(info)) {
        expect(TYPES[key], key).toBeDefined();
        expect(TYPES[key]?.(value), key).toBe(true);
      }
      for (const key of ['name', 'version', 'catalogs', 'installer_item_location']) expect(info).toHaveProperty(key);
    },
  );
});

function isText(value: PlistValue): boolean {
  return typeof value === 'string' && value.trim() === value && value !== '';
}
function isTexts(value: PlistValue): boolean {
  return Array.isArray(value) && value.every(isText);
}
function isBoolean(value: PlistValue): boolean {
  return typeof value === 'boolean';
}
function isWhole(value: PlistValue): boolean {
  return Number.isInteger(value) && Number(value) > 0;
}
function isScript(value: PlistValue): boolean {
  return String(value).startsWith('#!/bin/sh\n');
}
