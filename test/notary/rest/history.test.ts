import { generateKeyPairSync } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { notaryApi } from '../../../src/notary/rest/api.ts';

const key = { key: generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey, keyId: 'K', issuerId: 'I' };
const state = (id: number) => ({
  id: `id-${id}`,
  type: 'submissions',
  attributes: { status: 'Accepted', name: `${id}.pkg`, createdDate: new Date(id * 1000).toISOString() },
});

let asked: string[];
let next: (page: number) => string | undefined;
let base: string;
const server = createServer((incoming: IncomingMessage, answer) => {
  asked.push(incoming.url ?? '');
  const page = Number(new URL(incoming.url ?? '', base).searchParams.get('page') ?? '0');
  answer.setHeader('Content-Type', 'application/json');
  answer.end(JSON.stringify({ data: [state(page * 2), state(page * 2 + 1)], links: { next: next(page) }, meta: {} }));
});
beforeEach(async () => {
  asked = [];
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}/notary/v2`;
});
afterEach(() => new Promise((done) => void server.close(done)));

const history = () => notaryApi({ url: base, key, delaysMs: [] }).history();

describe("the team's history", () => {
  it('is read page by page to its end, newest first', async () => {
    next = (page) => (page < 3 ? `${base}/submissions?page=${page + 1}` : undefined);
    expect((await history()).map(({ name }) => name)).toEqual(
      ['7', '6', '5', '4', '3', '2', '1', '0'].map((n) => `${n}.pkg`),
    );
    expect(asked).toHaveLength(4);
  });

  it.each([
    ['another host', () => 'https://elsewhere.invalid/notary/v2/submissions?page=1'],
    ['another path', () => `${new URL(base).origin}/other?page=1`],
    ['a host that only names ours', () => `https://elsewhere.invalid/?next=${base}/submissions?page=1`],
    ['a host that begins alike', () => `${base.replace('/notary', '.elsewhere.invalid/notary')}/submissions?page=1`],
  ])('is not followed to %s', async (_, link) => {
    next = link;
    expect(await history()).toHaveLength(2);
    expect(asked).toEqual(['/notary/v2/submissions']);
  });

  it('that names its own page for ever ends', async () => {
    next = () => `${base}/submissions?page=0`;
    await history();
    expect(asked).toHaveLength(100);
  });
});
