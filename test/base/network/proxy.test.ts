import { spawn } from 'node:child_process';
import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { BlockedError } from '../../../src/base/errors.ts';
import { request } from '../../../src/base/http.ts';
import { describeRoute, proxyFor, useProxies } from '../../../src/base/network/proxy.ts';
import { der, sequence } from '../../../src/pki/asn1/der.ts';
import { NAME } from '../../../src/pki/asn1/oids.ts';
import { makeCertificate } from '../../../src/rehearsal/certificate-maker.ts';
import { placeCommandLine } from '../../support/cli.ts';
import { rsaPair } from '../../support/rsa-pairs.ts';

const DAY_MS = 24 * 3600 * 1000;

afterEach(() => useProxies({}));

describe('proxyFor', () => {
  const proxied = (url: string, env: Record<string, string>) => proxyFor(url, env)?.url.host;

  it('takes the variable of the scheme, in small letters first', () => {
    const env = { HTTPS_PROXY: 'http://a:1', https_proxy: 'http://b:2', HTTP_PROXY: 'c:3' };
    expect(proxied('https://x.example', env)).toBe('b:2');
    expect(proxied('http://x.example', env)).toBe('c:3');
    expect(proxied('http://x.example', { HTTPS_PROXY: 'http://a:1' })).toBeUndefined();
    expect(proxied('https://x.example', { HTTPS_PROXY: 'http://a:1', https_proxy: '' })).toBe('a:1');
  });

  it.each([
    ['x.example', 'x.example', true],
    ['x.example', 'sub.x.example', true],
    ['x.example', 'notx.example', false],
    ['.x.example', 'sub.x.example', true],
    ['*.x.example', 'sub.x.example', true],
    ['other, X.EXAMPLE', 'x.example', true],
    ['other x.example', 'x.example', true],
    ['*', 'x.example', true],
    ['x.example:8443', 'x.example', false],
    ['x.example:443', 'x.example', true],
    ['10.0.0.0/8', '10.1.2.3', true],
    ['10.0.0.0/8', '11.1.2.3', false],
    ['10.1.2.3', '10.1.2.3', true],
    ['2.3', '1.2.3', false],
    ['fd00::/8', '[fd00::1]', true],
    ['[fd00::1]', '[fd00::1]', true],
    ['10.0.0.0/99', '10.1.2.3', false],
  ])('with NO_PROXY=%s goes to %s directly: %s', (list, host, isDirect) => {
    const env = { HTTPS_PROXY: 'http://proxy:1', NO_PROXY: list };
    expect(proxied(`https://${host}/`, env)).toBe(isDirect ? undefined : 'proxy:1');
  });

  it.each([
    ['10.1.2.3/32', '10.1.2.3', true],
    ['10.1.2.3/33', '10.1.2.3', false],
    ['10.1.2.2/31', '10.1.2.3', true],
    ['10.1.2.3/32', '10.1.2.4', false],
    ['fd00::1/128', '[fd00::1]', true],
    ['fd00::1/129', '[fd00::1]', false],
    ['[fd00::]/8', '[fd00::1]', true],
    ['fd00::/8', '10.1.2.3', false],
    ['10.0.0.0/8', '[fd00::1]', false],
    ['10.0.0.0/8', 'x.example', false],
    ['abc/8', 'x.example', false],
    ['10.0.0.0/1000', '10.1.2.3', false],
    ['10.1.2.3:443', '10.1.2.3', true],
    ['10.1.2.3:80', '10.1.2.3', false],
    ['[fd00::1]:443', '[fd00::1]', true],
    ['[fd00::1]:80', '[fd00::1]', false],
    ['x.example:443', 'sub.x.example', true],
    ['x.example.', 'x.example', true],
    ['x.example', 'x.example.', true],
    ['.example', 'x.example', true],
    ['*example', 'x.example', false],
    ['sub.x.example', 'x.example', false],
    ['x.example.org', 'x.example', false],
    [',', 'x.example', false],
    ['other,,', 'x.example..', false],
    ['', 'x.example', false],
    ['other,\tx.example', 'x.example', true],
  ])('with no_proxy=%j goes to %s directly: %s', (list, host, isDirect) => {
    const env = { https_proxy: 'http://proxy:1', no_proxy: list };
    expect(proxied(`https://${host}/`, env)).toBe(isDirect ? undefined : 'proxy:1');
  });

  it('counts the port of the address, or that of its scheme', () => {
    const env = (list: string) => ({ http_proxy: 'proxy:1', https_proxy: 'proxy:1', no_proxy: list });
    expect(proxied('http://x.example/', env('x.example:80'))).toBeUndefined();
    expect(proxied('https://x.example/', env('x.example:80'))).toBe('proxy:1');
    expect(proxied('http://x.example:8080/', env('x.example:8080'))).toBeUndefined();
    expect(proxied('http://x.example:8080/', env('x.example:80'))).toBe('proxy:1');
  });

  it('takes no_proxy before NO_PROXY, and neither when it is empty', () => {
    const env = (more: object) => ({ https_proxy: 'http://proxy:1', ...more });
    expect(proxied('https://x.example', env({ no_proxy: 'y', NO_PROXY: 'x.example' }))).toBe('proxy:1');
    expect(proxied('https://x.example', env({ no_proxy: '', NO_PROXY: 'x.example' }))).toBeUndefined();
    expect(proxied('https://x.example', { https_proxy: '  ' })).toBeUndefined();
    expect(proxied('https://x.example', { https_proxy: ' http://proxy:1 ' })).toBe('proxy:1');
    expect(proxied('https://x.example', {})).toBeUndefined();
    useProxies({ https_proxy: 'http://proxy:2' });
    expect(proxyFor('https://x.example')?.url.host).toBe('proxy:2');
    expect(describeRoute('https://x.example')).toBe('through proxy:2 (https_proxy)');
  });

  it.each([
    ['http://proxy:1', undefined],
    ['http://user@proxy:1', 'user:'],
    ['http://:word@proxy:1', ':word'],
    ['https://a%3Ab:c%@proxy:1', 'a:b:c%'],
    ['user:w%C3%B6rd@proxy:1', 'user:wörd'],
  ])('sends what %s names', (value, pair) => {
    const proxy = proxyFor('http://x.example', { HTTP_PROXY: value });
    const basic = pair === undefined ? undefined : `Basic ${Buffer.from(pair).toString('base64')}`;
    expect(proxy?.authorization?.reveal()).toBe(basic);
    expect(proxy?.url.href).toMatch(/^https?:\/\/proxy:1\/$/);
    expect(proxy?.variable).toBe('HTTP_PROXY');
  });

  it.each(['ftp://proxy:1', 'http://a b', 'file:///proxy', '://'])('refuses %s', (value) => {
    expect(() => proxyFor('http://x.example', { http_proxy: value })).toThrow(
      'http_proxy does not hold the address of an http or https proxy',
    );
  });

  it.each(['126.0.0.1', '128.0.0.1', '[::2]', 'localhost.example', 'xlocalhost'])(
    'takes %s for another machine',
    (host) => {
      expect(proxied(`http://${host}/`, { http_proxy: 'http://proxy:1' })).toBe('proxy:1');
    },
  );

  it.each(['localhost', 'a.localhost', '127.0.0.1', '127.8.9.1', '[::1]'])('never sends %s through one', (host) => {
    expect(proxied(`http://${host}:8080/`, { HTTP_PROXY: 'http://proxy:1' })).toBeUndefined();
  });

  it.each(['socks5://user:geheim@proxy:1', 'http://', 'http://user:geheim@proxy:99999'])(
    'refuses %s without quoting it',
    (value) => {
      const refused = () => proxyFor('https://x.example', { HTTPS_PROXY: value });
      expect(refused).toThrow(/^HTTPS_PROXY does not hold/);
      expect(refused).not.toThrow(/geheim/);
    },
  );

  it('says which way it goes without user and password', () => {
    const env = { HTTPS_PROXY: 'http://user:ge%40heim@proxy.example:3128' };
    expect(describeRoute('https://x.example', env)).toBe('through proxy.example:3128 (HTTPS_PROXY)');
    expect(describeRoute('http://x.example', env)).toBe('directly');
    expect(proxyFor('https://x.example', env)?.authorization?.reveal()).toBe(
      `Basic ${Buffer.from('user:ge@heim').toString('base64')}`,
    );
  });
});

