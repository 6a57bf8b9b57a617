import { flipAt, inFile, type Plants } from './plants.ts';

/** Path of the program in the payload. */
export const PROGRAM = './Escrow Buddy.bundle/Contents/MacOS/Escrow Buddy';

/** Offsets of the slices in the universal file. */
const sliceAt = (program: Buffer, index: number) => ({
  offset: program.readUInt32BE(16 + index * 20),
  size: program.readUInt32BE(20 + index * 20),
});
/** A byte of machine code: the first one of the section __text, a little way in. */
const textOf = (index: number) => (program: Buffer) => {
  const { offset } = sliceAt(program, index);
  const name = program.indexOf('__text\0', offset);
  return offset + program.readUInt32LE(name + 48) + 40;
};
const signatureOf = (program: Buffer, index: number) =>
  program.indexOf(Buffer.from('fade0cc0', 'hex'), sliceAt(program, index).offset);

export const CODE: Plants = {
  'a byte of x86_64 code': [/code of x86_64: byte/, inFile(PROGRAM, flipAt(textOf(0)))],
  'a byte of arm64 code': [/code of arm64: byte/, inFile(PROGRAM, flipAt(textOf(1)))],
  'a bit of a Mach-O header': [
    /code of x86_64: byte/,
    inFile(
      PROGRAM,
      flipAt((p) => sliceAt(p, 0).offset + 24),
    ),
  ],
};

const numberAt = (place: number, value: number) => (program: Buffer) => {
  const copy = Buffer.from(program);
  copy.writeUInt32BE(value, place);
  return copy;
};

export const SLICES: Plants = {
  'slices exchanged': [
    /slices are arm64, x86_64/,
    inFile(PROGRAM, (p) => Buffer.concat([p.subarray(0, 8), p.subarray(28, 48), p.subarray(8, 28), p.subarray(48)])),
  ],
  'one slice left out': [
    /slices are x86_64, not/,
    inFile(PROGRAM, (p) => {
      const copy = Buffer.from(p);
      copy.writeUInt32BE(1, 4);
      return copy;
    }),
  ],
  'a slice of another processor': [
    /slices are x86_64, processor 12/,
    inFile(PROGRAM, (p) => {
      const copy = Buffer.from(p);
      copy.writeUInt32BE(12, 28);
      return copy;
    }),
  ],
  'a program that is none': [
    /program is not a universal one/,
    inFile(
      PROGRAM,
      flipAt(() => 3),
    ),
  ],
  'a program of seven bytes': [/program is not a universal one/, inFile(PROGRAM, (p) => p.subarray(0, 7))],
  'a newer x86_64': [/slice of x86_64 does not lie where it should/, inFile(PROGRAM, numberAt(12, 8))],
  'a newer arm64': [/slice of arm64 does not lie where it should/, inFile(PROGRAM, numberAt(32, 2))],
  'a slice on no border': [/slice of x86_64 does not lie where it should/, inFile(PROGRAM, numberAt(24, 20))],
  'a slice that lies too far away': [/slice of x86_64 does not lie where it should/, inFile(PROGRAM, numberAt(24, 2))],
  'bytes behind the program': [
    /bytes follow the program/,
    inFile(PROGRAM, (p) => Buffer.concat([p, Buffer.from('x')])),
  ],
  'bytes between slices': [
    /does not lie where it should/,
    inFile(
      PROGRAM,
      flipAt((p) => sliceAt(p, 0).offset - 3),
    ),
  ],
};

export const SIGNATURES: Plants = {
  'entitlements in a signature': [
    /signature of x86_64 has the parts 0, 5, 65536/,
    inFile(PROGRAM, (p) => {
      const copy = Buffer.from(p);
      copy.writeUInt32BE(5, signatureOf(copy, 0) + 20);
      return copy;
    }),
  ],
  'something in the place of a signature': [
    /code of x86_64 is followed by something that is not a signature/,
    inFile(
      PROGRAM,
      flipAt((p) => signatureOf(p, 0) + 3),
    ),
  ],
  'one part more in a signature': [
    /signature of arm64 has the parts 0, 2, 65536, /,
    inFile(
      PROGRAM,
      flipAt((p) => signatureOf(p, 1) + 10),
    ),
  ],
  'bytes behind a signature': [
    /bytes follow the signature of arm64/,
    inFile(
      PROGRAM,
      flipAt((p) => sliceAt(p, 1).offset + sliceAt(p, 1).size - 1),
    ),
  ],
};
