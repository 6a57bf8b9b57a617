import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Check } from '../../../src/base/check.ts';
import { PipelineError } from '../../../src/base/errors.ts';
import type { CommandContext } from '../../command.ts';
import { readConfig } from '../../plan/config.ts';
import { readVersion } from '../../plan/plan.ts';
import { gh, ghApi, repositoryOf } from '../gh.ts';
import { changelogEntry } from '../release/changelog.ts';
import { actionUses, pinProblems, readPins } from './pins.ts';
import { SetUpFault } from './set-up-fault.ts';
import { examineKeys } from './set-up-keys.ts';

const WORKFLOWS = ['build.yml', 'ci.yml', 'release.yml', 'expiry.yml'];
/** Secrets by the environment that holds them. */
const ENVIRONMENTS = {
  signing: ['APPLICATION_P12_BASE64', 'APPLICATION_P12_PASSWORD', 'INSTALLER_P12_BASE64', 'INSTALLER_P12_PASSWORD'],
  notary: ['NOTARY_KEY', 'NOTARY_KEY_ID', 'NOTARY_ISSUER_ID'],
} as const;

/**
 * Returns checks of the set-up on GitHub: workflow files and pins, and with `gh` signed in also environments, names of secrets
 * and branch rules. What cannot be looked at is skipped, with the reason.
 *
 * The repository is GITHUB_REPOSITORY, or the one that `gh` finds for the checkout.
 */
export async function examineSetUp(context: CommandContext): Promise<Check[]> {
  const checks: Check[] = [];
  const add = async (id: string, examine: () => Promise<string | Check['status']>, unreadable?: string) => {
    try {
      checks.push({ id, status: 'pass', reason: await examine() });
    } catch (error) {
      if (!(error instanceof PipelineError) && !(error instanceof SetUpFault)) throw error;
      const skipped = unreadable !== undefined && error instanceof PipelineError;
      const reason = skipped ? `${unreadable}: ${firstLine(error)}` : error.message;
      checks.push({ id, status: skipped ? 'skipped' : 'fail', reason });
    }
  };
  await add('workflows', () => examineWorkflows(context.root));
  await add('pins', () => examinePins(context.root));
  await add('team', () => examineTeam(context.root));
  await add('changelog', () => examineChangelog(context.root));
  const repository = await repositoryFor(context);
  if (repository === undefined) {
    const reason = await whyNoRepository(context);
    const [first, ...others] = ON_GITHUB;
    checks.push({ id: first, status: 'skipped', reason });
    for (const id of others) checks.push({ id, status: 'skipped', reason: `as ${first}` });
    return checks;
  }
  const at = `repos/${repository}`;
  const hidden = 'cannot be read with these rights; look at it by hand';
  await add('signing-keys', () => examineKeys(context, at), hidden);
  await add('environment-signing', () => examineEnvironment(context, at, 'signing'), hidden);
  await add('environment-notary', () => examineEnvironment(context, at, 'notary'), hidden);
  await add('repository-secrets', () => examineRepositorySecrets(context, at), hidden);
  await add('immutable-releases', () => examineImmutable(context, at), hidden);
  await add('main-rules', () => examineRules(context, at), hidden);
  await add('tag-rules', () => examineTagRules(context, at), hidden);
  await add('code-owners', () => examineCodeOwners(context, at), hidden);
  return checks;
}

/** What only GitHub can tell. */
const ON_GITHUB = [
  'signing-keys',
  'environment-signing',
  'environment-notary',
  'repository-secrets',
  'immutable-releases',
  'main-rules',
  'tag-rules',
  'code-owners',
] as const;

/** What keeps us from looking, and the command that mends it. */
async function whyNoRepository(context: CommandContext): Promise<string> {
  const works = (argv: string[]) =>
    gh(context, argv).then(
      () => true,
      () => false,
    );
  if (!(await works(['--version'])))
    return 'gh is missing; Debian, Ubuntu: sudo apt-get install -y gh    macOS: brew install gh';
  if (!(await works(['auth', 'status']))) return 'gh is not signed in; run: gh auth login';
  return 'gh knows no repository for this folder; run: GITHUB_REPOSITORY=OWNER/NAME npm run -s cli -- doctor --ci';
}

