import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { githubReport, maskCommands } from '../../../build/report/github.ts';

let scratch: string;
beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'report-'));
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

describe('githubReport', () => {
  it('appends outputs and the summary to the files that the job names', async () => {
    const report = githubReport({ GITHUB_OUTPUT: join(scratch, 'out'), GITHUB_STEP_SUMMARY: join(scratch, 'summary') });
    await report.output('a', '1');
    await report.output('b', '2=3');
    await report.summary('# Title\n\n');
    expect(readFileSync(join(scratch, 'out'), 'utf8')).toBe('a=1\nb=2=3\n');
    expect(readFileSync(join(scratch, 'summary'), 'utf8')).toBe('# Title\n\n');
  });

  it('refuses an output of two lines, which could set another', async () => {
    await expect(githubReport({}).output('a', '1\nsha256=0')).rejects.toMatchObject({ code: 'OUTPUT_LINES' });
  });

  it('does nothing elsewhere', async () => {
    await expect(githubReport({}).summary('text')).resolves.toBeUndefined();
  });
});

describe('maskCommands', () => {
  const pem = '-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49\n-----END PRIVATE KEY-----\n';

  it('masks every line of a key that came in base64', () => {
    const NOTARY_KEY = Buffer.from(pem).toString('base64');
    const masks = maskCommands({ GITHUB_ACTIONS: 'true', NOTARY_KEY });
    expect(masks).toBe(`::add-mask::${NOTARY_KEY}\n::add-mask::MIGHAgEAMBMGByqGSM49\n`);
  });

  it('escapes what would end the command', () => {
    expect(maskCommands({ GITHUB_ACTIONS: 'true', INSTALLER_P12_PASSWORD: '100%secret' })).toBe(
      '::add-mask::100%25secret\n',
    );
  });

  it('prints no secret outside GitHub Actions', () => {
    expect(maskCommands({ NOTARY_KEY: pem, APPLICATION_P12_PASSWORD: 'correct horse' })).toBe('');
  });
});
