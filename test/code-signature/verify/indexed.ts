import { createHash } from 'node:crypto';
import type { IndexedEntry } from '../../../src/code-signature/verify/file-index.ts';

/** Entries of a tree as a check of bundles takes them, without a disk or a signature. */
export const digest = (name: string, data: string) => createHash(name).update(data).digest();
export const INFO = '<plist version="1.0"><dict><key>CFBundleExecutable</key><string>tool</string></dict></plist>';
export const file = (path: string, text = 'x'): IndexedEntry => ({
  path,
  sha1: digest('sha1', text),
  sha256: digest('sha256', text),
  code: path.includes('MacOS/') || path.endsWith('tool'),
  content: /(Info\.plist|CodeResources)$/.test(path) ? Buffer.from(text) : undefined,
});
export const link = (path: string, symlink: string): IndexedEntry => ({ path, symlink });
/** A bundle `A.app` with nothing but its Info.plist and its program. */
export const PLAIN = [file('A.app/Contents/Info.plist', INFO), file('A.app/Contents/MacOS/tool')];
