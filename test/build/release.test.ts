import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { MANIFEST_SCHEMA } from '../../build/plan/manifest.ts';
import { builtPackage } from '../support/built-package.ts';
import { ofTheDay } from '../support/by-day.ts';
import { type CliRun, cli, placeCommandLine } from '../support/cli.ts';
import { inProcess } from '../support/in-process.ts';
import { check, needs } from '../support/needs.ts';
import { quickCompiler } from '../support/quick-compiler.ts';

let scratch: string;
beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'release-'));
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** Returns a Node.js of that major version on this machine whose zlib is the same as ours; others compress in another way. */
function nodeOfMajor(major: string): string | undefined {
  const candidates = [
    `node${major}`,
    `node-${major}`,
    ...(process.env[`NODE_${major}`] ? [process.env[`NODE_${major}`] as string] : []),
  ];
  return candidates.find((program) => {
    const run = spawnSync(program, ['-p', 'process.versions.node.split(".")[0] + " " + process.versions.zlib'], {
      encoding: 'utf8',
    });
    return run.stdout?.trim() === `${major} ${process.versions.zlib}`;
  });
}

const sha256 = (path: string) => createHash('sha256').update(readFileSync(path)).digest('hex');

describe('npm start', () => {
  it('leaves the package, the extra packages, what is told of them, and nothing else', () => {
    const folder = inject('releaseFolder');
    expect(readdirSync(folder).sort()).toEqual([
      'Escrow.Buddy-1.1.0-rehearsal.pkg',
      'EscrowBuddy-1.1.0-rehearsal-mdm-kit.zip',
      'EscrowBuddy.cdx.json',
      'SHA256SUMS',
      'extras',
      'notary-log.json',
      'release.json',
      'report.html',
      'verify-report.json',
    ]);
    expect(readdirSync(join(folder, 'extras')).sort()).toEqual([
      'Escrow.Buddy.Guard-1.1.0-rehearsal.pkg',
      'Escrow.Buddy.Request-1.1.0-rehearsal.pkg',
      'Escrow.Buddy.Uninstall-1.1.0-rehearsal.pkg',
      'release-notes.md',
    ]);
  });

  it('records sizes and digests that are those of the files', () => {
    const folder = inject('releaseFolder');
    const manifest = MANIFEST_SCHEMA.parse(JSON.parse(readFileSync(join(folder, 'release.json'), 'utf8')));
    expect(manifest.files.map(({ role }) => role)).toEqual([
      'package',
      'extra',
      'extra',
      'extra',
      'verify-report',
      'notary-log',
      'sbom',
      'mdm-kit',
      'report',
      'release-notes',
    ]);
    for (const file of manifest.files) {
      expect(file.sha256).toBe(sha256(join(folder, file.path)));
      expect(file.size).toBe(statSync(join(folder, file.path)).size);
    }
    expect(manifest.code.map((slice) => slice.architecture)).toEqual(['x86_64', 'arm64']);
  });

  it('signs for a rehearsal where no identity is set, and says so wherever it matters', async () => {
    const folder = inject('releaseFolder');
    const manifest = MANIFEST_SCHEMA.parse(JSON.parse(readFileSync(join(folder, 'release.json'), 'utf8')));
    expect(manifest.mode).toBe('rehearsal');
    expect(manifest.package).toMatchObject({
      signer: expect.stringContaining('trusted by no Mac'),
      teamIdentifier: 'REHEARSAL0',
      timestamp: expect.stringMatching(/^20\d\d-.*Z$/),
    });
    const run = await inProcess(['release', '--rehearsal', '--until', 'verify', '--out', join(scratch, 'rehearsal')]);
    expect(run.status).toBe(0);
    expect(run.stderr).toMatch(/This is a rehearsal: .* No Mac trusts the package\./);
    expect(run.stderr).toMatch(/sign-code .*trusted by no Mac.*\n(.*\n)*.*sign-package .*trusted by no Mac/);
    expect(run.stderr).toMatch(/verify .* no Mac trusts it/);
    expect(run.stdout).toMatch(/mode +rehearsal: no Mac trusts it/);
  });

  const sums = needs('sha256sum');
  it.skipIf(sums.missing)(`writes sums that sha256sum accepts${sums.note}`, () => {
    const check = spawnSync('sha256sum', ['--check', '--strict', 'SHA256SUMS'], { cwd: inject('releaseFolder') });
    expect(check.status).toBe(0);
  });

  it('puts data on standard output and the story on standard error', () => {
    const run = cli(['build', '--json', '--out', join(scratch, 'json')]);
    expect(run.status).toBe(0);
    expect(JSON.parse(run.stdout)).toMatchObject({ schema: 1, version: '1.1.0', toolchain: 'portable' });
    expect(run.stderr).toMatch(/✓ +1\/\d+ compile .*✓ +5\/\d+ build-package /s);
    expect(run.stderr).not.toContain('\x1b');
  });

  const npm = needs('npm');
  it.skipIf(npm.missing)(`prints JSON only through npm, whose own banner --silent leaves out${npm.note}`, () => {
    const words = ['--', '--json', '--rehearsal', '--until', 'compile', '--out', join(scratch, 'npm')];
    for (const quiet of [['--silent'], []]) {
      const env = { ...process.env, PATH: quickCompiler() };
      const { status, stdout, stderr } = spawnSync('npm', ['start', ...quiet, ...words], { encoding: 'utf8', env });
      expect(status, stderr).toBe(0);
      const banner = quiet.length > 0 ? '' : (/^\n> .*\n> .*\n\n/.exec(stdout)?.[0] ?? 'no banner');
      expect(JSON.parse(stdout.slice(banner.length))).toMatchObject({ schema: 1, mode: 'rehearsal' });
    }
  });

  it('ends with what was made and what to do next', async () => {
    const run = await inProcess(['build', '--out', join(scratch, 'summary')]);
    expect(run.stdout).toMatch(/Made .*Escrow\.Buddy-1\.1\.0\.pkg\n {2}package +com\.netflix\.Escrow-Buddy\n/);
    expect(run.stdout).toContain(`sha256     ${sha256(join(scratch, 'summary/1.1.0/Escrow.Buddy-1.1.0.pkg'))}`);
    expect(run.stdout).toMatch(/\nNext:\n {2}npm run -s cli -- inspect .*\n$/);
  });

  it('replaces an earlier release only when asked, and takes away what that one said of its packages', async () => {
    const folder = join(scratch, 'earlier/1.1.0');
    cpSync(inject('releaseFolder'), folder, { recursive: true });
    expect((await inProcess(['build', '--out', join(scratch, 'earlier')])).status).toBe(2);
    expect((await inProcess(['build', '--out', join(scratch, 'earlier'), '--replace'])).status).toBe(0);
    expect(readdirSync(folder).sort()).toEqual(['Escrow.Buddy-1.1.0.pkg', 'extras', 'release.json']);
  });

  it('stops after the stage named by --until', async () => {
    const run = await inProcess([
      'release',
      '--rehearsal',
      '--until',
      'compile',
      '--json',
      '--out',
      join(scratch, 'until'),
    ]);
    expect(run.status).toBe(0);
    expect(JSON.parse(run.stdout).stages.map((stage: { name: string }) => stage.name)).toEqual(['compile']);
    expect(readdirSync(join(scratch, 'until/1.1.0'))).toEqual(['release.json']);
  });
});

