import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import {
  parseSignedRole,
  readRecord,
  renderRecord,
  renderSignedRole,
  type SigningRecord,
  writeRecord,
} from '../../../build/signing/record.ts';
import { octetString } from '../../../src/pki/asn1/der.ts';

const scratch = mkdtempSync(join(tmpdir(), 'record-'));
afterAll(() => rmSync(scratch, { recursive: true }));
const at = (name: string) => join(scratch, name);

const certificate = octetString(Buffer.from('a certificate'));
const [one, two] = [Buffer.from('one'), Buffer.from('two')];

describe('what a job with a key handed out', () => {
  it('is one line of JSON, which gives back what was put in', () => {
    const role = { certificate, signatures: [one, two] };
    // base64 of each by hand: printf one | base64
    const text = `{"schema":1,"certificate":"${certificate.toString('base64')}","signatures":["b25l","dHdv"]}\n`;
    expect(renderSignedRole(role)).toBe(text);
    expect(parseSignedRole(text)).toEqual(role);
    expect(parseSignedRole(renderSignedRole({ certificate, signatures: [] }))).toEqual({ certificate, signatures: [] });
  });

  it('may be 32,768 characters long, and not one more', () => {
    const ofLength = (length: number) => {
      for (let many = 1; many < 5; many++) {
        const rest = length - renderSignedRole({ certificate, signatures: Array(many).fill(Buffer.alloc(0)) }).length;
        if (rest % 4 !== 0) continue;
        const signatures = [Buffer.alloc((rest / 4) * 3), ...Array(many - 1).fill(Buffer.alloc(0))];
        return renderSignedRole({ certificate, signatures });
      }
      throw new Error('no text of that length');
    };
    for (const length of [32_767, 32_768]) {
      const text = ofLength(length);
      expect([text.length, parseSignedRole(text).certificate]).toEqual([length, certificate]);
    }
    const text = ofLength(32_769);
    expect(text.length).toBe(32_769);
    expect(() => parseSignedRole(text)).toThrow(expect.objectContaining({ code: 'SIGNED_FORM' }));
  });

  it.each([
    ['no JSON', '{'],
    ['no object', 'null\n'],
    ['no certificate', '{"schema":1,"signatures":[]}\n'],
    ['no list', `{"schema":1,"certificate":"${certificate.toString('base64')}"}\n`],
    ['a number in the list', `{"schema":1,"certificate":"${certificate.toString('base64')}","signatures":[1]}\n`],
    ['a certificate that is no DER', renderSignedRole({ certificate: one, signatures: [] })],
    ['a certificate cut off', renderSignedRole({ certificate: certificate.subarray(0, -1), signatures: [] })],
  ])('is refused with %s', (_, text) => {
    expect(() => parseSignedRole(text)).toThrow(
      expect.objectContaining({ name: 'VerificationError', code: 'SIGNED_FORM', hint: expect.stringMatching(/^Stop/) }),
    );
  });
});

describe('a record', () => {
  const record: SigningRecord = {
    mode: 'rehearsal',
    signingTime: 1_700_000_000,
    application: { certificate, signatures: [one, two], tokens: [two] },
    installer: null,
  };

  it('is one line of text, and read as it was written', async () => {
    const certificateText = certificate.toString('base64');
    expect(renderRecord(record)).toBe(
      `{"schema":1,"mode":"rehearsal","signingTime":1700000000,"application":{"certificate":"${certificateText}","signatures":["b25l","dHdv"],"tokens":["dHdv"]},"installer":null}`,
    );
    await writeRecord(at('a.json'), record);
    expect(readFileSync(at('a.json'), 'utf8')).toBe(renderRecord(record));
    const { schema, ...read } = (await readRecord(at('a.json'))) as SigningRecord & { schema: number };
    expect([schema, read]).toEqual([1, record]);
  });

  it('is null where none is; what cannot be read is another thing', async () => {
    expect(await readRecord(at('gone.json'))).toBeNull();
    mkdirSync(at('folder.json'));
    await expect(readRecord(at('folder.json'))).rejects.toThrow();
  });

  it('may state the time 0', async () => {
    await writeRecord(at('zero.json'), { ...record, signingTime: 0 });
    expect(await readRecord(at('zero.json'))).toMatchObject({ signingTime: 0 });
  });

  it.each([
    ['another schema', { schema: 2 }],
    ['another mode', { mode: 'build' }],
    ['a time before 1970', { signingTime: -1 }],
    ['a part of a second', { signingTime: 0.5 }],
    ['another key', { note: '' }],
    ['a role without timestamps', { application: { certificate: '', signatures: [] } }],
    ['no word of a role', { installer: undefined }],
  ])('is refused with %s', async (_, change) => {
    writeFileSync(at('wrong.json'), JSON.stringify({ ...JSON.parse(renderRecord(record)), ...change }));
    await expect(readRecord(at('wrong.json'))).rejects.toMatchObject({ name: 'UsageError', code: 'RECORD_INVALID' });
  });
});