/** A proxy that takes everybody who shows the right user, and leads to one server whatever name is asked for. */
class ProxyStandIn {
  readonly asked: string[] = [];
  /** Status it answers a tunnel or a request with; 200 lets it pass. */
  status = 200;
  target = 0;
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;

  constructor() {
    this.#server = createServer((incoming, answer) => {
      this.asked.push(`${incoming.method} ${incoming.url} ${incoming.headers['proxy-authorization'] ?? '-'}`);
      answer.writeHead(this.status).end('from the proxy');
    });
    this.#server.on('connection', (socket) => this.#sockets.add(socket));
    this.#server.on('connect', (incoming: IncomingMessage, socket: Socket) => {
      this.asked.push(`CONNECT ${incoming.url} ${incoming.headers['proxy-authorization'] ?? '-'}`);
      if (this.status !== 200) return void socket.end(`HTTP/1.1 ${this.status} No\r\n\r\n`);
      const far = connect(this.target, '127.0.0.1', () => {
        socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
        far.pipe(socket).pipe(far);
      });
      this.#sockets.add(far);
      for (const end of [far, socket]) end.on('error', () => undefined);
    });
  }

  async listen(): Promise<string> {
    await new Promise<void>((done) => this.#server.listen(0, '127.0.0.1', done));
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
  }
}

