import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findLlvmProgram } from '../../src/toolchain/portable/llvm.ts';
import { ARCHITECTURES, BUILD, PLUGIN_FOLDER, withoutComments } from '../plugin/source.ts';
import { RustHeaders } from './apple-headers.ts';
import { crateSources, pythonPackageFolder } from './install.ts';

/** Carries Apple's open headers of libSystem, as cross-compiling with zig needs them. */
const ZIG = '0.17.1';
/** Generated from Apple's headers of CoreFoundation and Security. */
const OBJC2 = '0.3.2';
/** No registry carries os/log.h; its one function is declared after others' decompiled binaries (see sdk/include/os/log.h). */
const WITHOUT_WITNESS = ['os/log.h'];

const stubs = join(PLUGIN_FOLDER, BUILD.stubHeaders);
const work = mkdtempSync(join(tmpdir(), 'abi-'));
const apple = join(work, 'apple');
let zig = '';
let clangHeaders = '';
afterAll(() => rmSync(work, { recursive: true, force: true }));

const stub = (name: string) => withoutComments(readFileSync(join(stubs, name), 'utf8'));
const names = (text: string, pattern: RegExp) => [
  ...new Set([...text.matchAll(pattern)].map((match) => match[1] as string)),
];

/** CoreFoundation.h with the same names as our stub, their types and values from the crate. */
function coreFoundation(crates: string): string {
  const rust = new RustHeaders([join(crates, 'objc2-core-foundation')]);
  const ours = stub('CoreFoundation/CoreFoundation.h');
  const functions = names(ours, /\b(CF\w+)\(/g).filter((name) => name !== 'CFSTR');
  const variables = names(ours, /extern const \w+ (\w+);/g);
  const constants = names(ours, /\b(kCF\w+) = /g);
  const lines = [
    // The crate has no wrapper for CFRelease: it declares one for itself, with the pointer it has there.
    ...functions.map((name) => rust.function(name).replace('CFRelease(void *)', 'CFRelease(CFTypeRef)')),
    ...variables.map((name) => rust.variable(name)),
    ...constants.map((name) => `enum { ${name} = ${rust.constant(name)} };`),
    'typedef CFTypeRef CFPropertyListRef;',
    `#define CFSTR(text) ${/#define CFSTR\(text\) (.*)/.exec(ours)?.[1]}`,
  ];
  return ['#ifndef APPLE_CF_H', '#define APPLE_CF_H', rust.typedefs, ...lines, '#endif', ''].join('\n');
}

/** AuthorizationPlugin.h likewise, with the later members of AuthorizationCallbacks that our stub leaves out. */
function authorizationPlugin(crates: string): string {
  const rust = new RustHeaders([join(crates, 'objc2-security'), join(crates, 'objc2-core-foundation')]);
  const ours = stub('Security/AuthorizationPlugin.h');
  const wanted = [
    'AuthorizationSessionId',
    'AuthorizationMechanismId',
    'AuthorizationContextFlags',
    'AuthorizationResult',
  ];
  for (const name of [...wanted, 'AuthorizationEngineRef', 'OSStatus']) rust.c(name);
  const structs = names(ours, /typedef struct (Authorization\w+) \{/g).map((name) => rust.struct(name));
  const constants = names(ours, /\b(errAuthorization\w+|kAuthorizationResult\w+) = /g);
  const lines = [
    ...structs,
    ...constants.map((name) => `enum { ${name} = ${rust.constant(name)} };`),
    // The crate has no macros; the header of every release says 0.
    'enum { kAuthorizationPluginInterfaceVersion = 0 };',
    /OSStatus AuthorizationPluginCreate\([^;]*;/.exec(ours)?.[0],
  ];
  const head = ['#include <stddef.h>', '#include <stdint.h>', '#include <CoreFoundation/CoreFoundation.h>'];
  return [
    '#ifndef APPLE_PLUGIN_H',
    '#define APPLE_PLUGIN_H',
    ...head,
    'typedef unsigned int UInt32; /* MacTypes.h; u32 in the crate */',
    rust.typedefs,
    ...lines,
    '#endif',
    '',
  ].join('\n');
}

beforeAll(() => {
  zig = join(pythonPackageFolder('ziglang', ZIG), 'lib/libc/include/any-darwin-any');
  clangHeaders = join(
    execFileSync(findLlvmProgram('clang'), ['-print-resource-dir'], { encoding: 'utf8' }).trim(),
    'include',
  );
  const crates = crateSources({ 'objc2-core-foundation': OBJC2, 'objc2-security': OBJC2 });
  const write = (name: string, text: string) => {
    mkdirSync(dirname(join(apple, name)), { recursive: true });
    writeFileSync(join(apple, name), text);
  };
  write('CoreFoundation/CoreFoundation.h', coreFoundation(crates));
  write('Security/AuthorizationPlugin.h', authorizationPlugin(crates));
  for (const name of WITHOUT_WITNESS) {
    mkdirSync(dirname(join(apple, name)), { recursive: true });
    cpSync(join(stubs, name), join(apple, name));
  }
});

/** Returns the assembly of a C file, compiled as build.json says against our stubs or against Apple's. */
function assembly(source: string, target: string, against: 'stubs' | 'apple'): string {
  const headers = against === 'stubs' ? [stubs] : [apple, clangHeaders, zig];
  // Apple's string.h would otherwise call the checking forms of memcpy.
  const flags = [`--target=${target}`, ...BUILD.compilerFlags, '-D_FORTIFY_SOURCE=0', '-nostdinc'];
  const include = headers.flatMap((folder) => ['-isystem', folder]);
  const argv = [...flags, ...include, '-I', PLUGIN_FOLDER, '-S', '-o', '-', source];
  return execFileSync(findLlvmProgram('clang'), argv, { encoding: 'utf8', cwd: PLUGIN_FOLDER, stdio: 'pipe' });
}

/** The headers that have a witness, by the name a source includes them by. */
const headers = readdirSync(stubs, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.h') && !WITHOUT_WITNESS.includes(name))
  .sort();

/** A C file in which each constant and each layout of our stubs is a number. */
function tableOfNumbers(): string {
  const lines = headers.flatMap((name) => {
    const text = stub(name);
    const macros = names(text, /^#define ([A-Z]\w+) [^(\s]/gm).filter((macro) => !macro.startsWith('SDK_'));
    const enums = [...text.matchAll(/enum \{([^}]*)\}/g)].flatMap((match) => names(match[1] as string, /(\w+) =/g));
    const types = names(text, /typedef [^;{}()]*?\b(\w+);/g);
    const structs = [...text.matchAll(/struct (\w+) \{([^}]*)\}/g)];
    return [
      ...[...macros, ...enums].map((constant) => `const long long value_${constant} = (long long)${constant};`),
      ...types.map((type) => `const unsigned long size_${type} = sizeof(${type});`),
      ...structs.flatMap(([, struct, body]) => layoutOf(struct as string, body as string)),
    ];
  });
  return `${headers.map((name) => `#include <${name}>`).join('\n')}\n${lines.join('\n')}\n`;
}

function layoutOf(struct: string, body: string): string[] {
  const callbacks = names(body, /\(\*(\w+)\)/g);
  const plain = names(body.replace(/\w+ \(\*[^;]*;/g, ''), /\b(\w+)(?:\[\d+\])?;/g);
  // Callbacks of later versions stand behind ours, so only the places of ours are compared.
  const size =
    struct === 'AuthorizationCallbacks'
      ? []
      : [`const unsigned long size_struct_${struct} = sizeof(struct ${struct});`];
  const offsets = [...callbacks, ...plain].map(
    (field) =>
      `const unsigned long offset_${struct}_${field} = __builtin_offsetof(struct ${struct}, ${field}) * 1000 + sizeof(((struct ${struct} *)0)->${field});`,
  );
  return [...size, ...offsets];
}

describe.each(ARCHITECTURES)("the plug-in, compiled against Apple's headers for $name", ({ target }) => {
  it.each(BUILD.sources)('is the same code: %s', (source) => {
    expect(assembly(source, target, 'apple')).toBe(assembly(source, target, 'stubs'));
  });

  it('has the same constants and layouts', () => {
    const table = join(work, 'table.c');
    writeFileSync(table, tableOfNumbers());
    const ours = assembly(table, target, 'stubs');
    expect(ours.match(/^_(value|size|offset)_\w+:/gm)?.length).toBeGreaterThan(90);
    expect(assembly(table, target, 'apple')).toBe(ours);
  });
});