describe(`the unsigned package${ofTheDay}`, () => {
  /** Names of the copied folders come in another order, and so may what `readdir` says of them. */
  function copyProject(copy: string): string {
    const parts = ['build', 'src', 'payload', 'scripts', 'package.json', 'package-lock.json', 'release.config.json'];
    for (const part of parts.reverse()) cpSync(part, join(copy, part), { recursive: true });
    placeCommandLine(copy);
    return copy;
  }
  const epoch = '1700000000';
  const filesOf = (stdout: string) => JSON.parse(stdout).files as { readonly path: string; readonly sha256: string }[];
  let first: Promise<CliRun> | undefined;
  const usual = () => {
    first ??= inProcess(['build', '--json', '--out', join(scratch, 'first')], { env: { SOURCE_DATE_EPOCH: epoch } });
    return first;
  };

  /** Runs `build` in a copy of the project; what stands in front of `node` changes the surroundings. */
  function elsewhere(copy: string, shell: string, env: NodeJS.ProcessEnv, program = process.execPath) {
    return spawnSync('sh', ['-c', shell, program, join(copy, 'results')], {
      cwd: copy,
      env: { ...process.env, SOURCE_DATE_EPOCH: epoch, ...env },
      encoding: 'utf8',
    });
  }
  const build = 'exec "$0" .build/cli.mjs build --json --out "$1"';

  const taskset = needs('taskset');
  it.skipIf(taskset.missing)(
    `is the same in another folder, at another time, under another umask, in another locale and on one core${taskset.note}`,
    async () => {
      const copy = copyProject(join(scratch, 'a folder with spaces'));
      const first = await usual();
      const second = elsewhere(copy, `umask 077; exec taskset -c 0 "$0" .build/cli.mjs build --json --out "$1"`, {
        // In another folder prove.test.ts compiles anew.
        PATH: quickCompiler(),
        LC_ALL: 'C',
        TZ: 'Asia/Kathmandu',
        LANG: 'tr_TR.UTF-8',
        UV_THREADPOOL_SIZE: '1',
      });
      expect(second.stderr).not.toContain('error:');
      expect(filesOf(first.stdout)).toHaveLength(4);
      expect(filesOf(second.stdout)).toEqual(filesOf(first.stdout));
    },
  );

  // By day prove.test.ts alone makes a release again as another user.
  const others = needs('setpriv');
  const asOther = others.missing || process.getuid?.() !== 0;
  const otherNote = others.missing ? others.note : asOther ? ' (skipped: needs root, to become another user)' : '';
  if (ofTheDay === '')
    it.skipIf(asOther)(`is the same for another user with another home${otherNote}`, async () => {
      const copy = copyProject(join(scratch, 'of-another-user'));
      for (const folder of [scratch, copy]) chmodSync(folder, 0o777);
      const first = await usual();
      const second = elsewhere(
        copy,
        `umask 027; exec setpriv --reuid=65534 --regid=65534 --clear-groups "$0" .build/cli.mjs build --json --out "$1"`,
        { HOME: '/nonexistent', USER: 'nobody', LOGNAME: 'nobody', TZ: 'Pacific/Chatham' },
      );
      expect(second.stderr).not.toContain('error:');
      expect(filesOf(second.stdout)).toEqual(filesOf(first.stdout));
    });

  for (const major of ['22', '24']) {
    const program = nodeOfMajor(major);
    const note = program ? '' : ` (skipped: needs Node ${major} with this zlib)`;
    it.skipIf(!program)(`is the same with Node ${major}${note}`, async () => {
      const copy = copyProject(join(scratch, `node-${major}`));
      const second = elsewhere(copy, build, {}, program);
      expect(second.stderr).not.toContain('error:');
      expect(filesOf(second.stdout)).toEqual(filesOf((await usual()).stdout));
    });
  }
});

