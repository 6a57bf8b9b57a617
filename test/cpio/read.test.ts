import { execFileSync } from 'node:child_process';
import { linkSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ODC_HEADER } from '../../src/cpio/header.ts';
import { readCpio } from '../../src/cpio/read.ts';
import { writeCpio } from '../../src/cpio/write.ts';
import { check, needs } from '../support/needs.ts';
import { collect, directory, errorOf, faultOf, file, inPieces, symlink } from '../support/payload.ts';

const sample = await collect(writeCpio([directory('.'), file('./f', 'hello'), symlink('./l', 'f')]));
/** Where the headers lie: 76 bytes, name, data each. */
const F = 78;
const L = F + 76 + 4 + 5;
const TRAILER = L + 76 + 4 + 1;

async function list(archive: Buffer, piece = 64) {
  const found: string[] = [];
  for await (const { path, kind, data } of readCpio(inPieces(archive, piece))) {
    found.push(`${kind} ${path} ${(await collect(data)).toString()}`);
  }
  return found;
}

function patched(offset: number, text: string): Buffer {
  const archive = Buffer.from(sample);
  archive.write(text, offset, 'latin1');
  return archive;
}

const at = (header: number, field: Parameters<typeof ODC_HEADER.offsetOf>[0]) => header + ODC_HEADER.offsetOf(field);

