import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../../build/plan/config.ts';

type Json = Record<string, any>;

const SOURCE = JSON.parse(readFileSync('release.config.json', 'utf8')) as Json;
// The file as it is committed: what an editor reads.
const check = new Ajv2020({ strict: true }).compile(
  JSON.parse(readFileSync('docs/schemas/release.config.schema.json', 'utf8')),
);

/** Values that might be put into any setting. */
const VALUES: readonly unknown[] = [
  undefined,
  null,
  true,
  14,
  [],
  {},
  '',
  ' ',
  'a',
  '.',
  '..',
  '-v',
  'a/b',
  'a:b',
  'a\nb',
  'a\u0000',
  '\ud800',
  'é',
  'é',
  '\u0085',
  '\u2028',
  '\uffff',
  '😀',
  'com.example.Other',
  'com.example..x',
  'x'.repeat(201),
  '11.0',
  '014.0',
  '11',
  '26.2.1.1',
  '/Library/Other',
  '/Library/../etc',
  '/Library/',
  '{version}.pkg',
  'Other-{version}.pkg',
  '.{version}.pkg',
  'Other-{version}.zip',
  'ABCDE12345',
  'abcde12345',
  'portable',
  'Other.bundle',
  'https://example.org/a',
  'https://user:x@example.org',
  'https://example.org/?q',
  ' https://example.org',
  'ftp://example.org',
  'Escrow Buddy:Other',
];

const settings = Object.entries(SOURCE).flatMap(([section, value]) =>
  typeof value === 'object' ? Object.keys(value).map((key) => [section, key] as const) : [],
);

function verdicts(config: Json): { readonly code: string; readonly schema: boolean } {
  const schema = check(config);
  try {
    parseConfig(JSON.stringify(config), 'release.config.json');
    return { code: 'accepted', schema };
  } catch (error) {
    return { code: (error as Error).message, schema };
  }
}

describe('the JSON Schema of the configuration, checked by ajv', () => {
  it('takes the configuration of this project, and no setting that nobody knows', () => {
    expect(verdicts(SOURCE)).toEqual({ code: 'accepted', schema: true });
    expect(verdicts({ ...SOURCE, other: 1 })).toEqual({ code: expect.stringContaining('other'), schema: false });
    expect(settings.length).toBeGreaterThan(20);
  });

  it.each(settings)('%s.%s takes what the pipeline takes, and refuses what it refuses', (section, key) => {
    let [accepted, refused] = [0, 0];
    for (const value of [...VALUES, SOURCE[section][key]]) {
      const { code, schema } = verdicts({ ...SOURCE, [section]: { ...SOURCE[section], [key]: value } });
      // One setting that contradicts another is beyond a JSON Schema.
      const contradiction = code !== 'accepted' && !code.includes('allowed is') && !code.includes('no such setting');
      if (contradiction) continue;
      expect({ value, schema }).toEqual({ value, schema: code === 'accepted' });
      if (schema) accepted++;
      else refused++;
    }
    expect(refused).toBeGreaterThan(10);
    expect(accepted).toBeGreaterThan(0);
  });
});