describe('request', () => {
  let proxy: ProxyStandIn;
  let address: string;
  beforeEach(async () => {
    proxy = new ProxyStandIn();
    address = await proxy.listen();
  });
  afterEach(() => proxy.close());

  it('hands plain HTTP to the proxy whole, with its password, and asks this machine directly', async () => {
    useProxies({ HTTP_PROXY: `http://user:geheim@${address}` });
    const answer = await request({ purpose: 'try', url: 'http://x.invalid/ts01', timeoutMs: 120_000 });
    expect(answer.body.toString()).toBe('from the proxy');
    expect(proxy.asked).toEqual([`GET http://x.invalid/ts01 Basic ${Buffer.from('user:geheim').toString('base64')}`]);
    const direct = await request({ purpose: 'try', url: `http://${address}/direct`, timeoutMs: 120_000 });
    expect([direct.status, proxy.asked.at(-1)]).toEqual([200, 'GET /direct -']);
  });

  it.each([
    [407, 'http', /through the proxy 127\.0\.0\.1:\d+: the proxy answered HTTP 407$/, true],
    [407, 'https', /through the proxy 127\.0\.0\.1:\d+: the proxy answered HTTP 407$/, true],
    [403, 'https', /x\.invalid through the proxy .*: the proxy answered HTTP 403$/, true],
    [408, 'https', /the proxy answered HTTP 408$/, false],
    [429, 'https', /the proxy answered HTTP 429$/, false],
    [503, 'https', /the proxy answered HTTP 503$/, false],
  ])('says that the proxy answered %i to %s, and nothing of its password', async (status, scheme, words, isBlocked) => {
    proxy.status = status;
    useProxies({ [`${scheme}_proxy`]: `http://user:geheim@${address}` });
    const failed = request({ purpose: 'try', url: `${scheme}://x.invalid/`, timeoutMs: 120_000 });
    const error: Error = await failed.then(
      () => expect.unreachable(),
      (reason) => reason,
    );
    expect(error.message).toMatch(words);
    expect(error instanceof BlockedError, 'and whether another try could help').toBe(isBlocked);
    const all = [error.message, (error as { hint?: string }).hint, String(error.cause), error.stack].join('\n');
    expect(all).not.toMatch(/geheim|Z2VoZWlt/);
  });

  it('says that the proxy itself cannot be reached', async () => {
    proxy.close();
    useProxies({ https_proxy: `http://${address}` });
    await expect(request({ purpose: 'try', url: 'https://x.invalid/', timeoutMs: 120_000 })).rejects.toThrow(
      /through the proxy .*: connection refused/,
    );
  });
});

