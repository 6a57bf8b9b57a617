// Stands in for GitHub's command line: fake-gh.mjs STATE_FOLDER ARGUMENTS. Knows what build/github/ calls, and nothing more.
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';

const [state, ...argv] = process.argv.slice(2);
const file = join(state, 'github.json');
const github = JSON.parse(
  readFileSync(existsSync(file) ? file : new URL('empty-github.json', import.meta.url), 'utf8'),
);
github.calls.push(argv);
/** Whole or not at all: several calls may be under way at once. */
const save = () => {
  writeFileSync(`${file}.${process.pid}`, JSON.stringify(github, null, 2));
  renameSync(`${file}.${process.pid}`, file);
};
save();

function fail(words) {
  save();
  process.stderr.write(`gh: ${words}\n`);
  process.exit(1);
}

/** A fault is a text that the call contains; it happens once. */
const fault = github.faults.find(({ call }) => argv.join(' ').includes(call));
if (fault) github.faults.splice(github.faults.indexOf(fault), 1);
if (fault && fault.when === 'before') fail(fault.words);

const answer = run();
save();
if (fault && fault.when === 'after') fail(fault.words);
if (answer !== undefined) process.stdout.write(`${JSON.stringify(answer)}\n`);

function run() {
  if (!process.env.GH_TOKEN)
    return fail('To use GitHub CLI in a GitHub Actions workflow, set the GH_TOKEN environment variable.');
  const [command, verb] = argv;
  if (command === 'api') return api();
  if (command === 'release' && verb === 'upload') return upload(argv[2], argv[3]);
  if (command === 'release' && verb === 'download') return download(argv[2]);
  if (command === 'release' && verb === 'verify')
    return github.releases.some((r) => r.tag_name === argv[2] && r.immutable)
      ? undefined
      : fail('no attestations found');
  if (command === 'attestation' && verb === 'verify') return verifyAttestation(argv[2]);
  return fail(`unknown command ${argv.join(' ')}`);
}

function api() {
  const method = argv[argv.indexOf('--method') + 1];
  const path = argv[argv.indexOf('--method') + 2];
  const body = argv.includes('--input') ? JSON.parse(readFileSync(0, 'utf8')) : {};
  const [, , , kind, ...rest] = path.split('?')[0].split('/');
  if (kind === 'git') {
    const prefix = `refs/${rest.slice(1).join('/')}`;
    return Object.entries(github.tags)
      .map(([tag, sha]) => ({ ref: `refs/tags/${tag}`, object: { sha, type: 'commit' } }))
      .filter(({ ref }) => ref.startsWith(prefix));
  }
  if (kind === 'commits')
    return { sha: github.commits[`${path.split('/').slice(1, 3).join('/')}@${rest[0]}`] ?? 'unknown' };
  if (kind === 'issues') return issues(method, rest, body);
  if (kind === 'releases') return releases(method, rest, body);
  return fail(`HTTP 404: Not Found (${path})`);
}

function issues(method, [number], body) {
  if (method === 'GET') return github.issues.filter(({ state: open }) => open === 'open');
  if (method === 'POST')
    return github.issues[github.issues.push({ number: github.nextId++, state: 'open', ...body }) - 1];
  return Object.assign(
    github.issues.find((issue) => issue.number === Number(number)),
    body,
  );
}

function releases(method, [id, tag], body) {
  if (method === 'GET' && id === undefined) return github.releases;
  if (method === 'GET' && id === 'tags')
    return github.releases.find((r) => !r.draft && r.tag_name === tag) ?? fail('HTTP 404: Not Found');
  if (method === 'POST') {
    if (github.tags[body.tag_name])
      return fail('HTTP 422: Validation Failed: tag_name was used by an immutable release');
    const release = {
      id: github.nextId++,
      immutable: false,
      assets: [],
      author: { login: 'github-actions[bot]' },
      html_url: `https://github.invalid/releases/${body.tag_name}`,
      ...body,
    };
    github.releases.unshift(release);
    return release;
  }
  const release = github.releases.find((candidate) => candidate.id === Number(id)) ?? fail('HTTP 404: Not Found');
  if (method === 'DELETE') {
    if (!release.draft) return fail('HTTP 422: published');
    github.releases.splice(github.releases.indexOf(release), 1);
    return undefined;
  }
  if (method === 'PATCH') {
    // A rule against creating tags stops the job's token too. Words: GitHub, rule violations of a ref.
    if (body.draft === false && github.tagRule)
      return fail('HTTP 422: Repository rule violations found\n\nCannot create ref due to creations being restricted.');
    Object.assign(release, body);
    if (!release.draft) {
      release.immutable = github.immutable;
      github.tags[release.tag_name] = release.target_commitish;
    }
  }
  return release;
}

function upload(tag, path) {
  const release = github.releases.find((candidate) => candidate.tag_name === tag) ?? fail('release not found');
  if (release.immutable) return fail('HTTP 422: Cannot upload assets to an immutable release');
  const folder = join(state, 'assets', String(release.id));
  mkdirSync(folder, { recursive: true });
  copyFileSync(path, join(folder, basename(path)));
  release.assets.push({
    name: basename(path),
    state: 'uploaded',
    size: statSync(path).size,
    digest: `sha256:${digest(path)}`,
  });
  return undefined;
}

function download(tag) {
  const release =
    github.releases.find((candidate) => !candidate.draft && candidate.tag_name === tag) ?? fail('release not found');
  const option = (name) => (argv.includes(name) ? argv[argv.indexOf(name) + 1] : undefined);
  for (const { name } of release.assets) {
    if (option('--pattern') === '*.pkg' && !name.endsWith('.pkg')) continue;
    const target = option('--output') ?? join(option('--dir'), name);
    rmSync(target, { force: true });
    copyFileSync(join(state, 'assets', String(release.id), name), target);
  }
  return undefined;
}

function verifyAttestation(path) {
  const source = argv[argv.indexOf('--source-digest') + 1];
  if (!argv.includes('--deny-self-hosted-runners') || !argv.includes('--signer-workflow')) return fail('flags missing');
  const type = argv.includes('--predicate-type') ? argv[argv.indexOf('--predicate-type') + 1] : undefined;
  if (type !== undefined && type !== 'https://cyclonedx.org/bom') return fail(`unknown predicate type ${type}`);
  const known = type === undefined ? github.attested : github.described;
  return known[digest(path)] === source ? undefined : fail('no matching attestations found');
}

function digest(path) {
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}
