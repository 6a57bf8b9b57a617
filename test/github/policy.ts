import type { Pins } from '../../build/github/upkeep/pins.ts';
import { actionUsesIn, pinProblems } from '../../build/github/upkeep/pins.ts';
import { interpolate } from './expression.ts';
import {
  combinationsOf,
  environmentOf,
  type Job,
  parseWorkflow,
  secretsIn,
  triggersOf,
  type Workflow,
} from './workflow.ts';

/** What each workflow may be started by. Never pull_request_target or workflow_run: both run with secrets for strangers' code. */
const TRIGGERS: Readonly<Record<string, readonly string[]>> = {
  'build.yml': ['workflow_call'],
  'ci.yml': ['pull_request', 'merge_group', 'push'],
  'release.yml': ['push', 'repository_dispatch'],
  'expiry.yml': ['schedule', 'repository_dispatch'],
  'scorecard.yml': ['schedule', 'push'],
};

const SIGNING = [
  'APPLICATION_P12_BASE64',
  'APPLICATION_P12_PASSWORD',
  'INSTALLER_P12_BASE64',
  'INSTALLER_P12_PASSWORD',
];
const NOTARY = ['NOTARY_KEY', 'NOTARY_KEY_ID', 'NOTARY_ISSUER_ID'];

/** Which job may see which secrets, and where they are kept. */
const SECRETS: Readonly<Record<string, { environment: string; secrets: readonly string[] }>> = {
  'release.yml/sign': { environment: 'signing', secrets: SIGNING },
  'release.yml/submit': { environment: 'notary', secrets: NOTARY },
  'release.yml/staple': { environment: 'notary', secrets: NOTARY },
  'expiry.yml/notary': { environment: 'notary', secrets: NOTARY },
};

/** What each job may do beyond reading the contents; everything else is refused. */
const PERMISSIONS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'build.yml/parts': { contents: 'read', 'id-token': 'write', attestations: 'write' },
  'release.yml/build': { contents: 'read', 'id-token': 'write', attestations: 'write' },
  'release.yml/sign': {},
  'release.yml/submit': {},
  'release.yml/staple': {},
  'release.yml/attest': { 'id-token': 'write', attestations: 'write' },
  'release.yml/publish': { contents: 'write' },
  'release.yml/verify': { contents: 'read', attestations: 'read' },
  'expiry.yml/notary': {},
  'expiry.yml/issue': { contents: 'read', issues: 'write' },
  'scorecard.yml/scorecard': { contents: 'read', 'id-token': 'write' },
};
const DEFAULT_PERMISSIONS = { contents: 'read' };
/** Jobs that run one file whose digest an earlier job gave. */
const SEALED = [...Object.keys(SECRETS), 'release.yml/publish'];
const LONGEST_MINUTES = 90;
/** The images of a Mac that a job may run on, each with the Xcode it uses: a default moves from week to week. */
const XCODES: Readonly<Record<string, string>> = {
  'macos-15': '16.4',
  'macos-15-intel': '16.4',
  'macos-26': '26.6',
  'macos-26-intel': '26.6',
};
/** Where a job runs on what the plan chose, the plan names the Xcode too. */
const CHOSEN = {
  [expression('needs.plan.outputs.runner')]: expression('needs.plan.outputs.developer-dir'),
  [expression('inputs.runner')]: expression('inputs.developer-dir'),
};

/** Returns every rule that a workflow breaks, with the file and the job; empty when it keeps them all. */
export function policyProblems(file: string, source: string, pins: Pins): string[] {
  const workflow = parseWorkflow(source);
  const problems = [...workflowProblems(file, workflow), ...pinProblems(actionUsesIn(file, source), pins)];
  for (const [id, job] of Object.entries(workflow.jobs)) {
    const at = `${file}/${id}`;
    problems.push(...jobProblems(at, job), ...secretProblems(at, job), ...stepProblems(at, job));
    if (SEALED.includes(at)) problems.push(...sealProblems(at, job));
  }
  problems.push(...commentProblems(file, source));
  return problems;
}