describe('the command line behind a proxy that opens TLS with an authority of its own', () => {
  const scratch = mkdtempSync(join(tmpdir(), 'proxy-'));
  const proxy = new ProxyStandIn();
  let service: ReturnType<typeof createTlsServer>;
  let address: string;
  let project: string;

  beforeAll(async () => {
    const authority = certificate('Company Authority', rsaPair(), undefined);
    const leaf = certificate('notary.example.invalid', rsaPair(1), authority);
    writeFileSync(join(scratch, 'company.pem'), authority.pem);
    service = createTlsServer({ cert: leaf.pem, key: leaf.keyPem }, (_, answer) => answer.writeHead(404).end('{}'));
    await new Promise<void>((done) => service.listen(0, '127.0.0.1', done));
    proxy.target = (service.address() as AddressInfo).port;
    address = await proxy.listen();
    project = join(scratch, 'project');
    for (const part of ['payload', 'scripts', 'package.json', 'release.config.json']) {
      cpSync(part, join(project, part), { recursive: true });
    }
    placeCommandLine(project);
    const path = join(project, 'release.config.json');
    const config = JSON.parse(readFileSync(path, 'utf8'));
    config.services.notary = 'https://notary.example.invalid/notary/v2';
    writeFileSync(path, JSON.stringify(config));
  });
  afterAll(() => {
    proxy.close();
    service.close();
    rmSync(scratch, { recursive: true, force: true });
  });

  function certificate(
    name: string,
    pair: ReturnType<typeof rsaPair>,
    issuer?: { pem: string; keyPem: string; made: any },
  ) {
    const made = makeCertificate(
      {
        subject: [[NAME.commonName, name]],
        publicKey: pair.publicKey,
        notBefore: new Date(Date.now() - DAY_MS),
        notAfter: new Date(Date.now() + DAY_MS),
        authority: issuer === undefined,
        keyUsage: issuer === undefined ? 0x06 : 0x80,
        // subjectAltName with one dNSName. Source: RFC 5280, section 4.2.1.6.
        extra: [{ oid: '2.5.29.17', critical: false, value: sequence(der(0x82, Buffer.from(name.replace(' ', '.')))) }],
      },
      issuer
        ? { certificate: issuer.made.certificate, privateKey: issuer.made.privateKey }
        : { certificate: undefined, privateKey: pair.privateKey },
    );
    return {
      pem: new X509Certificate(made.der).toString(),
      keyPem: pair.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
      made: { certificate: made, privateKey: pair.privateKey },
    };
  }

  function run(argv: string[], env: Record<string, string>): Promise<string> {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
    const child = spawn(process.execPath, ['.build/cli.mjs', ...argv], {
      cwd: project,
      env: {
        PATH: process.env.PATH ?? '',
        SOURCE_DATE_EPOCH: '1700000000',
        NOTARY_KEY: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
        NOTARY_KEY_ID: 'ABCDE12345',
        NOTARY_ISSUER_ID: '2efe2717-52ef-43a5-96dc-0797e4ca1041',
        ...env,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let printed = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (part) => void (printed += part));
    return new Promise((done) => child.on('close', (status) => done(`${printed}exit ${status}`)));
  }
  const status = ['notarize', '--status', '2efe2717-52ef-43a5-96dc-0797e4ca1041'];
  const through = () => ({ HTTPS_PROXY: `http://user:geheim@${address}` });

  it('goes through it when NODE_EXTRA_CA_CERTS names the authority', async () => {
    const printed = await run(status, { ...through(), NODE_EXTRA_CA_CERTS: join(scratch, 'company.pem') });
    // The stand-in behind it knows no submission: what counts is that its answer came.
    expect(printed).toContain('notary.example.invalid answered: HTTP status code: 404. {}');
    expect(proxy.asked.at(-1)).toBe(
      `CONNECT notary.example.invalid:443 Basic ${Buffer.from('user:geheim').toString('base64')}`,
    );
    expect(printed).not.toMatch(/geheim|Z2VoZWlt/);
  });

  it('is told what to do when the authority is not known', async () => {
    const asked = proxy.asked.length;
    const printed = await run(['doctor'], through());
    // Each try would be a tunnel of its own, and no try can help.
    const tunnels = proxy.asked.slice(asked).filter((line) => line.startsWith('CONNECT notary.'));
    expect(tunnels).toHaveLength(1);
    expect(printed).toMatch(/FAIL +notary .*TLS certificate was not accepted \(\w+\)/);
    expect(printed).toContain('let notary.example.invalid pass it, or name its root in NODE_EXTRA_CA_CERTS.');
    expect(printed).toMatch(/network [\s\S]*notary\.example\.invalid through 127\.0\.0\.1:\d+ \(HTTPS_PROXY\)/);
    expect(printed).not.toMatch(/geheim|Z2VoZWlt/);
  });
});
