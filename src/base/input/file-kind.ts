/** What a file is, as far as its bytes tell. */
export type FileKind =
  | 'package'
  | 'bom'
  | 'mach-o'
  | 'zip'
  | 'disk-image'
  | 'gzip'
  | 'bzip2'
  | 'xz'
  | 'pbzx'
  | 'tar'
  | 'cpio'
  | 'binary-property-list'
  | 'apple-double'
  | 'windows-program'
  | 'linux-program'
  | 'pdf'
  | 'picture'
  | '7z'
  | 'rar'
  | 'html'
  | 'xml'
  | 'script'
  | 'text'
  | 'empty'
  | 'unknown';

/** What people call each kind, after "is". */
export const KIND_NAMES: Readonly<Record<FileKind, string>> = {
  package: 'a xar archive (flat package)',
  bom: 'a Bom file',
  'mach-o': 'a Mach-O file',
  zip: 'a zip archive',
  'disk-image': 'a disk image',
  gzip: 'gzip-compressed data',
  bzip2: 'bzip2-compressed data',
  xz: 'xz-compressed data',
  pbzx: 'a pbzx stream',
  tar: 'a tar archive',
  cpio: 'a cpio archive',
  'binary-property-list': 'a binary property list',
  'apple-double': 'an AppleDouble file (metadata of another file)',
  'windows-program': 'a Windows program or installer',
  'linux-program': 'a Linux program (ELF)',
  pdf: 'a PDF document',
  picture: 'a picture',
  '7z': 'a 7z archive',
  rar: 'a RAR archive',
  html: 'an HTML page, such as a server sends instead of the file asked for',
  xml: 'an XML document or property list',
  script: 'a script',
  text: 'text',
  empty: 'empty',
  unknown: 'of a kind that is not known',
};

/** Bytes at the start that `kindOfFile` needs, and at the end: a disk image says what it is in its last 512. */
export const KIND_HEAD_SIZE = 512;
export const KIND_TAIL_SIZE = 512;

/** First bytes in hexadecimal. Sources: xar.h, mach-o/loader.h and fat.h, RFC 1952, APPNOTE.TXT of zip, xz-file-format.txt, RFC 1740. */
const MAGICS: readonly (readonly [FileKind, string])[] = [
  ['package', '78617221'],
  ['bom', '424f4d53746f7265'],
  ['mach-o', 'cffaedfe'],
  ['mach-o', 'cefaedfe'],
  ['mach-o', 'feedfacf'],
  ['mach-o', 'feedface'],
  ['mach-o', 'cafebabe'],
  ['mach-o', 'cafebabf'],
  ['zip', '504b0304'],
  ['zip', '504b0506'],
  ['gzip', '1f8b'],
  ['bzip2', '425a68'],
  ['xz', 'fd377a585a00'],
  ['pbzx', '70627a78'],
  ['cpio', '303730373037'],
  ['cpio', '303730373031'],
  ['cpio', '303730373032'],
  ['binary-property-list', '62706c697374'],
  ['apple-double', '00051607'],
  ['windows-program', '4d5a'],
  ['windows-program', 'd0cf11e0a1b11ae1'],
  ['linux-program', '7f454c46'],
  ['pdf', '255044462d'],
  ['picture', '89504e470d0a1a0a'],
  ['picture', 'ffd8ff'],
  ['picture', '47494638'],
  ['picture', '69636e73'],
  ['disk-image', '6b6f6c79'],
  ['disk-image', '656e6372636473'],
  ['7z', '377abcaf271c'],
  ['rar', '526172211a07'],
];
/** `koly` of the trailer of a UDIF image, 512 bytes before the end. Source: hdiutil; reports of dmg2img. */
const IMAGE_TRAILER = 'koly';
/** Where a tar header has its magic. Source: POSIX.1-1988, ustar. */
const TAR_MAGIC_OFFSET = 257;

/**
 * Returns what a file is by its first and last bytes.
 *
 * @param head the first KIND_HEAD_SIZE bytes, or the whole file when it is shorter
 * @param tail the last KIND_TAIL_SIZE bytes, likewise
 * @example kindOfFile(Buffer.from('PK\x03\x04'), Buffer.alloc(0)) // 'zip'
 */
export function kindOfFile(head: Buffer, tail: Buffer): FileKind {
  if (head.length === 0) return 'empty';
  const start = head.toString('hex', 0, 16);
  // Many images begin like the compressed data inside them.
  if (tail.toString('latin1', 0, 4) === IMAGE_TRAILER) return 'disk-image';
  const known = MAGICS.find(([, magic]) => start.startsWith(magic));
  if (known) return known[0];
  if (head.toString('latin1', TAR_MAGIC_OFFSET, TAR_MAGIC_OFFSET + 5) === 'ustar') return 'tar';
  return kindOfText(head);
}

function kindOfText(head: Buffer): FileKind {
  const text = head.toString('latin1').replace(/^\xef\xbb\xbf/, '');
  if (/[\x00-\x08\x0e-\x1a\x1c-\x1f]/.test(text)) return 'unknown';
  if (text.startsWith('#!')) return 'script';
  if (/^\s*<(!doctype html|html|head|body)/i.test(text)) return 'html';
  return /^\s*<(\?xml|!DOCTYPE|[A-Za-z])/.test(text) ? 'xml' : 'text';
}
