import { describe, expect, it } from 'vitest';
import { byDay, ofTheDay } from '../../../support/by-day.ts';
import { FILES, type Json, packages, settingsProject, TEXT } from './project.ts';

const { original, outcome, write } = settingsProject();

describe.each(['build', 'permissions'] as const)(`the %s file${ofTheDay}`, (name) => {
  const document = JSON.parse(TEXT[FILES[name]] as string) as Json;

  it.each(byDay(leavesOf(document), 2, ([key]) => String(key)).map((path) => [path]))(
    '%j reaches the package, or is refused',
    async (path) => {
      const before = await original(packages);
      for (const change of [otherValue, () => undefined]) {
        write(FILES[name], JSON.stringify(changedAt(document, path, change)));
        expect(await outcome(packages)).not.toEqual(before);
      }
    },
  );

  it('refuses a key that nobody knows', async () => {
    write(FILES[name], JSON.stringify({ ...(document as object), other: 1 }));
    expect(await outcome(packages)).toEqual({
      refused: name === 'build' ? 'BUILD_FILE_INVALID' : 'PERMISSIONS_INVALID',
    });
  });
});

describe('permissions.json', () => {
  it('refuses a row that nothing in the payload has', async () => {
    const file = JSON.parse(TEXT[FILES.permissions] as string);
    file.payload['Escrow Buddy.bundle/Contents/Other'] = '0644';
    write(FILES.permissions, JSON.stringify(file));
    expect(await outcome(packages)).toEqual({ refused: 'PERMISSION_UNUSED' });
  });
});

describe(`the template of Info.plist${ofTheDay}`, () => {
  const template = TEXT[FILES.template] as string;
  const pairs = template.match(/\t<key>[^<]*<\/key>\n\t(?:<string>[^<]*<\/string>|<array>[\s\S]*?<\/array>)\n/g) ?? [];

  it('has pairs to change', () => expect(pairs.length).toBeGreaterThan(5));

  it.each(byDay(pairs, 3))('reaches the package with %j', async (pair) => {
    const before = await original(packages);
    for (const other of ['', pair.replace('string></', 'string>x</').replace(/<\/string>/, 'x</string>')]) {
      write(FILES.template, template.replace(pair, other));
      expect(await outcome(packages)).not.toEqual(before);
    }
  });

  it('may neither have a key twice, nor one that is decided elsewhere', async () => {
    write(FILES.template, template.replace('<dict>\n', `<dict>\n${pairs[0]}`));
    expect(await outcome(packages)).toEqual({ refused: 'INFO_PLIST_INVALID' });
    const name = '\t<key>CFBundleName</key>\n\t<string>Escrow Buddy</string>\n';
    write(FILES.template, template.replace('<dict>\n', `<dict>\n${name}`));
    expect(await outcome(packages)).toEqual({ refused: 'INFO_PLIST_INVALID' });
  });
});

/** Paths of all values that are neither object nor array. */
function leavesOf(value: Json, path: readonly string[] = []): string[][] {
  if (value === null || typeof value !== 'object') return [[...path]];
  return Object.entries(value).flatMap(([key, child]) => leavesOf(child, [...path, key]));
}

function otherValue(value: Json): Json {
  if (typeof value === 'number') return value + 1;
  return typeof value === 'string' && /^\d{4}$/.test(value) ? '0700' : `${value}x`;
}

/** Returns the document with one value changed, or without it where `change` gives undefined. */
function changedAt(value: Json, [key, ...rest]: readonly string[], change: (value: Json) => Json | undefined): Json {
  const copy = structuredClone(value) as Record<string, Json>;
  const found = copy[key as string] as Json;
  const changed = rest.length === 0 ? change(found) : changedAt(found, rest, change);
  if (changed !== undefined) copy[key as string] = changed;
  else if (Array.isArray(copy)) copy.splice(Number(key), 1);
  else delete copy[key as string];
  return copy;
}
