import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Architectures of a universal executable: cputype of mach/machine.h. */
const CPU_TYPES = { x86_64: 0x01000007, arm64: 0x0100000c } as const;
export type Architecture = keyof typeof CPU_TYPES;

const PAGE = 4096;

/**
 * Writes a bundle whose seal is whole: an empty universal Mach-O with an ad-hoc CodeDirectory, and CodeResources.
 *
 * It is for the simulated Mac alone, where nothing loads it: enough for `file`, for `codesign --verify` of damage, and
 * small. Layouts: mach-o/loader.h, mach-o/fat.h, codedirectory.h of Security.
 *
 * @param version as Info.plist has it; `team`: who signed, `ABCDE12345` by default, null for nobody (ad hoc)
 * @param folder the bundle's own path, ending in `.bundle`
 * @param resources files below Contents/Resources, name to content; `.sh` files are made executable
 */
export function writeSealedBundle(
  folder: string,
  version: { short: string; build: string; team?: string | null },
  resources: Readonly<Record<string, string | Buffer>>,
  architectures: readonly Architecture[] = ['x86_64', 'arm64'],
): void {
  const contents = join(folder, 'Contents');
  const put = (name: string, bytes: string | Buffer, mode = 0o644) => {
    const path = join(contents, name);
    mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
    writeFileSync(path, bytes);
    chmodSync(path, mode);
  };
  const info = renderInfo(version);
  const sealed = renderResources(resources);
  put('Info.plist', info);
  for (const [name, bytes] of Object.entries(resources))
    put(`Resources/${name}`, bytes, name.endsWith('.sh') ? 0o755 : 0o644);
  put('_CodeSignature/CodeResources', sealed);
  const team = version.team === undefined ? 'ABCDE12345' : version.team;
  put(
    'MacOS/Escrow Buddy',
    universal(architectures, { info: Buffer.from(info), sealed: Buffer.from(sealed), team }),
    0o755,
  );
}

function plist(body: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n<plist version="1.0">\n<dict>\n${body}</dict>\n</plist>\n`;
}

function renderInfo(version: { short: string; build: string }): string {
  const keys: Record<string, string> = {
    CFBundleExecutable: 'Escrow Buddy',
    CFBundleIdentifier: 'com.netflix.Escrow-Buddy',
    CFBundleName: 'Escrow Buddy',
    CFBundlePackageType: 'BNDL',
    CFBundleShortVersionString: version.short,
    CFBundleVersion: version.build,
  };
  return plist(
    Object.entries(keys)
      .map(([key, value]) => `\t<key>${key}</key>\n\t<string>${value}</string>\n`)
      .join(''),
  );
}

function sha256(bytes: string | Buffer): Buffer {
  return createHash('sha256').update(bytes).digest();
}

function renderResources(resources: Readonly<Record<string, string | Buffer>>): string {
  const files = Object.entries(resources)
    .map(([name, bytes]) => [`Resources/${name}`, sha256(bytes).toString('base64')] as const)
    .map(([name, hash]) => `<key>${name}</key><dict><key>hash2</key><data>${hash}</data></dict>\n`);
  return plist(`<key>files2</key>\n<dict>\n${files.join('')}</dict>\n`);
}

/** What a slice's signature is made of. */
interface Sealed {
  readonly info: Buffer;
  readonly sealed: Buffer;
  readonly team: string | null;
}

/** SuperBlob with one CodeDirectory of version 0x20200, SHA-256, slots for Info.plist (-1) and CodeResources (-3). */
function signature(code: Buffer, { info, sealed, team }: Sealed): Buffer {
  const identifier = Buffer.from('com.netflix.Escrow-Buddy\0');
  const names = Buffer.concat([identifier, Buffer.from(team === null ? '' : `${team}\0`)]);
  const pages = Math.ceil(code.length / PAGE);
  const header = Buffer.alloc(52);
  const specials = [sha256(sealed), Buffer.alloc(32), sha256(info)];
  const hashes = Array.from({ length: pages }, (_, i) => sha256(code.subarray(i * PAGE, (i + 1) * PAGE)));
  const size = header.length + names.length + 32 * (specials.length + hashes.length);
  header.writeUInt32BE(0xfade0c02, 0);
  header.writeUInt32BE(size, 4);
  header.writeUInt32BE(0x20200, 8);
  header.writeUInt32BE(team === null ? 2 : 0, 12); // adhoc
  header.writeUInt32BE(header.length + names.length + 32 * specials.length, 16);
  header.writeUInt32BE(header.length, 20);
  header.writeUInt32BE(specials.length, 24);
  header.writeUInt32BE(pages, 28);
  header.writeUInt32BE(code.length, 32);
  header.set([32, 2, 0, 12], 36); // hash size, SHA-256, platform, log2 of the page size
  if (team !== null) header.writeUInt32BE(header.length + identifier.length, 48);
  const directory = Buffer.concat([header, names, ...specials, ...hashes]);
  const superBlob = Buffer.alloc(20);
  superBlob.writeUInt32BE(0xfade0cc0, 0);
  superBlob.writeUInt32BE(superBlob.length + directory.length, 4);
  superBlob.writeUInt32BE(1, 8);
  superBlob.writeUInt32BE(superBlob.length, 16);
  return Buffer.concat([superBlob, directory]);
}

function slice(architecture: Architecture, sealed: Sealed): Buffer {
  const code = Buffer.alloc(2 * PAGE);
  code.writeUInt32LE(0xfeedfacf, 0);
  code.writeUInt32LE(CPU_TYPES[architecture], 4);
  code.writeUInt32LE(8, 12); // MH_BUNDLE
  code.writeUInt32LE(1, 16); // commands
  code.writeUInt32LE(16, 20); // their bytes
  code.writeUInt32LE(0x1d, 32); // LC_CODE_SIGNATURE
  code.writeUInt32LE(16, 36);
  code.writeUInt32LE(code.length, 40);
  code.writeUInt32LE(signature(code, sealed).length, 44);
  return Buffer.concat([code, signature(code, sealed)]);
}

function universal(architectures: readonly Architecture[], sealed: Sealed): Buffer {
  const slices = architectures.map((architecture) => slice(architecture, sealed));
  const header = Buffer.alloc(PAGE);
  header.writeUInt32BE(0xcafebabe, 0);
  header.writeUInt32BE(slices.length, 4);
  let offset = header.length;
  const padded = slices.map((bytes, i) => {
    header.writeUInt32BE(CPU_TYPES[architectures[i]!], 8 + 20 * i);
    header.writeUInt32BE(offset, 16 + 20 * i);
    header.writeUInt32BE(bytes.length, 20 + 20 * i);
    header.writeUInt32BE(12, 24 + 20 * i);
    const last = i === slices.length - 1;
    const whole = Buffer.alloc(last ? bytes.length : Math.ceil(bytes.length / PAGE) * PAGE);
    bytes.copy(whole);
    offset += whole.length;
    return whole;
  });
  return Buffer.concat([header, ...padded]);
}