describe('an interrupted run', () => {
  it('exits 130 and leaves no half-written file', async () => {
    const out = join(scratch, 'interrupted');
    const child = spawn(process.execPath, ['.build/cli.mjs', 'release', '--rehearsal', '--out', out], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    // The folder of the version is made when the first stage begins; compiling takes far longer than this notices.
    while (!existsSync(join(out, '1.1.0'))) await new Promise((done) => setTimeout(done, 5));
    child.kill('SIGINT');
    const status = await new Promise((done) => child.on('exit', (code) => done(code)));
    expect(status).toBe(130);
    const left = existsSync(out) ? readdirSync(join(out, '1.1.0')) : [];
    expect(left.filter((name) => name !== 'release.json')).toEqual([]);
  });
});

describe('the package, read by tools of others', () => {
  const bsdtar = needs('bsdtar', 'cpio', 'gzip');
  const xmllint = needs('bsdtar', 'xmllint');
  const objdump = needs('bsdtar', 'cpio', 'llvm-objdump');
  const expanded = () => {
    const folder = join(scratch, 'expanded');
    if (existsSync(folder)) return folder;
    mkdirSync(folder);
    check('bsdtar', ['-xf', builtPackage(), '-C', folder]);
    for (const member of ['Payload', 'Scripts']) {
      const archive = join(folder, 'com.netflix.Escrow-Buddy.pkg', member);
      mkdirSync(join(folder, member));
      check('sh', ['-c', 'gzip -dc <"$0" | (cd "$1" && cpio -idm --quiet)', archive, join(folder, member)]);
    }
    return folder;
  };

  it.skipIf(bsdtar.missing)(`is a xar with Distribution and one component${bsdtar.note}`, () => {
    expect(check('bsdtar', ['-tf', builtPackage()]).toString().trim().split('\n')).toEqual([
      'Distribution',
      'com.netflix.Escrow-Buddy.pkg',
      ...['Bom', 'Payload', 'Scripts', 'PackageInfo'].map((name) => `com.netflix.Escrow-Buddy.pkg/${name}`),
    ]);
  });

  it.skipIf(bsdtar.missing)(`has a payload that GNU cpio extracts, with the modes of the table${bsdtar.note}`, () => {
    const table = JSON.parse(readFileSync('payload/permissions.json', 'utf8')).payload as Record<string, string>;
    for (const [path, mode] of Object.entries(table)) {
      const { mode: found } = statSync(join(expanded(), 'Payload', path));
      expect([path, (found & 0o7777).toString(8).padStart(4, '0')]).toEqual([path, mode]);
    }
  });

  it.skipIf(bsdtar.missing)(`agrees with cksum about every file that its Bom lists${bsdtar.note}`, async () => {
    const document = JSON.parse((await inProcess(['inspect', '--json', builtPackage()])).stdout);
    const records = document.package.components[0].bom as { path: string; kind: string; cksum: number; size: number }[];
    const files = records.filter((record) => record.kind === 'file');
    expect(files.length).toBe(7);
    for (const { path, cksum, size } of files) {
      const [sum, bytes] = check('cksum', [join(expanded(), 'Payload', path)])
        .toString()
        .split(' ');
      expect([path, cksum, size]).toEqual([path, Number(sum), Number(bytes)]);
    }
  });

  it.skipIf(xmllint.missing)(`has a PackageInfo and a Distribution that xmllint parses${xmllint.note}`, () => {
    const xpath = (file: string, query: string) =>
      check('xmllint', ['--xpath', query, join(expanded(), file)])
        .toString()
        .trim();
    const info = 'com.netflix.Escrow-Buddy.pkg/PackageInfo';
    expect(xpath(info, 'string(/pkg-info/@identifier)')).toBe('com.netflix.Escrow-Buddy');
    expect(xpath(info, 'string(/pkg-info/@install-location)')).toBe('/Library/Security/SecurityAgentPlugins');
    expect(xpath(info, 'count(/pkg-info/relocate/*)')).toBe('0');
    expect(xpath(info, 'count(/pkg-info/bundle-version/*)')).toBe('0');
    expect(xpath(info, 'string(/pkg-info/upgrade-bundle/bundle/@id)')).toBe('com.netflix.Escrow-Buddy');
    expect(xpath(info, 'string(/pkg-info/bundle/@CFBundleVersion)')).toBe('10100');
    expect(xpath('Distribution', 'string(//options/@hostArchitectures)')).toBe('arm64,x86_64');
    expect(xpath('Distribution', 'string(//options/@rootVolumeOnly)')).toBe('true');
    expect(xpath('Distribution', 'string(//os-version/@min)')).toBe('10.14.4');
    expect(xpath('Distribution', 'string(//pkg-ref[@version])')).toBe('#com.netflix.Escrow-Buddy.pkg');
  });

  it.skipIf(objdump.missing)(
    `holds two slices that llvm-objdump reads, for the macOS versions of the configuration${objdump.note}`,
    () => {
      const executable = join(expanded(), 'Payload/Escrow Buddy.bundle/Contents/MacOS/Escrow Buddy');
      for (const [architecture, minimum] of [
        ['x86_64', '10.14'],
        ['arm64', '11.0'],
      ]) {
        const headers = check('llvm-objdump', [
          '--macho',
          '--private-headers',
          `--arch=${architecture}`,
          executable,
        ]).toString();
        expect(headers).toMatch(/BUNDLE/);
        expect(headers).toMatch(new RegExp(`(minos|version) ${minimum}\n`));
        expect(headers).toContain('sdk 14.4');
        expect(headers).toContain('LC_CODE_SIGNATURE');
        expect(headers.match(/name \/\S+/g)).toEqual([
          'name /usr/lib/libSystem.B.dylib',
          'name /System/Library/Frameworks/CoreFoundation.framework/Versions/A/CoreFoundation',
        ]);
        const exports = check('llvm-objdump', [
          '--macho',
          '--exports-trie',
          `--arch=${architecture}`,
          executable,
        ]).toString();
        expect(exports.match(/_\w+/g)).toEqual(['_AuthorizationPluginCreate']);
      }
    },
  );
});

describe('a wrong project', () => {
  it('is refused before any work, with exit 2', () => {
    const copy = join(scratch, 'wrong');
    mkdirSync(copy);
    cpSync('package.json', join(copy, 'package.json'));
    placeCommandLine(copy);
    writeFileSync(join(copy, 'release.config.json'), '{"product":{}}');
    const run = spawnSync(process.execPath, ['.build/cli.mjs', 'release'], { cwd: copy, encoding: 'utf8' });
    expect(run.status).toBe(2);
    expect(run.stderr).toContain('product.title: missing');
    expect(run.stderr).toContain('next: Mend release.config.json');
    expect(existsSync(join(copy, 'out'))).toBe(false);
  });
});
