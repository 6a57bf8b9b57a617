import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { describe, expect, inject, it } from 'vitest';
import { VERIFICATION_SCHEMA } from '../../../build/report/verification-document.ts';
import { builtPackage } from '../../support/built-package.ts';
import { inProcess } from '../../support/in-process.ts';
import { jsonSchemaText } from '../../support/json-schema.ts';

const report = () => JSON.parse(readFileSync(join(inject('releaseFolder'), 'verify-report.json'), 'utf8'));

describe('verify-report.json', () => {
  it('is what verify prints of the finished package', async () => {
    const run = await inProcess(['verify', '--trust', 'rehearsal', '--json', builtPackage()]);
    expect(report()).toEqual({ ...JSON.parse(run.stdout), file: 'Escrow.Buddy-1.1.0-rehearsal.pkg' });
    expect(report().verdict).toBe('pass');
    expect(report().checks.length).toBeGreaterThan(40);
  });

  it('keeps to its schema, by our checker and by another', async () => {
    expect(VERIFICATION_SCHEMA.parse(report())).toEqual(report());
    const validate = formats.default(new Ajv2020()).compile(JSON.parse(jsonSchemaText(VERIFICATION_SCHEMA, 'output')));
    expect(validate(report()), JSON.stringify(validate.errors)).toBe(true);
    expect(validate({ ...report(), verdict: 'perhaps' })).toBe(false);
    expect(validate({ ...report(), checks: [{ id: 'a', status: 'good' }] })).toBe(false);
  });

  it('has the schema that lies in the project', async () => {
    await expect(jsonSchemaText(VERIFICATION_SCHEMA, 'output')).toMatchFileSnapshot(
      '../../../docs/schemas/verify-report.schema.json',
    );
  });

  it('tells a failed package by the same schema', async () => {
    const damaged = join(mkdtempSync(join(tmpdir(), 'report-')), 'damaged.pkg');
    writeFileSync(damaged, readFileSync(builtPackage()).subarray(0, 1000));
    const run = await inProcess(['verify', '--json', damaged]);
    rmSync(dirname(damaged), { recursive: true });
    expect([run.status, VERIFICATION_SCHEMA.parse(JSON.parse(run.stdout)).verdict]).toEqual([6, 'fail']);
  });
});
