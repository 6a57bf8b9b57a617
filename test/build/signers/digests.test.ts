import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inProcess } from '../../support/in-process.ts';
import { testAuthority } from '../../support/test-authority.ts';

let scratch: string;
beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'digests-'));
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

describe('digests', () => {
  it('says what is missing where there is no certificate', async () => {
    const parts = join(scratch, 'plain');
    expect((await inProcess(['parts', '--out', parts])).status).toBe(0);
    await testAuthority(join(parts, '.rehearsal'));
    const record = ['--compiled', parts, '--record', join(scratch, 'plain.json')];
    expect((await inProcess(['timestamp', ...record])).status).toBe(0);
    expect(await inProcess(['digests', ...record, '--out', join(scratch, 'x')])).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('cannot read certificates/application.pem'),
    });
    expect(
      await inProcess(['digests', '--compiled', parts, '--record', join(scratch, 'none.json'), '--out', 'x']),
    ).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('cannot read'),
    });
  });
});