async function examineWorkflows(root: string): Promise<string> {
  const missing = WORKFLOWS.filter((file) => !existsSync(join(root, '.github/workflows', file)));
  if (missing.length > 0) throw new SetUpFault(`missing in .github/workflows: ${missing.join(', ')}`);
  const text = await readFile(join(root, '.github/workflows/release.yml'), 'utf8');
  const names = Object.values(ENVIRONMENTS).flat();
  const unnamed = names.filter((name) => !text.includes(`secrets.${name} }}`));
  if (unnamed.length > 0) throw new SetUpFault(`release.yml does not hand over: ${unnamed.join(', ')}`);
  return `${WORKFLOWS.length} files, ${names.length} secrets named`;
}

async function examinePins(root: string): Promise<string> {
  const uses = await actionUses(root);
  const problems = pinProblems(uses, await readPins(root));
  if (problems.length > 0) throw new SetUpFault(problems.join('\n'));
  return `${uses.length} uses of actions, each at the commit in pins.json`;
}

async function examineTeam(root: string): Promise<string> {
  const { signing } = await readConfig(root);
  if (signing.teamIdentifier) return `${signing.teamIdentifier}, on ${signing.toolchain}`;
  throw new SetUpFault(
    'signing.teamIdentifier in release.config.json is null; set it to the ten characters of your team, as in your account: https://developer.apple.com/account#MembershipDetailsCard',
  );
}

async function examineChangelog(root: string): Promise<string> {
  const version = await readVersion(root);
  const entry = await changelogEntry(root, version);
  if (!entry) throw new SetUpFault(`CHANGELOG.md has no heading for ${version}`);
  return entry.released
    ? `${version} has a date: merged to main it is released`
    : `${version} is not to be released yet`;
}

async function repositoryFor(context: CommandContext): Promise<string | undefined> {
  try {
    await gh(context, ['auth', 'status']);
    if (context.env.GITHUB_REPOSITORY) return repositoryOf(context.env);
    const { stdout } = await gh(context, ['repo', 'view', '--json', 'nameWithOwner'], { cwd: context.root });
    return (JSON.parse(stdout) as { nameWithOwner: string }).nameWithOwner;
  } catch (error) {
    if (error instanceof PipelineError) return undefined;
    throw error;
  }
}

interface Environment {
  readonly protection_rules?: readonly {
    readonly type: string;
    readonly prevent_self_review?: boolean;
    readonly reviewers?: readonly { readonly type: string }[];
  }[];
  readonly deployment_branch_policy: { readonly custom_branch_policies: boolean } | null;
}

async function examineEnvironment(
  context: CommandContext,
  at: string,
  name: keyof typeof ENVIRONMENTS,
): Promise<string> {
  const environment = await ghApi<Environment>(context, `${at}/environments/${name}`);
  // "Protected branches only" lets every branch in while none is protected.
  if (environment.deployment_branch_policy?.custom_branch_policies !== true) {
    throw new SetUpFault(`environment ${name} is open to other branches: allow selected branches, main alone`);
  }
  const policies = await ghApi<{ branch_policies: { name: string }[] }>(
    context,
    `${at}/environments/${name}/deployment-branch-policies`,
  );
  const branches = policies.branch_policies.map((policy) => policy.name);
  if (branches.join() !== 'main')
    throw new SetUpFault(`environment ${name} is open to: ${branches.join(', ') || 'nothing'}; allow main alone`);
  const reviewed = environment.protection_rules?.some(({ type }) => type === 'required_reviewers');
  if (name === 'signing' && !reviewed) throw new SetUpFault('environment signing has no required reviewer');
  // Whoever merges is who asked for the deployment; alone, they would wait for themselves.
  const alone = environment.protection_rules?.some(
    ({ prevent_self_review: never, reviewers }) => never && reviewers?.length === 1 && reviewers[0]?.type === 'User',
  );
  if (name === 'signing' && alone)
    throw new SetUpFault(
      'environment signing has one reviewer, who may not approve what they merged: add a second one, or allow self-review',
    );
  if (name === 'notary' && reviewed)
    throw new SetUpFault('environment notary has a reviewer: retries would wait for a person');
  const { secrets } = await ghApi<{ secrets: { name: string }[] }>(context, `${at}/environments/${name}/secrets`);
  const there = ENVIRONMENTS[name].filter((secret) => secrets.some((found) => found.name === secret));
  const found = `main alone, ${there.length} secrets${reviewed ? ', reviewed' : ''}`;
  if (name === 'signing' && (await readConfig(context.root)).signing.externalSigner) {
    if (there.length === 0) return found;
    throw new SetUpFault(`the keys are in a service; remove from environment signing: ${there.join(', ')}`);
  }
  const missing = ENVIRONMENTS[name].filter((secret) => !(there as string[]).includes(secret));
  if (missing.length > 0)
    throw new SetUpFault(
      `environment ${name} lacks: ${missing.join(', ')}; set each: gh secret set ${missing[0]} --env ${name}`,
    );
  return found;
}

