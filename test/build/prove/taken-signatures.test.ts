import { beforeAll, describe, expect, it } from 'vitest';
import { takenSignatures } from '../../../build/prove/taken-signatures.ts';
import { CheckList } from '../../../src/base/check.ts';
import { accessBuffer } from '../../../src/base/random-access.ts';
import { fileAt } from '../../../src/code-signature/bundle-entry.ts';
import { developerIdRequirement, rootRequirement } from '../../../src/code-signature/requirement/requirement.ts';
import { signBundle } from '../../../src/code-signature/sign/sign-bundle.ts';
import { gzipMember } from '../../../src/cpio/gzip.ts';
import { writeCpio } from '../../../src/cpio/write.ts';
import type { OpenPackage } from '../../../src/package/open-package.ts';
import { appleTrust } from '../../../src/pki/x509/apple-roots.ts';
import { REHEARSAL_TEAM } from '../../../src/rehearsal/authority.ts';
import { findMember, readXar } from '../../../src/xar/read.ts';
import { emitXar, layoutXar, storedFile } from '../../../src/xar/write.ts';
import { SAMPLE_EXECUTABLE, sampleBundle } from '../../code-signature/sample.ts';
import { rehearsalSigner } from '../../code-signature/signers.ts';
import { collect, directory, file } from '../../support/payload.ts';

type Plan = Parameters<typeof takenSignatures>[2];
const PLAN = { config: { bundle: { identifier: 'com.example.a', executable: 'Escrow Buddy' } } } as Plan;
const BUNDLE = sampleBundle().filter((entry) => 'data' in entry);
const PROGRAM = `./A.bundle/${SAMPLE_EXECUTABLE}`;
const NAMED = { op: 'identifier', value: 'com.example.a' };

let rehearsal: Awaited<ReturnType<typeof rehearsalSigner>>;
let signed: Buffer;
let unsigned: Buffer;
let leaf: Buffer;
let root: Buffer;
let requirement: ReturnType<typeof rootRequirement>;
beforeAll(async () => {
  rehearsal = await rehearsalSigner();
  const program = async (signer: Parameters<typeof signBundle>[1]) =>
    fileAt((await signBundle(BUNDLE, signer)).entries, SAMPLE_EXECUTABLE) as Buffer;
  [signed, unsigned] = [await program(rehearsal.signer), await program({ kind: 'ad-hoc' })];
  const chain = rehearsal.authority.chainOf('installer');
  [leaf, root] = [chain[0]!.der, chain.at(-1)!.der];
  requirement = rootRequirement('com.example.a', Buffer.from(chain.at(-1)!.sha1, 'hex'));
});

/** A package of these files, whose archive has these certificates. */
async function opened(files: Readonly<Record<string, Buffer>> | undefined, certificates?: readonly Buffer[]) {
  const folders = ['.', './A.bundle', './A.bundle/Contents', './A.bundle/Contents/MacOS'].map((path) =>
    directory(path),
  );
  const entries = [...folders, ...Object.entries(files ?? {}).map(([path, data]) => file(path, data, 0o755))];
  const payload = await collect(gzipMember(writeCpio(entries), { level: 1 }));
  const archive = await readXar(
    accessBuffer(await collect(emitXar(layoutXar([storedFile('Payload', payload)], { creationTime: 1 })))),
  );
  const signatures = certificates ? [{ certificates }] : [];
  const component = { payload: files && findMember(archive, 'Payload') };
  return { archive: { ...archive, signatures }, components: [component] } as unknown as OpenPackage;
}

async function taken(found: OpenPackage, trust = rehearsal.authority.trust) {
  const list = new CheckList('package');
  return { ...(await takenSignatures(list, found, PLAN, trust)), checks: list.checks };
}

describe('the signatures that are taken', () => {
  it('are those of the program', async () => {
    const { signer, requirement: own, checks } = await taken(await opened({ [PROGRAM]: signed }));
    expect([signer.kind, own, checks]).toEqual(['identity', requirement, []]);
    expect(signer).toMatchObject({ teamIdentifier: REHEARSAL_TEAM });
  });

  it('are none of a program that nobody signed', async () => {
    const found = await taken(await opened({ [PROGRAM]: unsigned }, [leaf, root]));
    expect(found).toEqual({ signer: { kind: 'ad-hoc' }, requirement: NAMED, checks: [] });
  });

  it('are of the program alone, whatever else is there', async () => {
    const others = { './A.bundle/Contents/MacOS/Other': unsigned, './Escrow Buddy': unsigned };
    const { signer } = await taken(await opened({ ...others, [PROGRAM]: signed, './z': unsigned }));
    expect(signer.kind).toBe('identity');
    expect((await taken(await opened(others))).signer.kind).toBe('ad-hoc');
  });

  it('of a program that cannot be read are told, and its package names who signed', async () => {
    const found = await taken(await opened({ [PROGRAM]: Buffer.from('text') }, [leaf, root]));
    expect(found).toEqual({
      signer: { kind: 'ad-hoc' },
      requirement,
      checks: [
        {
          id: 'rebuilt-signer',
          status: 'fail',
          subject: 'package',
          reason: expect.stringMatching(/^the program's signatures cannot be read: ./),
        },
      ],
    });
  });

  it('hide no error of our own', async () => {
    const found = await opened({ [PROGRAM]: signed });
    const broken = { ...rehearsal.authority.trust, get name(): 'rehearsal' { throw new TypeError('ours'); } }; // biome-ignore format: short
    await expect(taken(await opened(undefined, [leaf, root]), broken)).rejects.toThrow(TypeError);
    expect((await taken(found, broken)).signer.kind).toBe('identity');
  });
});

describe('a package without a program', () => {
  const withoutPayload = async (...certificates: Buffer[]) => opened(undefined, certificates);

  it('names the root of a rehearsal, and the team of a release', async () => {
    for (const found of [await withoutPayload(leaf, root), await opened({}, [leaf, root])]) {
      const { signer, requirement: named, checks } = await taken(found);
      expect([signer, named, checks]).toEqual([{ kind: 'ad-hoc' }, requirement, []]);
    }
    const { requirement: released } = await taken(await withoutPayload(leaf, root), appleTrust());
    expect(released).toEqual(developerIdRequirement('com.example.a', REHEARSAL_TEAM));
  });

  it('names no team where its certificate has none', async () =>
    expect((await taken(await withoutPayload(root), appleTrust())).requirement).toEqual(
      developerIdRequirement('com.example.a', ''),
    ));

  it('names nobody where nobody signed it', async () => {
    expect((await taken(await opened(undefined))).requirement).toEqual(NAMED);
    expect((await taken(await withoutPayload())).requirement).toEqual(NAMED);
  });
});
