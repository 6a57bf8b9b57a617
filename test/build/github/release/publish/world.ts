import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, inject } from 'vitest';
import { OUR_MARK } from '../../../../../build/github/release/drafts.ts';
import { placeGh } from '../../../../github/fake-gh.ts';
import type { CliRun } from '../../../../support/cli.ts';
import { inProcess } from '../../../../support/in-process.ts';
import { verdicts } from '../verdicts.ts';

export const COMMIT = 'c'.repeat(40);

/** A finished release of each test's own, and the GitHub on which it is published. */
interface World {
  /** Folder of the release. */
  readonly folder: string;
  /** Folder of all that belongs to the test. */
  readonly scratch: string;
  /** Has GitHub hold this, and nothing else. */
  github(changes: object): void;
  /** What GitHub holds. */
  read(): any;
  /** Runs `github publish`. */
  run(repository?: string, more?: readonly string[], cwd?: string): Promise<CliRun>;
}

/** Returns the world, which is made anew for each test of the file. */
export function publishWorld(): World {
  let scratch: string;
  const at = (name: string) => join(scratch, name);
  const github = (changes: object) => {
    const empty = JSON.parse(readFileSync('test/github/empty-github.json', 'utf8'));
    writeFileSync(at('github/github.json'), JSON.stringify({ ...empty, ...changes }));
  };
  beforeEach(async () => {
    scratch = mkdtempSync(join(tmpdir(), 'publish-'));
    cpSync(inject('releaseFolder'), at('finished'), { recursive: true });
    writeFileSync(at('bundle.jsonl'), '{}\n');
    writeFileSync(at('EscrowBuddy.intoto.jsonl'), '{}\n');
    writeFileSync(at('smoke-verdicts.jsonl'), verdicts(at('finished')));
    mkdirSync(at('github'));
    await placeGh(at('bin'), at('github'));
    github({});
  });
  afterEach(() => rmSync(scratch, { recursive: true, force: true }));
  return {
    get folder() {
      return at('finished');
    },
    get scratch() {
      return scratch;
    },
    github,
    read: () => JSON.parse(readFileSync(at('github/github.json'), 'utf8')),
    run(repository = 'rehearsal.invalid/escrow-buddy', more = [], cwd = process.cwd()) {
      const later = ['--bundle', at('EscrowBuddy.intoto.jsonl'), '--verdicts', at('smoke-verdicts.jsonl')];
      return inProcess(['github', 'publish', '--folder', at('finished'), ...later, ...more], {
        cwd,
        env: {
          GITHUB_STEP_SUMMARY: at('page'),
          GITHUB_REPOSITORY: repository,
          GITHUB_SHA: COMMIT,
          GH_TOKEN: 'token',
          PATH: `${at('bin')}:${process.env.PATH}`,
        },
      });
    },
  };
}

/** A draft as GitHub lists it. */
export const draft = (changes: object) => ({
  id: 7,
  tag_name: 'v1.1.0',
  draft: true,
  immutable: false,
  author: { login: 'github-actions[bot]' },
  target_commitish: COMMIT,
  body: `changes\n${OUR_MARK}\n`,
  assets: [],
  html_url: 'https://github.invalid/draft',
  ...changes,
});
