import { createHash, generateKeyPairSync } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { notaryAccess } from '../../../build/github/upkeep/notary-access.ts';
import { inProcess } from '../../support/in-process.ts';
import { tableGh } from './table-gh.ts';

const scratch = mkdtempSync(join(tmpdir(), 'commands-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

describe('github', () => {
  it('says what it is for, and names its commands', async () => {
    const { stdout } = await inProcess(['github', '--help']);
    expect(stdout).toContain('What the workflows in .github/ call.');
    for (const name of ['plan', 'check-version', 'pack', 'review', 'summary', 'publish', 'verify-release', 'expiring-certificates', 'notary-access', 'moved-pins', 'ending-platforms', 'issue'])
      expect(stdout).toMatch(new RegExp(`^ {2}${name} `, 'm'));
  }); // biome-ignore format: a list
});

describe('github pack', () => {
  it('gives the digest of the archive to the next job, and writes over nothing', async () => {
    mkdirSync(join(scratch, 'folder'));
    writeFileSync(join(scratch, 'folder/a'), 'x');
    const [to, output] = [join(scratch, 'a.tar'), join(scratch, 'output')];
    const pack = (...more: string[]) =>
      inProcess(['github', 'pack', join(scratch, 'folder'), '--to', to, ...more], { env: { GITHUB_OUTPUT: output } });
    const { stdout } = await pack('--json');
    const bytes = readFileSync(to);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    expect(JSON.parse(stdout)).toEqual({ schema: 1, path: to, size: bytes.length, sha256 });
    expect(readFileSync(output, 'utf8')).toBe(`sha256=${sha256}\n`);
    expect(await pack()).toMatchObject({ status: 2, stderr: expect.stringContaining(to) });
  });
});

describe('notaryAccess', () => {
  it('tells the newest of the submissions, or that there is none', async () => {
    let answer: object[] = [];
    const server = createServer((_, response) => {
      response.setHeader('Content-Type', 'application/json');
      response.end(JSON.stringify({ data: answer, links: {}, meta: {} }));
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    try {
      const { port } = server.address() as AddressInfo;
      const config = JSON.parse(readFileSync('release.config.json', 'utf8'));
      config.services.notary = `http://127.0.0.1:${port}/notary/v2`;
      cpSync('package.json', join(scratch, 'package.json'));
      writeFileSync(join(scratch, 'release.config.json'), JSON.stringify(config));
      const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
      const env = {
        NOTARY_KEY: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
        NOTARY_KEY_ID: 'ABCDE12345',
        NOTARY_ISSUER_ID: '00000000-0000-4000-8000-000000000000',
      };
      const ask = () => tableGh(scratch, {}).run(notaryAccess, env, scratch);
      expect(await ask()).toEqual({
        document: { schema: 1, submissions: 0, newest: null },
        text: 'The notary accepts the key; nothing was submitted yet\n',
      });
      const state = (name: string, createdDate: string) => ({ id: name, type: 'submissions', attributes: { status: 'Accepted', name, createdDate } }); // biome-ignore format: a line
      answer = [state('old.pkg', '2026-01-01T00:00:00.000Z'), state('new.pkg', '2026-02-01T00:00:00.000Z')];
      const { document, text } = await ask();
      expect(document).toMatchObject({ schema: 1, submissions: 2, newest: { name: 'new.pkg' } });
      expect(text).toBe('The notary accepts the key; last submission new.pkg, Accepted\n');
    } finally {
      server.closeAllConnections();
      await new Promise((done) => void server.close(done));
    }
  });
});
