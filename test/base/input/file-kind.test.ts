import { describe, expect, it } from 'vitest';
import { type FileKind, kindOfFile } from '../../../src/base/input/file-kind.ts';

const NONE = Buffer.alloc(0);
const tar = Buffer.alloc(512);
tar.write('name', 0);
tar.write('ustar', 257);
const image = Buffer.alloc(512);
image.write('koly', 0);

describe('kindOfFile', () => {
  it.each<[FileKind, Buffer, Buffer?]>([
    ['package', Buffer.from('xar!\0\x1c')],
    ['bom', Buffer.from('BOMStore')],
    ['mach-o', Buffer.from('cffaedfe0c000001', 'hex')],
    ['mach-o', Buffer.from('cafebabe00000002', 'hex')],
    ['zip', Buffer.from('PK\x03\x04')],
    ['disk-image', Buffer.from('78da6360', 'hex'), image],
    ['disk-image', Buffer.from('encrcdsa')],
    ['gzip', Buffer.from('1f8b08', 'hex')],
    ['bzip2', Buffer.from('BZh9')],
    ['xz', Buffer.from('fd377a585a00', 'hex')],
    ['tar', tar],
    ['cpio', Buffer.from('0707070000')],
    ['apple-double', Buffer.from('0005160700020000', 'hex')],
    ['windows-program', Buffer.from('MZ\x90\0')],
    ['html', Buffer.from('<!DOCTYPE html><html>')],
    ['html', Buffer.from('\n<html lang="en">')],
    ['xml', Buffer.from('<?xml version="1.0"?>')],
    ['script', Buffer.from('#!/bin/sh\n')],
    ['text', Buffer.from('hello, world\r\n')],
    ['text', Buffer.from('Grüße')],
    ['empty', NONE],
    ['unknown', Buffer.from('78617220', 'hex').fill(1)],
  ])('%s', (kind, head, tail = NONE) => {
    expect(kindOfFile(head, tail)).toBe(kind);
  });
});