function workflowProblems(file: string, workflow: Workflow): string[] {
  const problems: string[] = [];
  const allowed = TRIGGERS[file];
  if (!allowed) problems.push(`${file}: a workflow the policy does not know`);
  for (const trigger of triggersOf(workflow)) {
    if (!allowed?.includes(trigger)) problems.push(`${file}: trigger ${trigger}`);
  }
  const push = (workflow.on as { push?: { branches?: string[] } } | null)?.push;
  if (triggersOf(workflow).includes('push') && JSON.stringify(push?.branches) !== '["main"]') {
    problems.push(`${file}: push of other branches than main`);
  }
  if (JSON.stringify(workflow.permissions) !== '{}') problems.push(`${file}: permissions on top are not {}`);
  if (workflow.env !== undefined) problems.push(`${file}: env for the whole workflow`);
  if (file !== 'build.yml' && !workflow.concurrency) problems.push(`${file}: no concurrency`);
  const cancel = (workflow.concurrency as { 'cancel-in-progress'?: unknown } | undefined)?.['cancel-in-progress'];
  if (file === 'release.yml' && cancel !== false) problems.push(`${file}: a release may be cancelled`);
  return problems;
}

function jobProblems(at: string, job: Job): string[] {
  const problems: string[] = [];
  const expected = PERMISSIONS[at] ?? DEFAULT_PERMISSIONS;
  if (canonical(job.permissions) !== canonical(expected)) {
    problems.push(`${at}: permissions are ${JSON.stringify(job.permissions)}, allowed are ${JSON.stringify(expected)}`);
  }
  if (job.container !== undefined || job.services !== undefined) problems.push(`${at}: a container`);
  if (job['continue-on-error'] !== undefined) problems.push(`${at}: goes on after an error`);
  if (job.uses !== undefined) {
    if (!job.uses.startsWith('$/.github/workflows/'))
      problems.push(`${at}: calls a workflow of others, or of another commit`);
    if (job.secrets !== undefined) problems.push(`${at}: hands secrets to a called workflow`);
    const chosen = CHOSEN[String(job.with?.runner)];
    if (job.with?.['developer-dir'] !== chosen) problems.push(`${at}: hands on no DEVELOPER_DIR beside the runner`);
    if (job.env !== undefined) problems.push(`${at}: env for the whole job`);
    return problems;
  }
  const minutes = job['timeout-minutes'];
  if (!minutes || minutes > LONGEST_MINUTES) problems.push(`${at}: no time limit, or above ${LONGEST_MINUTES} minutes`);
  if (/latest|self-hosted/.test(JSON.stringify(job['runs-on']))) problems.push(`${at}: runs on ${job['runs-on']}`);
  return [...problems, ...machineProblems(at, job)];
}

/** A job on a Mac names the Xcode of its image, and nothing else for all its steps; a job on Linux has no such variable at all. */
function machineProblems(at: string, job: Job): string[] {
  const { DEVELOPER_DIR, ...others } = job.env ?? {};
  const problems = Object.keys(others).length > 0 ? [`${at}: env for the whole job`] : [];
  const runner = job['runs-on'] ?? '';
  const chosen = CHOSEN[runner];
  if (chosen !== undefined)
    return DEVELOPER_DIR === chosen ? problems : [...problems, `${at}: DEVELOPER_DIR is not ${chosen}`];
  for (const matrix of combinationsOf(job)) {
    const image = interpolate(runner, { matrix });
    const xcode = XCODES[image];
    const expected = xcode && `/Applications/Xcode_${xcode}.app/Contents/Developer`;
    if (!image.startsWith('ubuntu-') && !xcode) problems.push(`${at}: runs on ${image}, whose Xcode nobody named`);
    const found = DEVELOPER_DIR && interpolate(DEVELOPER_DIR, { matrix });
    if (found !== expected) problems.push(`${at}: DEVELOPER_DIR on ${image} is ${found}, not ${expected}`);
  }
  return problems;
}

function expression(text: string): string {
  return `\${{ ${text} }}`;
}

