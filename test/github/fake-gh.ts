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
import { basename, join, resolve } from 'node:path';
import { type Answer, answeredProgram } from '../support/answered.ts';
import { sha256 } from '../support/file-digest.ts';

/** What the stand-in for GitHub holds: the file github.json in the folder of its state. */
export interface GitHubState {
  nextId: number;
  releases: Release[];
  tags: Record<string, string>;
  issues: { number: number; title: string; body: string; state: string }[];
  /** Commit by the digest of what was attested: its provenance, and its SBOM. */
  attested: Record<string, string>;
  described: Record<string, string>;
  calls: string[][];
  faults: { call: string; when: string; words: string }[];
  immutable: boolean;
  tagRule: boolean;
  /** Bytes that the first upload of a release gains on its way. */
  garbled?: number;
  commits: Record<string, string>;
}

interface Release {
  id: number;
  tag_name: string;
  draft: boolean;
  immutable: boolean;
  author?: { login: string };
  make_latest?: string;
  body: string;
  target_commitish: string;
  assets: { name: string; state: string; size: number; digest: string }[];
}

/** A call as the program sends it. */
interface Call {
  readonly folder: string;
  readonly state: string;
  readonly hasToken: boolean;
  readonly input: string;
  readonly argv: readonly string[];
}

const EMPTY = resolve('test/github/empty-github.json');

/**
 * Puts a stand-in for GitHub's command line into a folder: it knows what build/github/ calls, and nothing more.
 *
 * @param bin where `gh` is put
 * @param state folder of github.json and of the assets; without that file GitHub is empty
 */
export async function placeGh(bin: string, state: string): Promise<void> {
  const ask = `input=; case " $* " in *' --input '*) IFS= read -r -d '' input ;; esac
printf '%s\\0' "$PWD" '${resolve(state)}' "\${GH_TOKEN:+1}" "$input" "$@"`;
  mkdirSync(bin, { recursive: true });
  writeFileSync(join(bin, 'gh'), await answeredProgram(answer, ask), { mode: 0o755 });
}

function answer([folder, state, token, input, ...argv]: readonly string[]): Answer {
  const call = { folder, state, input, argv, hasToken: token !== '' } as Call;
  try {
    return { code: 0, out: new Gh(call).answer(), err: '' };
  } catch (error) {
    if (error instanceof Refusal) return { code: 1, out: '', err: `gh: ${error.message}\n` };
    throw error;
  }
}

/** What GitHub or its command line says no to. */
class Refusal extends Error {}

function fail(words: string): never {
  throw new Refusal(words);
}

/** One call. */
class Gh {
  readonly #call: Call;
  readonly #file: string;
  readonly #github: GitHubState;

  constructor(call: Call) {
    this.#call = call;
    this.#file = join(call.state, 'github.json');
    this.#github = JSON.parse(readFileSync(existsSync(this.#file) ? this.#file : EMPTY, 'utf8'));
  }

  /** Does what is asked and returns what is printed. */
  answer(): string {
    const { calls, faults } = this.#github;
    const { argv } = this.#call;
    calls.push([...argv]);
    // A fault is a text that the call contains; it happens once.
    const fault = faults.find(({ call }) => argv.join(' ').includes(call));
    if (fault) faults.splice(faults.indexOf(fault), 1);
    try {
      if (fault?.when === 'before') fail(fault.words);
      const printed = this.#run();
      if (fault?.when === 'after') fail(fault.words);
      return printed === undefined ? '' : `${JSON.stringify(printed)}\n`;
    } finally {
      this.#save();
    }
  }

  /** Whole or not at all: a test may read it meanwhile. */
  #save(): void {
    writeFileSync(`${this.#file}.${process.pid}`, JSON.stringify(this.#github, null, 2));
    renameSync(`${this.#file}.${process.pid}`, this.#file);
  }

  #run(): unknown {
    const { argv, hasToken } = this.#call;
    if (!hasToken)
      return fail('To use GitHub CLI in a GitHub Actions workflow, set the GH_TOKEN environment variable.');
    const [command, verb, first = '', second = ''] = argv;
    if (command === 'api') return this.#api();
    if (command === 'release' && verb === 'upload') return this.#upload(first, this.#path(second));
    if (command === 'release' && verb === 'download') return this.#download(first);
    if (command === 'release' && verb === 'verify')
      return this.#github.releases.some((one) => one.tag_name === first && one.immutable)
        ? undefined
        : fail('no attestations found');
    if (command === 'attestation' && verb === 'verify') return this.#verifyAttestation(this.#path(first));
    throw new Error(`no stand-in for: gh ${argv.join(' ')}`);
  }

  #option(name: string): string | undefined {
    const { argv } = this.#call;
    return argv.includes(name) ? argv[argv.indexOf(name) + 1] : undefined;
  }

