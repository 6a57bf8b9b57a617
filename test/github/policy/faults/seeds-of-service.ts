// biome-ignore-all lint/suspicious/noTemplateCurlyInString: expressions of GitHub Actions look like templates.
import { insert, remove, type Seed, set, text } from './seed-edits.ts';
import { ARTIFACT, type Faults } from './seeds-of-signing.ts';

/** What may not stand beside a token that a key service takes, and when it is asked. */
const SERVICE: Faults = [
  ['a token beside npm', set('jobs.code.permissions', { 'id-token': 'write' }), /code\/permissions/],
  [
    'a token where signatures are checked',
    set('jobs.packages.permissions', { 'id-token': 'write' }),
    /packages\/permissions/,
  ],
  [
    'a token where the package is put together',
    set('jobs.signed.permissions', { contents: 'read', 'id-token': 'write' }),
    /signed\/permissions/,
  ],
  ['a token for every job', set('permissions', { 'id-token': 'write' }), /yml\/permissions/],
  ['a token beside a keychain', set('jobs.sign.permissions', { 'id-token': 'write' }), /sign\/permissions/],
  [
    'a token beside the key of the notary',
    set('jobs.submit.permissions', { 'id-token': 'write' }),
    /submit\/permissions/,
  ],
  ['no token at all', remove('jobs.code-service.permissions.id-token'), /code-service\/permissions\/id-token/],
  [
    'a job with a token that may write',
    set('jobs.packages-service.permissions.contents', 'write'),
    /packages-service\/permissions\/contents/,
  ],
  [
    'a secret beside the token',
    set('jobs.code-service.steps.1.env.AWS_SECRET_ACCESS_KEY', '${{ secrets.AWS_SECRET_ACCESS_KEY }}'),
    /AWS_SECRET_ACCESS_KEY/,
  ],
  [
    'stored keys beside the token',
    set('jobs.code-service.steps.1.env.APPLICATION_P12_BASE64', '${{ secrets.APPLICATION_P12_BASE64 }}'),
    /APPLICATION_P12_BASE64/,
  ],
  ['a service always', remove('jobs.code-service.if'), /code-service\/if/],
  ['a service never', set('jobs.packages-service.if', false), /packages-service\/if/],
  [
    'a service chosen by an event',
    set('jobs.code-service.if', "github.event.client_payload.keys == 'aws'"),
    /code-service\/if/,
  ],
  [
    'a service out of an event',
    set('jobs.code-service.steps.1.env.SERVICE', '${{ github.event.client_payload.service }}'),
    /env\/SERVICE/,
  ],
  [
    'a service that npm names',
    set('jobs.packages-service.steps.1.env.SERVICE', '${{ needs.plan.outputs.keys }}'),
    /env\/SERVICE/,
  ],
  [
    'a role out of an event',
    set('jobs.packages-service.steps.1.env.AWS_ROLE_ARN', '${{ github.event.client_payload.role }}'),
    /AWS_ROLE_ARN/,
  ],
  [
    'a role that npm names',
    set('jobs.code-service.steps.1.env.AWS_ROLE_ARN', '${{ needs.code.outputs.role }}'),
    /AWS_ROLE_ARN/,
  ],
  ['an audience of its own', set('jobs.code-service.steps.1.env.AUDIENCE', 'https://example.com'), /env\/AUDIENCE/],
  [
    'a token for another audience',
    set(
      'jobs.code-service.steps.1.run',
      'curl -H "Authorization: Bearer ${ACTIONS_ID_TOKEN_REQUEST_TOKEN}" "${ACTIONS_ID_TOKEN_REQUEST_URL}&audience=x"',
    ),
    /code-service\/steps\/1\/run/,
  ],
  [
    'another endpoint of the service',
    set('jobs.code-service.steps.1.env.AWS_ENDPOINT_URL', 'https://kms.example.com'),
    /AWS_ENDPOINT_URL/,
  ],
  ['npm beside the token', insert('jobs.code-service.steps', { run: 'npm ci' }), /code-service\/steps\/0/],
  ['an artifact beside the token', insert('jobs.packages-service.steps', ARTIFACT), /packages-service\/steps\/0/],
  [
    'an unpinned action that signs in',
    insert('jobs.code-service.steps', { uses: 'aws-actions/configure-aws-credentials@v5' }),
    /code-service\/steps\/0/,
  ],
  [
    'a pinned action that signs in',
    insert('jobs.packages-service.steps', { uses: `azure/login@${'a'.repeat(40)}` }),
    /packages-service\/steps\/0/,
  ],
  [
    'a checkout of another commit beside the token',
    set('jobs.code-service.steps.0.with.ref', '${{ github.head_ref }}'),
    /code-service\/steps\/0\/with\/ref/,
  ],
  ['no environment beside the token', remove('jobs.code-service.environment'), /code-service\/environment/],
  [
    'another environment beside the token',
    set('jobs.packages-service.environment', 'notary'),
    /packages-service\/environment/,
  ],
  [
    'the key of the packages for the code',
    text('"${SERVICE}" --role application', '"${SERVICE}" --role installer'),
    /code-service\/steps\/1\/run/,
  ],
  ['one key of a service for both', remove('jobs.packages-service'), /packages-service is not there/],
  ['a service whose answer nobody checks it', remove('jobs.packages-service.steps.2'), /packages-service\/steps\/2/],
];

export const SERVICE_SEEDS: readonly Seed[] = SERVICE.map(([name, edit, broken]) => ({
  name,
  file: 'release.yml',
  edit,
  broken,
}));