describe('readCpio', () => {
  it.each([1, 2, 75, 76, 77, 1000])('reads what was written, in pieces of %i bytes', async (piece) => {
    expect(await list(sample, piece)).toEqual(['directory . ', 'file ./f hello', 'symlink ./l f']);
  });

  it('skips data that nobody reads', async () => {
    const paths: string[] = [];
    for await (const { path } of readCpio(inPieces(sample, 10))) paths.push(path);
    expect(paths).toEqual(['.', './f', './l']);
  });

  it('skips the rest of data that was read in part', async () => {
    const paths: string[] = [];
    for await (const { path, data } of readCpio(inPieces(sample, 2))) {
      paths.push(path);
      for await (const _ of data) break;
    }
    expect(paths).toEqual(['.', './f', './l']);
  });

  it('refuses every truncation', async () => {
    for (let size = 0; size < sample.length; size++) {
      expect(await faultOf(() => list(sample.subarray(0, size), 1 << 20))).toMatchObject({ code: 'FORMAT_TRUNCATED' });
    }
  });

  const numbers = ODC_HEADER.fields.filter(({ name }) => name !== 'magic');
  it.each(numbers)('refuses $name that is not an octal number, and names it', async ({ name, offset }) => {
    for (const bad of ['8', ' ', '-', '\0']) {
      const error = await errorOf(() => list(patched(F + offset, bad)));
      expect(error).toMatchObject({ code: 'CPIO_FIELD', offset: F + offset, message: expect.stringContaining(name) });
    }
  });

  it.each([
    ['another magic', patched(at(F, 'magic'), '070708'), 'CPIO_MAGIC', F],
    [
      'another flavour inside',
      Buffer.concat([sample.subarray(0, F), Buffer.from(`070701${'0'.repeat(104)}`)]),
      'CPIO_MIXED',
      F,
    ],
    ['a device', patched(at(F, 'mode'), '020644'), 'CPIO_MODE', F],
    ['a socket', patched(at(F, 'mode'), '140644'), 'CPIO_MODE', F],
    ['no type', patched(at(F, 'mode'), '000644'), 'CPIO_MODE', F],
    ['mode bits beyond 16', patched(at(F, 'mode'), '700644'), 'CPIO_MODE', F],
    ['a name of no bytes', patched(at(F, 'nameSize'), '000000'), 'CPIO_NAME', F],
    ['a name of one byte', patched(at(F, 'nameSize'), '000001'), 'CPIO_NAME', F],
    ['a name that is too long', patched(at(F, 'nameSize'), '777777'), 'CPIO_NAME', F],
    ['a name whose NUL comes early', patched(at(F, 'nameSize'), '000005'), 'CPIO_NAME', F],
    ['a name without NUL', patched(at(F, 'nameSize'), '000003'), 'CPIO_NAME', F],
    ['a name that is not UTF-8', patched(F + 78, '\xff'), 'CPIO_NAME', F],
    ['an absolute name', patched(F + 76, '/ff'), 'CPIO_NAME', F],
    ['the name ".."', patched(F + 76, '..\0').subarray(0), 'CPIO_NAME', F],
    ['a folder with data', patched(at(0, 'fileSize'), '00000000001'), 'CPIO_SIZE', 0],
    ['a link without target', patched(at(L, 'fileSize'), '00000000000'), 'CPIO_SIZE', L],
    ['a link with a huge target', patched(at(L, 'fileSize'), '77777777777'), 'CPIO_SIZE', L],
    ['a file that is longer', patched(at(F, 'fileSize'), '00000000006'), 'CPIO_MAGIC', L + 1],
    ['a file longer than the archive', patched(at(F, 'fileSize'), '77777777777'), 'FORMAT_TRUNCATED', 512],
    ['a trailer with data', patched(at(TRAILER, 'fileSize'), '00000000001'), 'CPIO_TRAILER', TRAILER],
    ['a byte behind the trailer', patched(500, 'x'), 'CPIO_PADDING', 500],
  ])('refuses %s', async (_, archive, code, offset) => {
    expect(await faultOf(() => list(archive))).toEqual({ code, offset });
  });

  it('tells whoever reads the data of a file that it ends before', async () => {
    const given: string[] = [];
    const reading = async () => {
      for await (const { kind, data } of readCpio(inPieces(sample.subarray(0, F + 76 + 4 + 3), 10)))
        if (kind === 'file') for await (const chunk of data) given.push(chunk.toString());
    };
    const error = await errorOf(reading);
    expect(error).toMatchObject({ code: 'FORMAT_TRUNCATED', format: 'CpioData', offset: F + 76 + 4 + 3 });
    expect(error.message).toContain('expected 5 bytes, found 3');
    expect(given.join('')).toBe('hel');
  });

  it('says that a name is absolute', async () => {
    expect((await errorOf(() => list(patched(F + 76, '/ff')))).message).toContain('absolute');
  });

  it('refuses padding that is not a multiple of 512', async () => {
    const fault = { code: 'FORMAT_TRUNCATED', offset: 513 };
    expect(await faultOf(() => list(Buffer.concat([sample, Buffer.alloc(1)])))).toEqual(fault);
  });

  it.each(['./a/../../etc', './../x', 'a//b', './a/', '../x', './', './a/./b'])('refuses the name %j', async (name) => {
    const bytes = Buffer.from(`${name}\0`);
    const header = sample.subarray(F, F + 76);
    const archive = Buffer.concat([header, bytes, Buffer.from('hello'), sample.subarray(TRAILER)]);
    archive.write(bytes.length.toString(8).padStart(6, '0'), ODC_HEADER.offsetOf('nameSize'), 'latin1');
    expect(await faultOf(() => list(archive))).toEqual({ code: 'CPIO_NAME', offset: 0 });
  });

  it('passes on what its source throws and closes it', async () => {
    let closed = false;
    async function* source() {
      try {
        yield sample.subarray(0, 100);
        throw new Error('disk on fire');
      } finally {
        closed = true;
      }
    }
    const reading = async () => {
      for await (const _ of readCpio(source()));
    };
    await expect(reading()).rejects.toThrow('disk on fire');
    expect(closed).toBe(true);
  });

  const cpio = needs('cpio', 'sh');
  it.skipIf(cpio.missing).each(['odc', 'newc', 'crc'])(
    `reads what GNU cpio writes as %s${cpio.note}`,
    async (format) => {
      const script = `d=$(mktemp -d) && cd "$d" && mkdir -p "a b" && printf hello > "a b/f" && ln -s "a b/f" l && printf x > odd &&
      printf '%s\\n' . "./a b" "./a b/f" ./l ./odd | cpio -o --quiet -H ${format}; cd / && rm -r "$d"`;
      const archive = check('sh', ['-c', script]);
      const expected = ['directory . ', 'directory ./a b ', 'file ./a b/f hello', 'symlink ./l a b/f', 'file ./odd x'];
      for (const piece of [1, 1000]) expect(await list(archive, piece)).toEqual(expected);
      if (format !== 'crc') return;
      const broken = Buffer.from(archive);
      broken.write('j', broken.indexOf('hello'));
      expect(await faultOf(() => list(broken))).toMatchObject({ code: 'CPIO_CHECKSUM' });
    },
  );
});

describe('a hard link in an archive of GNU cpio', () => {
  const cpio = needs('cpio');
  const archiveOf = (content: string, format: string) => {
    const folder = mkdtempSync(join(tmpdir(), 'cpio-links-'));
    try {
      writeFileSync(join(folder, 'a'), content);
      linkSync(join(folder, 'a'), join(folder, 'b'));
      return execFileSync('cpio', ['-o', '--quiet', '-H', format], { cwd: folder, input: 'a\nb\n' });
    } finally {
      rmSync(folder, { recursive: true });
    }
  };

  it.skipIf(cpio.missing)(`is refused where its data follows at another name (newc)${cpio.note}`, async () => {
    expect(await faultOf(() => list(archiveOf('hello', 'newc')))).toEqual({ code: 'CPIO_HARD_LINK', offset: 0 });
  });

  it.skipIf(cpio.missing)(`is a file of its own where the data is repeated (odc)${cpio.note}`, async () => {
    expect(await list(archiveOf('hello', 'odc'))).toEqual(['file ./a hello', 'file ./b hello']);
  });
});
