import { describe, expect, it } from 'vitest';
import {
  type FileKind,
  KIND_HEAD_SIZE,
  KIND_NAMES,
  KIND_TAIL_SIZE,
  kindOfFile,
} from '../../../src/base/input/file-kind.ts';

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

  // Magic numbers as file(1) knows them.
  it.each<[string, FileKind]>([
    ['cefaedfe', 'mach-o'],
    ['feedfacf', 'mach-o'],
    ['feedface', 'mach-o'],
    ['cafebabf', 'mach-o'],
    ['504b0506', 'zip'],
    ['425a68', 'bzip2'],
    ['70627a78', 'pbzx'],
    ['303730373031', 'cpio'],
    ['303730373032', 'cpio'],
    ['62706c697374', 'binary-property-list'],
    ['d0cf11e0a1b11ae1', 'windows-program'],
    ['7f454c46', 'linux-program'],
    ['255044462d', 'pdf'],
    ['89504e470d0a1a0a', 'picture'],
    ['ffd8ff', 'picture'],
    ['47494638', 'picture'],
    ['69636e73', 'picture'],
    ['6b6f6c79', 'disk-image'],
    ['377abcaf271c', '7z'],
    ['526172211a07', 'rar'],
  ])('%s is of %s, and not without its last byte or behind another', (hex, kind) => {
    const magic = Buffer.from(hex, 'hex');
    expect(kindOfFile(magic, NONE)).toBe(kind);
    expect(kindOfFile(Buffer.concat([magic, Buffer.alloc(600)]), NONE)).toBe(kind);
    expect(kindOfFile(magic.subarray(0, -1), NONE)).not.toBe(kind);
    expect(kindOfFile(Buffer.concat([Buffer.from([1]), magic]), NONE)).not.toBe(kind);
  });

  it.each<[string, FileKind]>([
    ['\x00', 'unknown'],
    ['\x08', 'unknown'],
    ['\t', 'text'],
    ['\r', 'text'],
    ['\x0e', 'unknown'],
    ['\x1a', 'unknown'],
    ['\x1b', 'text'],
    ['\x1c', 'unknown'],
    ['\x1f', 'unknown'],
    [' ', 'text'],
    ['\xef\xbb\xbf#!/bin/sh', 'script'],
    ['\xef\xbb\xbf<?xml version="1.0"?>', 'xml'],
    [' #!/bin/sh', 'text'],
    ['#!', 'script'],
    ['#', 'text'],
    ['<HEAD>', 'html'],
    ['<body>', 'html'],
    ['<!doctype HTML>', 'html'],
    ['a <html>', 'text'],
    ['<!DOCTYPE plist>', 'xml'],
    ['\n <plist>', 'xml'],
    ['<1', 'text'],
    ['a <plist>', 'text'],
  ])('text that is %j is of %s', (text, kind) => {
    expect(kindOfFile(Buffer.from(text, 'latin1'), NONE)).toBe(kind);
  });

  it('finds the mark of a tar archive and of an image in their place alone', () => {
    const at = (offset: number, mark: string) => {
      const data = Buffer.alloc(512, 1);
      data.write(mark, offset);
      return data;
    };
    expect([256, 257, 258].map((offset) => kindOfFile(at(offset, 'ustar'), NONE))).toEqual([
      'unknown',
      'tar',
      'unknown',
    ]);
    expect(kindOfFile(at(257, 'ustaR'), NONE)).toBe('unknown');
    expect([0, 1].map((offset) => kindOfFile(at(0, ''), at(offset, 'koly')))).toEqual(['disk-image', 'unknown']);
    expect(kindOfFile(NONE, at(0, 'koly'))).toBe('empty');
    expect([KIND_HEAD_SIZE, KIND_TAIL_SIZE]).toEqual([512, 512]);
  });

  it('has words for each kind', () => {
    expect(KIND_NAMES['disk-image']).toBe('a disk image');
    expect(new Set(Object.values(KIND_NAMES)).size).toBe(25);
  });
});
