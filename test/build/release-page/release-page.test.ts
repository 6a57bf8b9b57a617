import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { comparePackages, type PackageComparison } from '../../../build/compare/compare.ts';
import { describePackage, type PackageDescription } from '../../../build/compare/describe.ts';
import { readKitInput } from '../../../build/kit/make-kit.ts';
import type { KitInput } from '../../../build/kit/system.ts';
import { SYSTEMS } from '../../../build/kit/systems.ts';
import { readVocabulary } from '../../../build/kit/vocabulary.ts';
import { type Manifest, readManifest } from '../../../build/plan/manifest.ts';
import { inlineParts } from '../../../build/release-page/blocks.ts';
import { actionsFor } from '../../../build/release-page/changes.ts';
import { releasePage } from '../../../build/release-page/release-page.ts';
import { builtPackage } from '../../support/built-package.ts';
import { byDay, ofTheDay } from '../../support/by-day.ts';
import { needs } from '../../support/needs.ts';
import { kitSource } from '../kit/made-kit.ts';
import { chromium } from './chromium.ts';

const folder = inject('releaseFolder');
const html = readFileSync(join(folder, 'report.html'), 'utf8');
const markdown = readFileSync(join(folder, 'extras/release-notes.md'), 'utf8');
let manifest: Manifest;
let kit: KitInput;
let scratch: string;

