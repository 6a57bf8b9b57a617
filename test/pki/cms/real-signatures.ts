import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { inflateSync } from 'node:zlib';

/** One CMS signature of a real file, cut out with as little understanding of the file as will do. */
export interface RealSignature {
  readonly name: string;
  readonly cms: Buffer;
  readonly content: Buffer;
  readonly purpose: 'installer' | 'application';
}

/** Returns the CMS of every signed package and of every slice of the code in a folder of real files. */
export function realSignatures(folder: string): RealSignature[] {
  const packages = readdirSync(join(folder, 'pkg'))
    .filter((name) => name.endsWith('.pkg'))
    .flatMap((name) => packageSignature(name, readFileSync(join(folder, 'pkg', name))));
  const code = ['MacOS/FV2AuthPlugin', 'XPCServices/fde-service.xpc/Contents/MacOS/fde-service'].flatMap((path) =>
    codeSignatures(path, readFileSync(join(folder, 'bundle/FV2AuthPlugin.bundle/Contents', path))),
  );
  return [...packages, ...code];
}

function packageSignature(name: string, file: Buffer): RealSignature[] {
  const heap = file.readUInt16BE(4) + Number(file.readBigUInt64BE(8));
  const compressed = file.subarray(file.readUInt16BE(4), heap);
  const toc = inflateSync(compressed).toString('utf8');
  const element = /<x-signature style="CMS">([\s\S]*?)<\/x-signature>/.exec(toc)?.[1];
  if (!element) return [];
  const number = (tag: string) => Number(new RegExp(`<${tag}>(\\d+)</${tag}>`).exec(element)?.[1]);
  const cms = file.subarray(heap + number('offset'), heap + number('offset') + number('size'));
  return [{ name, cms, content: createHash('sha1').update(compressed).digest(), purpose: 'installer' }];
}

function codeSignatures(name: string, file: Buffer): RealSignature[] {
  const found: RealSignature[] = [];
  const magic = Buffer.from('fade0cc0', 'hex');
  for (let at = file.indexOf(magic); at >= 0; at = file.indexOf(magic, at + 4)) {
    const blobs = new Map<number, Buffer>();
    for (let index = 0; index < file.readUInt32BE(at + 8); index++) {
      const start = at + file.readUInt32BE(at + 12 + index * 8 + 4);
      blobs.set(file.readUInt32BE(at + 12 + index * 8), file.subarray(start, start + file.readUInt32BE(start + 4)));
    }
    const [directory, wrapper] = [blobs.get(0), blobs.get(0x10000)];
    if (directory && wrapper) {
      found.push({ name: `${name} at ${at}`, cms: wrapper.subarray(8), content: directory, purpose: 'application' });
    }
  }
  return found;
}