/** GitHub passes over a line of CODEOWNERS whose owner it does not know, and asks nobody. */
async function examineCodeOwners(context: CommandContext, at: string): Promise<string> {
  const { errors } = await ghApi<{ errors: { line: number; kind: string }[] }>(context, `${at}/codeowners/errors`);
  const lines = errors.map(({ line, kind }) => `line ${line}: ${kind}`);
  if (lines.length > 0) throw new SetUpFault(`.github/CODEOWNERS asks nobody: ${lines.join(', ')}; put your owners in`);
  return 'every line names an owner';
}

/** A copy at the repository's level would be open to every job of every branch. */
async function examineRepositorySecrets(context: CommandContext, at: string): Promise<string> {
  const { secrets } = await ghApi<{ secrets: { name: string }[] }>(context, `${at}/actions/secrets`);
  const ours: readonly string[] = Object.values(ENVIRONMENTS).flat();
  const copies = secrets.map(({ name }) => name).filter((name) => ours.includes(name));
  if (copies.length > 0)
    throw new SetUpFault(`open to every job: ${copies.join(', ')}; remove each: gh secret delete ${copies[0]}`);
  return 'none of ours';
}

async function examineImmutable(context: CommandContext, at: string): Promise<string> {
  const { enabled } = await ghApi<{ enabled: boolean }>(context, `${at}/immutable-releases`);
  if (!enabled) throw new SetUpFault(`releases are not immutable; run: gh api --method PUT ${at}/immutable-releases`);
  return 'enabled';
}

async function examineRules(context: CommandContext, at: string): Promise<string> {
  const rules = await ghApi<{ type: string }[]>(context, `${at}/rules/branches/main`);
  const types = rules.map(({ type }) => type);
  const missing = ['pull_request', 'required_status_checks', 'non_fast_forward'].filter(
    (type) => !types.includes(type),
  );
  if (missing.length > 0) throw new SetUpFault(`no rule for main: ${missing.join(', ')}`);
  return types.join(', ');
}

interface Ruleset {
  readonly id: number;
  readonly name: string;
  readonly target: string;
  readonly enforcement: string;
}

interface RulesetDetails {
  readonly conditions?: {
    readonly ref_name?: { readonly include: readonly string[]; readonly exclude: readonly string[] };
  };
  readonly rules: readonly { readonly type: string }[];
}

/** A version's tag may not be moved or deleted by anybody, and may be created: by the job's token, which has no way around a rule. */
async function examineTagRules(context: CommandContext, at: string): Promise<string> {
  const rulesets = await ghApi<Ruleset[]>(context, `${at}/rulesets?includes_parents=true&per_page=100`);
  const active = rulesets.filter(({ target, enforcement }) => target === 'tag' && enforcement === 'active');
  const types = new Set<string>();
  for (const { id } of active) {
    const { conditions, rules } = await ghApi<RulesetDetails>(context, `${at}/rulesets/${id}`);
    if (coversVersions(conditions?.ref_name)) for (const { type } of rules) types.add(type);
  }
  const stopping = [...types].filter((type) => !['update', 'deletion', 'non_fast_forward'].includes(type));
  if (stopping.length > 0)
    throw new SetUpFault(
      `a rule for tags v* stops publish, whose token keeps every rule: take out ${stopping.join(', ')}`,
    );
  const missing = ['update', 'deletion'].filter((type) => !types.has(type));
  if (missing.length > 0) throw new SetUpFault(`no rule for tags v*: ${missing.join(', ')}`);
  return [...types].join(', ');
}

/** Whether a rule is about tags such as v1.2.3. Patterns are those of fnmatch; what is not one of the common ones counts as one that is. */
function coversVersions(
  names: { readonly include: readonly string[]; readonly exclude: readonly string[] } | undefined,
): boolean {
  if (!names) return true;
  const covers = (pattern: string) => pattern === '~ALL' || !/^refs\/tags\/[^v*?[]/.test(pattern);
  return (
    names.include.some(covers) &&
    !names.exclude.some((pattern) => ['~ALL', 'refs/tags/v*', 'refs/tags/*', 'refs/tags/**'].includes(pattern))
  );
}

function firstLine(error: Error): string {
  return error.message.split('\n').at(-1) as string;
}