beforeAll(async () => {
  manifest = (await readManifest(folder)) as Manifest;
  kit = await readKitInput(kitSource());
  scratch = mkdtempSync(join(tmpdir(), 'release-page-'));
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const page = async (changes: Partial<Manifest> = {}, comparison: PackageComparison | null = null) =>
  releasePage({
    manifest: { ...manifest, ...changes },
    kit,
    kitName: 'kit.zip',
    vocabulary: await readVocabulary('.'),
    comparison,
  });

describe('the release page', () => {
  it('says of the package what release.json says', () => {
    const file = manifest.files.find(({ role }) => role === 'package')!;
    const box = /aria-label="Identity of the package">([^<]*)<\/pre>/.exec(html)?.[1] as string;
    const rows = Object.fromEntries(box.split('\n').map((line) => line.split(/ {2,}/) as [string, string]));
    expect(rows).toEqual({
      File: file.path,
      Size: `${file.size} bytes`,
      'SHA-256': file.sha256,
      Signer: manifest.package!.signer,
      'Team ID': manifest.package!.teamIdentifier,
      'Package identifier': manifest.package!.identifier,
      'Signing identifier': manifest.code[0]!.identifier,
      ...Object.fromEntries(manifest.code.map(({ architecture, cdhash }) => [`cdhash ${architecture}`, cdhash])),
      'Signed at': manifest.package!.timestamp,
      'Notary submission': manifest.submission!.id,
      'Notary status': manifest.submission!.status,
      'Ticket stapled': manifest.ticket!.issuedAt,
      'Source commit': manifest.commit ?? 'none',
    });
    for (const value of Object.values(rows)) expect(markdown).toContain(value);
  });

  it('names no digest, cdhash or time that release.json does not', () => {
    const told = JSON.stringify(manifest);
    const found = [...`${html}\n${markdown}`.matchAll(/\b(?:[0-9a-f]{40,64}|\d{4}-\d\d-\d\dT[\d:.]+Z)\b/g)];
    expect(found.length).toBeGreaterThan(10);
    for (const [value] of found) expect(told).toContain(value);
  });

  it('is listed with its digest beside the package, and its Markdown is not an asset', () => {
    const sums = readFileSync(join(folder, 'SHA256SUMS'), 'utf8');
    const { sha256 } = manifest.files.find(({ path }) => path === 'report.html')!;
    expect(sums).toContain(`${sha256}  report.html`);
    expect(sums).not.toContain('extras/');
  });

  it('warns of a rehearsal, and a release has no such warning', async () => {
    expect(html).toContain('no Mac trusts this package');
    const released = await page({ mode: 'release' });
    expect(released.html + released.markdown).not.toContain('no Mac trusts');
    expect(released.html).toContain('-R example/escrow-buddy \\\n  --signer-workflow example/escrow-buddy/');
  });

  it('has the steps of every system, in the same words as the kit', () => {
    for (const { name } of SYSTEMS) {
      expect(html).toContain(`<summary>${name}</summary>`);
      expect(markdown).toContain(`<summary>${name}</summary>`);
    }
  });

  it('is not changed by what a value holds', async () => {
    const signer = 'Developer ID Installer: "A" & <script>alert(1)</script> (ABCDE12345)';
    const { html: changed } = await page({ package: { ...manifest.package!, signer } });
    expect(changed).not.toContain('<script');
    expect(changed).toContain('&quot;A&quot; &amp; &lt;script&gt;alert(1)&lt;/script&gt; (ABCDE12345)');
  });

  it('needs no script and no other file, and its links lead somewhere', () => {
    expect(html).not.toMatch(/<script|\son\w+=|\bsrc=|url\(|@import|http-equiv="refresh"/);
    expect(html).toContain(`content="default-src 'none';`);
    const ids = [...html.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const [, address] of html.matchAll(/ href="([^"]+)"/g))
      expect(address === 'data:,' || ids.includes(address!.slice(1)), address).toBe(true);
  });
});

describe('inlineParts', () => {
  it('knows code, strong words and links, and leaves all else as it is', () => {
    expect(inlineParts('a `b` **c** [d](https://e.example) * f')).toEqual([
      { kind: 'plain', text: 'a ' },
      { kind: 'code', text: 'b' },
      { kind: 'plain', text: ' ' },
      { kind: 'strong', text: 'c' },
      { kind: 'plain', text: ' ' },
      { kind: 'link', text: 'd', address: 'https://e.example' },
      { kind: 'plain', text: ' * f' },
    ]);
  });
});

describe('what changed', () => {
  let now: PackageDescription;
  beforeAll(async () => {
    now = await describePackage(builtPackage());
  });
  /** The package as it was, with other facts. */
  const earlier = (changes: Partial<PackageDescription>) => comparePackages({ ...now, ...changes }, now);

  it('is nothing, and nobody has to act, beside the same package', async () => {
    expect(actionsFor(earlier({}))).toEqual([]);
    const { markdown: text } = await page({}, earlier({}));
    expect(text).toContain('**No.**');
    expect(text).toContain('Everything that differs: 0 things');
  });

  it.each<[string, (was: PackageDescription) => Partial<PackageDescription>, RegExp]>([
    [
      'another signer',
      ({ identity }) => ({ identity: { ...identity, 'signed by': 'Other' } }),
      /^Another signer \(Other/,
    ],
    ['another identifier', ({ identity }) => ({ identity: { ...identity, identifier: 'x.y' } }), /identifier \(x\.y →/],
    [
      'another oldest macOS',
      ({ installation }) => ({ installation: { ...installation, 'oldest macOS': '10.13' } }),
      /^Another oldest macOS \(10\.13 → 10\.14\.4\)/,
    ],
    ['a new component', () => ({ components: new Map() }), /^A component came or went/],
  ])('asks to act after %s', async (_, change, words) => {
    const comparison = earlier(change(now));
    const actions = actionsFor(comparison);
    expect(
      actions.some((action) => words.test(action)),
      actions.join('\n'),
    ).toBe(true);
    expect((await page({}, comparison)).markdown).toContain('**Yes:**');
  });

  it('does not ask to act after another version alone, signed at another time', () => {
    expect(actionsFor(earlier({ identity: { ...now.identity, version: '1.0.9', 'signed at': 'x' } }))).toEqual([]);
  });
});

describe('the page in a browser', () => {
  const browser = needs('chromium');
  const axe = readFileSync('node_modules/axe-core/axe.min.js', 'utf8');

  it.skipIf(browser.missing)(`asks for nothing but itself${browser.note}`, async () => {
    const asked: string[] = [];
    const server = createServer(({ url }, response) => {
      asked.push(url ?? '');
      response.setHeader('content-type', 'text/html').end(html);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      const { port } = server.address() as AddressInfo;
      const shown = await chromium('--dump-dom', `http://127.0.0.1:${port}/report.html`);
      expect(shown).toContain('Verify it in ten seconds');
    } finally {
      server.close();
    }
    expect(asked).toEqual(['/report.html']);
  });

  const schemes: readonly (readonly [string, number])[] = [
    ['dark', 0],
    ['light', 1],
  ];
  it.skipIf(browser.missing).each(byDay(schemes, 1))(
    `axe-core finds nothing, %s${ofTheDay}${browser.note}`,
    async (name, scheme) => {
      const path = join(scratch, `${name}.html`);
      // The page's own policy would keep axe from running; everything folded is opened, so that it is looked at too.
      const script = `document.querySelectorAll('details').forEach((one) => { one.open = true; });
axe.run().then(({ violations, passes }) => {
  const result = { violations: violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html.slice(0, 200))]), passes: passes.length,
    dark: matchMedia('(prefers-color-scheme: dark)').matches };
  document.title = 'axe';
  const out = document.createElement('output');
  out.id = 'axe-result';
  out.textContent = btoa(unescape(encodeURIComponent(JSON.stringify(result))));
  document.body.append(out);
});`;
      const probe = html
        .replace(/<meta http-equiv="Content-Security-Policy"[^>]*>/, '')
        .replace('</body>', () => `<script>${axe}</script><script>${script}</script></body>`);
      writeFileSync(path, probe);
      const shown = await chromium(
        `--blink-settings=preferredColorScheme=${scheme}`,
        '--virtual-time-budget=60000',
        '--dump-dom',
        `file://${path}`,
      );
      const result = /<output id="axe-result">([^<]+)</.exec(shown)?.[1];
      const found = JSON.parse(Buffer.from(result as string, 'base64').toString('utf8'));
      expect(found).toMatchObject({ violations: [], dark: name === 'dark' });
      expect(found.passes).toBeGreaterThan(20);
    },
  );

  it.skipIf(browser.missing)(`fits a narrow screen: no word of a table is broken${browser.note}`, async () => {
    const path = join(scratch, 'narrow.html');
    const script = `document.querySelectorAll('details').forEach((one) => { one.open = true; });
const heads = [...document.querySelectorAll('thead th')].map((one) => one.offsetWidth);
document.body.append(Object.assign(document.createElement('output'), { id: 'narrow', textContent:
  [window.innerWidth, document.documentElement.scrollWidth, Math.min(...heads)].join(' ') }));`;
    const open = html.replace(/<meta http-equiv="Content-Security-Policy"[^>]*>/, '');
    writeFileSync(
      path,
      open.replace('</body>', () => `<script>${script}</script></body>`),
    );
    const shown = await chromium('--window-size=500,900', '--dump-dom', `file://${path}`);
    const [window, page, head] = (/<output id="narrow">([\d ]+)</.exec(shown)?.[1] ?? '').split(' ').map(Number);
    expect(page).toBeLessThanOrEqual(window as number);
    expect(head).toBeGreaterThan(80);
  });

  it.skipIf(browser.missing)(`is two sheets of paper${browser.note}`, async () => {
    const path = join(scratch, 'page.pdf');
    await chromium(`--print-to-pdf=${path}`, '--no-pdf-header-footer', `file://${join(folder, 'report.html')}`);
    const pages = readFileSync(path, 'latin1').match(/\/Type\s*\/Page\b/g);
    expect(pages).toHaveLength(2);
  });
});
