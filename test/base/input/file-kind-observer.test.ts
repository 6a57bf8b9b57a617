import { describe, expect, it } from 'vitest';
import { FileKindObserver } from '../../../src/base/input/file-kind-observer.ts';

/** Returns what is seen of bytes that come in pieces whose memory is used again. */
function seen(data: Buffer, piece = data.length || 1) {
  const observer = new FileKindObserver();
  for (let at = 0; at < data.length; at += piece) {
    const chunk = Buffer.from(data.subarray(at, at + piece));
    observer.update(chunk);
    chunk.fill(0x41);
  }
  return { kind: observer.kind, closed: observer.closed };
}

const PIECES = [1, 2, 3, 511, 512, 513, 100_000];
const tar = Buffer.alloc(1024);
tar.write('name');
tar.write('ustar', 257);
const image = (before: number) => Buffer.concat([Buffer.alloc(before, 1), Buffer.from('koly'), Buffer.alloc(508)]);

describe('FileKindObserver', () => {
  it.each(PIECES)('tells by the first and last 512 bytes, in pieces of %i bytes', (piece) => {
    expect(seen(tar, piece)).toEqual({ kind: 'tar', closed: 'a tar archive' });
    expect(seen(image(0), piece)).toEqual({ kind: 'disk-image', closed: 'a disk image' });
    expect(seen(image(1), piece).kind).toBe('disk-image');
    expect(seen(image(3000), piece).kind).toBe('disk-image');
    expect(seen(Buffer.concat([image(300), Buffer.alloc(1, 1)]), piece).kind).toBe('unknown');
    expect(seen(Buffer.concat([Buffer.alloc(1, 1), tar]), piece).kind).toBe('unknown');
    // Behind the first 512 bytes anything may follow.
    const text = Buffer.concat([Buffer.alloc(512, 0x61), Buffer.alloc(600)]);
    expect(seen(text, piece)).toEqual({ kind: 'text', closed: undefined });
    expect(seen(text.fill(0, 511), piece).kind).toBe('unknown');
  });

  it.each(PIECES)('finds data behind the text of a script, in pieces of %i bytes', (piece) => {
    const script = (tail: string) => Buffer.from(`#!/bin/sh\n${'echo\n'.repeat(400)}${tail}`, 'latin1');
    const carries = 'a script that carries data behind its text';
    expect(seen(script(''), piece)).toEqual({ kind: 'script', closed: undefined });
    expect(seen(script('\xff'), piece).closed).toBeUndefined();
    expect(seen(script('\0'), piece).closed).toBe(carries);
    expect(seen(script('\0echo'), piece).closed).toBe(carries);
    expect(seen(script(`\0${'echo\n'.repeat(200)}`), piece).closed).toBe(carries);
    // The NUL of what is no script says nothing.
    expect(seen(Buffer.concat([Buffer.from('echo\n'.repeat(400)), Buffer.alloc(1)]), piece).closed).toBeUndefined();
    expect(seen(Buffer.concat([Buffer.from('#?/bin/sh\n'.repeat(60)), Buffer.alloc(1)]), piece).closed).toBeUndefined();
  });

  it.each([
    ['504b0304', 'a zip archive'],
    ['656e6372636473', 'a disk image'],
    ['1f8b', 'gzip-compressed data'],
    ['425a68', 'bzip2-compressed data'],
    ['fd377a585a00', 'xz-compressed data'],
    ['303730373037', 'a cpio archive'],
    ['377abcaf271c', 'a 7z archive'],
    ['526172211a07', 'a RAR archive'],
    ['70627a78', 'a pbzx stream'],
    ['78617221', undefined],
    ['cffaedfe', undefined],
    ['62706c69737430', undefined],
    ['', undefined],
  ])('says of %s that nobody looks into %s', (hex, closed) => {
    expect(seen(Buffer.from(hex, 'hex')).closed).toBe(closed);
  });
});