function secretProblems(at: string, job: Job): string[] {
  const problems: string[] = [];
  const allowed = SECRETS[at];
  const environment = environmentOf(job);
  if (environment !== allowed?.environment) {
    problems.push(`${at}: environment ${environment}, the policy says ${allowed?.environment}`);
  }
  for (const secret of secretsIn(job)) {
    if (!allowed?.secrets.includes(secret)) problems.push(`${at}: sees the secret ${secret}`);
  }
  for (const [index, step] of (job.steps ?? []).entries()) {
    const { env: _, ...others } = step;
    if (secretsIn(others).size > 0) problems.push(`${at}: step ${index + 1} has a secret elsewhere than in its env`);
  }
  return problems;
}

function stepProblems(at: string, job: Job): string[] {
  const problems: string[] = [];
  for (const [index, step] of (job.steps ?? []).entries()) {
    const name = `${at}: step ${index + 1}`;
    if (step.run?.includes('${{')) problems.push(`${name} puts an expression into a script`);
    if (step.run?.trim().includes('\n')) problems.push(`${name} has more than one line`);
    if (step.run && /GITHUB_ENV|GITHUB_PATH|set-output|::add-path/.test(step.run))
      problems.push(`${name} changes later steps`);
    if (step.run && /\b(curl|wget)\b/.test(step.run)) problems.push(`${name} fetches by itself`);
    if (step.uses?.startsWith('actions/checkout@') && step.with?.['persist-credentials'] !== false) {
      problems.push(`${name} leaves the token in the checkout`);
    }
    if (step.uses?.startsWith('actions/checkout@') && step.with?.ref !== undefined)
      problems.push(`${name} checks out another commit`);
    if (step.uses?.startsWith('actions/setup-node@') && step.with?.['package-manager-cache'] !== false) {
      problems.push(`${name} uses a cache`);
    }
    if (step.uses?.startsWith('actions/cache')) problems.push(`${name} uses a cache`);
    if (step.uses?.startsWith('actions/download-artifact@') && step.with?.['artifact-ids'] === undefined) {
      problems.push(`${name} fetches an artifact by name`);
    }
  }
  return problems;
}

/** A sealed job: no checkout, no set-up, no npm; the first script compares a digest with another job's output. */
function sealProblems(at: string, job: Job): string[] {
  const problems: string[] = [];
  const steps = job.steps ?? [];
  for (const [index, step] of steps.entries()) {
    const name = `${at}: step ${index + 1}`;
    if (step.uses && !/^actions\/(download|upload)-artifact@/.test(step.uses))
      problems.push(`${name} uses ${step.uses}`);
    if (step.run && /\b(npm|npx|git|brew|apt|apt-get|pip)\b/.test(step.run)) problems.push(`${name} is not sealed`);
    if (step.run && !/^(node cli\.mjs |printf '%s {2}[\w.]+\\n' "\$\{\w+\}" \| shasum -a 256 -c -)/.test(step.run)) {
      problems.push(`${name} runs something else than the checked command line`);
    }
  }
  const scripts = steps.filter(({ run }) => run !== undefined);
  const [first] = scripts;
  if (
    !first?.run?.startsWith("printf '%s  parts.tar") ||
    !Object.values(first.env ?? {}).some((value) => /needs\.\w+\.outputs\.[\w-]*sha256/.test(value))
  ) {
    problems.push(`${at}: runs the parts before they are compared`);
  }
  const fetched = steps.filter(({ uses }) => uses?.startsWith('actions/download-artifact@')).length;
  const compared = scripts.filter(({ run }) => run?.includes('shasum -a 256 -c -')).length;
  if (fetched !== compared) problems.push(`${at}: ${fetched} artifacts are fetched, ${compared} compared`);
  return problems;
}

/** Every granted permission says what it is for. */
function commentProblems(file: string, source: string): string[] {
  return source
    .split('\n')
    .filter((line) => /^ {6}[a-z-]+: (read|write)\b(?! # \S)/.test(line))
    .map((line) => `${file}: permission without a reason: ${line.trim()}`);
}

function canonical(permissions: unknown): string {
  if (typeof permissions !== 'object' || permissions === null) return String(permissions);
  return JSON.stringify(Object.entries(permissions).sort());
}