  #path(path: string): string {
    return resolve(this.#call.folder, path);
  }

  #api(): unknown {
    const { argv, input } = this.#call;
    const [method = '', path = ''] = argv.slice(argv.indexOf('--method') + 1);
    const body = argv.includes('--input') ? JSON.parse(input) : {};
    const [, owner, name, kind, ...rest] = (path.split('?')[0] as string).split('/');
    if (kind === 'git') {
      const prefix = `refs/${rest.slice(1).join('/')}`;
      return Object.entries(this.#github.tags)
        .map(([tag, sha]) => ({ ref: `refs/tags/${tag}`, object: { sha, type: 'commit' } }))
        .filter(({ ref }) => ref.startsWith(prefix));
    }
    if (kind === 'commits') return { sha: this.#github.commits[`${owner}/${name}@${rest[0]}`] ?? 'unknown' };
    if (kind === 'issues') return this.#issues(method, rest, body);
    if (kind === 'releases') return this.#releases(method, rest, body);
    return fail(`HTTP 404: Not Found (${path})`);
  }

  #issues(method: string, [number]: readonly string[], body: { title: string; body: string }): unknown {
    const { issues } = this.#github;
    if (method === 'GET') return issues.filter(({ state }) => state === 'open');
    if (method === 'POST') {
      const issue = { number: this.#github.nextId++, state: 'open', ...body };
      issues.push(issue);
      return issue;
    }
    return Object.assign(issues.find((issue) => issue.number === Number(number)) as object, body);
  }

  #releases(method: string, [id, tag]: readonly string[], body: Partial<Release>): unknown {
    const { releases, tags } = this.#github;
    if (method === 'GET' && id === undefined) return releases;
    if (method === 'GET' && id === 'tags')
      return releases.find((one) => !one.draft && one.tag_name === tag) ?? fail('HTTP 404: Not Found');
    if (method === 'POST') {
      if (tags[body.tag_name as string])
        return fail('HTTP 422: Validation Failed: tag_name was used by an immutable release');
      const release = {
        id: this.#github.nextId++,
        immutable: false,
        assets: [],
        author: { login: 'github-actions[bot]' },
        html_url: `https://github.invalid/releases/${body.tag_name}`,
        ...body,
      } as unknown as Release;
      releases.unshift(release);
      return release;
    }
    const release = releases.find((candidate) => candidate.id === Number(id)) ?? fail('HTTP 404: Not Found');
    if (method === 'DELETE') {
      if (!release.draft) return fail('HTTP 422: published');
      releases.splice(releases.indexOf(release), 1);
      return undefined;
    }
    if (method === 'PATCH') this.#patch(release, body);
    return release;
  }

  #patch(release: Release, body: Partial<Release>): void {
    // A rule against creating tags stops the job's token too. Words: GitHub, rule violations of a ref.
    if (body.draft === false && this.#github.tagRule)
      fail('HTTP 422: Repository rule violations found\n\nCannot create ref due to creations being restricted.');
    Object.assign(release, body);
    if (release.draft) return;
    release.immutable = this.#github.immutable;
    this.#github.tags[release.tag_name] = release.target_commitish;
  }

  #upload(tag: string, path: string): void {
    const release = this.#github.releases.find((one) => one.tag_name === tag) ?? fail('release not found');
    if (release.immutable) fail('HTTP 422: Cannot upload assets to an immutable release');
    const folder = join(this.#call.state, 'assets', String(release.id));
    mkdirSync(folder, { recursive: true });
    copyFileSync(path, join(folder, basename(path)));
    const size = statSync(path).size + (release.assets.length === 0 ? (this.#github.garbled ?? 0) : 0);
    release.assets.push({ name: basename(path), state: 'uploaded', size, digest: `sha256:${sha256(path)}` });
  }

  #download(tag: string): void {
    const published = this.#github.releases.filter(({ draft }) => !draft);
    const release = published.find(({ tag_name }) => tag_name === tag) ?? fail('release not found');
    for (const { name } of release.assets) {
      if (this.#option('--pattern') === '*.pkg' && !name.endsWith('.pkg')) continue;
      const target = this.#path(this.#option('--output') ?? join(this.#option('--dir') as string, name));
      rmSync(target, { force: true });
      copyFileSync(join(this.#call.state, 'assets', String(release.id), name), target);
    }
  }

  #verifyAttestation(path: string): void {
    const { argv } = this.#call;
    if (!argv.includes('--deny-self-hosted-runners') || !argv.includes('--signer-workflow')) fail('flags missing');
    const type = this.#option('--predicate-type');
    if (type !== undefined && type !== 'https://cyclonedx.org/bom') fail(`unknown predicate type ${type}`);
    const known = type === undefined ? this.#github.attested : this.#github.described;
    if (known[sha256(path)] !== this.#option('--source-digest')) fail('no matching attestations found');
  }
}
