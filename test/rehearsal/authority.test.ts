import { cpSync, mkdtempSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { UsageError } from '../../src/base/errors.ts';
import {
  makeRehearsalAuthority,
  openRehearsalAuthority,
  REHEARSAL_TEAM,
  type RehearsalAuthority,
} from '../../src/rehearsal/authority.ts';
import { OpensslFolder, openssl, run } from '../support/openssl.ts';

let folder: string;
let first: RehearsalAuthority;
let second: RehearsalAuthority;

beforeAll(async () => {
  folder = join(mkdtempSync(join(tmpdir(), 'rehearsal-')), '.rehearsal');
  [first, second] = await Promise.all([openRehearsalAuthority(folder), openRehearsalAuthority(folder)]);
});

const fingerprints = (authority: RehearsalAuthority) =>
  Object.values(authority.members).map(({ certificate }) => certificate.sha256);

describe('openRehearsalAuthority', () => {
  it('makes one authority even when two runs come first, and loads it later', async () => {
    expect(fingerprints(second)).toEqual(fingerprints(first));
    expect(fingerprints(await openRehearsalAuthority(folder))).toEqual(fingerprints(first));
    expect(readdirSync(folder)).toEqual(['authority']);
  });

  it('keeps folder and keys to the user', () => {
    const mode = (path: string) => (statSync(path).mode & 0o777).toString(8);
    expect([mode(folder), mode(join(folder, 'authority'))]).toEqual(['700', '700']);
    for (const name of readdirSync(join(folder, 'authority'))) {
      expect(mode(join(folder, 'authority', name)), name).toBe('600');
    }
  });

  it('says REHEARSAL in every subject, and the team that is none', () => {
    for (const { certificate } of Object.values(first.members)) {
      expect(certificate.commonName).toContain('REHEARSAL');
      expect(certificate.subject.attributes.map(({ value }) => value)).toContain('REHEARSAL ONLY');
    }
    // As in Apple's: user ID, name, unit, organization, country of a leaf with a team; name, organization, country of all others.
    const types = ({ certificate }: (typeof first.members)['root']) =>
      certificate.subject.attributes.map(({ type }) => type);
    const team = ['0.9.2342.19200300.100.1.1', '2.5.4.3', '2.5.4.11', '2.5.4.10', '2.5.4.6'];
    for (const [name, member] of Object.entries(first.members))
      expect(types(member), name).toEqual(
        /^(application|installer)$/.test(name) ? team : ['2.5.4.3', '2.5.4.10', '2.5.4.6'],
      );
    expect(first.members.application.certificate.organizationalUnit).toBe(REHEARSAL_TEAM);
    expect(first.members.installer.certificate.commonName).toMatch(/^Developer ID Installer: .* \(REHEARSAL0\)$/);
  });

  it('has the shape of Apple’s: marks and key purposes, critical where theirs are', () => {
    const shape = (name: keyof RehearsalAuthority['members']) => {
      const { extensions } = first.members[name].certificate;
      return extensions.map(({ oid, critical }) => `${oid.replace('1.2.840.113635.100', '')}${critical ? '!' : ''}`);
    };
    const leaf = ['2.5.29.19!', '2.5.29.35', '2.5.29.37!', '2.5.29.14', '2.5.29.15!'];
    expect(shape('application')).toEqual([...leaf, '.6.1.13!']);
    expect(shape('installer')).toEqual([...leaf, '.6.1.14!']);
    expect(shape('timestamp')).toEqual(leaf);
    expect(shape('developerIdAuthority')).toContain('.6.2.6');
    expect(shape('timestampAuthority')).toContain('.6.2.9');
    expect(shape('ticket')).toContain('.6.1.30');
    expect(first.members.installer.certificate.extendedKeyUsage).toEqual(['1.2.840.113635.100.4.13']);
    expect(first.members.ticketRoot.privateKey.asymmetricKeyDetails?.namedCurve).toBe('secp384r1');
    expect(first.members.ticket.privateKey.asymmetricKeyDetails?.namedCurve).toBe('prime256v1');
  });

  it('lets authorities issue as much as Apple’s do, and nobody else', () => {
    const issues = Object.entries(first.members).map(([name, { certificate }]) => [
      name,
      certificate.isAuthority ? certificate.pathLength : 'nothing',
    ]);
    // keyCertSign and cRLSign, or digitalSignature alone. Source: RFC 5280, section 4.2.1.3.
    for (const { certificate } of Object.values(first.members))
      expect(certificate.keyUsage).toBe(certificate.isAuthority ? 0x06 : 0x80);
    expect(first.members.root.privateKey.asymmetricKeyDetails?.modulusLength).toBe(2048);
    expect(Object.fromEntries(issues)).toEqual({
      ...{ root: 1, developerIdAuthority: 0, timestampAuthority: 0, ticketRoot: 1, ticketAuthority: 0 },
      ...{ application: 'nothing', installer: 'nothing', timestamp: 'nothing', ticket: 'nothing' },
    });
  });

  it('is valid from a day before for ten years, in chains from the leaf to a root that it trusts', async () => {
    const now = new Date('2028-02-29T12:00:00Z');
    const made = await makeRehearsalAuthority(now);
    for (const { certificate } of Object.values(made.members)) {
      expect(certificate.notBefore).toEqual(new Date('2028-02-28T12:00:00Z'));
      // There is no 29 February ten years later.
      expect(certificate.notAfter).toEqual(new Date('2038-03-01T12:00:00Z'));
      expect([certificate.serialBytes.length, certificate.serialBytes[0]! & 0xc0]).toEqual([8, 0x40]);
    }
    const { members, trust } = made;
    expect(trust.roots).toEqual([members.root.certificate, members.ticketRoot.certificate]);
    expect(trust.intermediates).toEqual([members.developerIdAuthority.certificate]);
    for (const leaf of ['application', 'installer', 'timestamp', 'ticket'] as const) {
      const chain = made.chainOf(leaf);
      expect([chain.length, chain[0]]).toEqual([3, members[leaf].certificate]);
      for (const [at, certificate] of chain.entries())
        expect(certificate.issuer.der).toEqual((chain[at + 1] ?? certificate).subject.der);
      expect(trust.roots).toContain(chain[2]);
    }
    expect(made.identitySource('installer').certificateChain).toEqual(made.chainOf('installer').map(({ der }) => der));
  });

  it.skipIf(openssl.missing)(`makes certificates that openssl reads without complaint${openssl.note}`, () => {
    const files = new OpensslFolder();
    const { output } = run([
      'x509',
      '-noout',
      '-text',
      '-in',
      files.putPem('a.pem', first.members.application.certificate),
    ]);
    expect(output).toMatch(/X509v3 Key Usage: critical\s+Digital Signature\n/);
    expect(output).toMatch(/X509v3 Extended Key Usage: critical\s+Code Signing\n/);
    expect(output).toMatch(/X509v3 Basic Constraints: critical\s+CA:FALSE\n/);
  });

  it('says what to do about a damaged folder', async () => {
    const damaged = mkdtempSync(join(tmpdir(), 'rehearsal-'));
    cpSync(folder, damaged, { recursive: true });
    writeFileSync(join(damaged, 'authority', 'root.cer'), 'nonsense');
    const error = await openRehearsalAuthority(damaged).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(UsageError);
    expect((error as UsageError).hint).toContain('Remove the folder');
  });
});
