import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { PURE_PARTS } from './native/pure-parts.ts';
import { compileNative, PLUGIN_FOLDER, sanitizers } from './source.ts';

const NATIVE = fileURLToPath(new URL('native/', import.meta.url));
const CORPUS = fileURLToPath(new URL('../fixtures/fuzz/', import.meta.url));

/** Compiles the native sources with the pure parts of the plug-in, runs them, and returns what they print. */
function runNative(sources: readonly string[], argv: readonly string[]): string {
  const own = sources.map((name) => join(NATIVE, name));
  const program = compileNative([...own, ...PURE_PARTS.map((name) => join(PLUGIN_FOLDER, name))], ['-I', NATIVE]);
  try {
    return execFileSync(program.path, argv, { encoding: 'utf8', stdio: 'pipe' });
  } finally {
    program.remove();
  }
}

describe('pure parts of the plug-in, natively under AddressSanitizer and UndefinedBehaviorSanitizer', () => {
  it.skipIf(sanitizers.missing)(`pass every check${sanitizers.note}`, () => {
    const sources = readdirSync(NATIVE).filter((name) => /^check.*\.c$/.test(name));
    const lines = runNative(sources, []).trim().split('\n');
    expect(lines.filter((line) => !line.startsWith('ok '))).toEqual([]);
    expect(lines.length).toBeGreaterThan(150);
  });

  it.skipIf(sanitizers.missing).each(['setting-value', 'input-plist', 'scrub'])(
    `fuzz target %s holds on its corpus${sanitizers.note}`,
    (target) => {
      const folder = join(CORPUS, target);
      const inputs = readdirSync(folder).map((name) => join(folder, name));
      const ran = runNative([`fuzz-${target}.c`, 'replay.c'], inputs);
      expect(Number(ran)).toBe(inputs.length);
      expect(inputs.length).toBeGreaterThan(10);
    },
  );
});
