import { BlockList, isIP } from 'node:net';
import { UsageError } from '../errors.ts';
import { Secret } from '../secret.ts';

/** A proxy that a request goes through. */
export interface HttpProxy {
  /** Without user and password. */
  readonly url: URL;
  /** Value of Proxy-Authorization, where the address names a user. */
  readonly authorization: Secret | undefined;
  /** The variable that names it. */
  readonly variable: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

let environment: Environment = {};

/** Has all requests of this process go through the proxies that an environment names; without this call they go directly. */
export function useProxies(env: Environment): void {
  environment = env;
}

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');

/**
 * Returns the proxy that a request goes through: `https_proxy` or `http_proxy` (small letters win over capitals, as in curl), but
 * where `no_proxy` names the host. This machine itself is never asked through a proxy.
 *
 * @throws UsageError `PROXY_INVALID` that names the variable and never its value, which may hold a password
 * @example proxyFor('https://a.example', { HTTPS_PROXY: 'http://proxy.example:3128' })?.url.host // 'proxy.example:3128'
 */
export function proxyFor(target: string | URL, env: Environment = environment): HttpProxy | undefined {
  const url = new URL(target);
  const kind = url.protocol === 'https:' ? 'https_proxy' : 'http_proxy';
  const variable = env[kind] ? kind : kind.toUpperCase();
  const value = env[variable]?.trim();
  if (!value || isExempt(url, env.no_proxy || env.NO_PROXY || '')) return undefined;
  return parseProxy(value, variable);
}

/** Returns which way a request goes, in words; user and password are left out. */
export function describeRoute(target: string | URL, env: Environment = environment): string {
  const proxy = proxyFor(target, env);
  return proxy ? `through ${proxy.url.host} (${proxy.variable})` : 'directly';
}

function parseProxy(value: string, variable: string): HttpProxy {
  const address = value.includes('://') ? value : `http://${value}`;
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (!url || !['http:', 'https:'].includes(url.protocol) || url.hostname === '') {
    throw new UsageError('PROXY_INVALID', `${variable} does not hold the address of an http or https proxy`, {
      hint: `Set it as in ${variable}=http://proxy.example.com:3128, or unset it.`,
    });
  }
  const [user, password] = [url.username, url.password].map(decoded);
  const authorization =
    user || password ? new Secret(`Basic ${Buffer.from(`${user}:${password}`, 'utf8').toString('base64')}`) : undefined;
  return { url: new URL(url.origin), authorization, variable };
}

/** A percent sign that begins no escape stands for itself. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/**
 * Names in `no_proxy` stand for a host and all below it, with or without a dot or `*.` before; a port may follow. Addresses may be
 * networks, such as 10.0.0.0/8; `*` stands for all.
 */
function isExempt(url: URL, list: string): boolean {
  const host = url.hostname.replace(/^\[|\]$|\.$/g, '').toLowerCase();
  if (isLoopback(host)) return true;
  const port = url.port || (url.protocol === 'https:' ? '443' : '80');
  return list
    .split(/[\s,]+/)
    .filter((entry) => entry !== '')
    .some((entry) => names(entry.toLowerCase(), host, port));
}

function isLoopback(host: string): boolean {
  const version = isIP(host);
  if (version === 0) return host === 'localhost' || host.endsWith('.localhost');
  return LOOPBACK.check(host, version === 4 ? 'ipv4' : 'ipv6');
}

function names(entry: string, host: string, port: string): boolean {
  if (entry === '*') return true;
  const network = /^\[?([0-9a-f.:]+)\]?\/(\d{1,3})$/.exec(entry);
  if (network) return isInNetwork(host, network[1] as string, Number(network[2]));
  const [, bare = entry, onlyPort] = /^(\[[^\]]+\]|[^:]+):(\d+)$/.exec(entry) ?? [];
  if (onlyPort !== undefined && onlyPort !== port) return false;
  const name = bare
    .replace(/^\[|\]$/g, '')
    .replace(/^\*?\./, '')
    .replace(/\.$/, '');
  return host === name || (isIP(host) === 0 && host.endsWith(`.${name}`));
}

function isInNetwork(host: string, network: string, prefix: number): boolean {
  const version = isIP(network);
  if (version === 0 || isIP(host) !== version || prefix > (version === 4 ? 32 : 128)) return false;
  const family = version === 4 ? 'ipv4' : 'ipv6';
  const block = new BlockList();
  block.addSubnet(network, prefix, family);
  return block.check(host, family);
}
